"""A headless Chromium of the tests' own: opened on a page, looked at, asked, and closed.

Rules of this file: it is started with an empty profile and without a network to call home over, and it is Debian's, as
`.ci/counterparts` lists it. What a test wants to know of a page it asks in JavaScript, through `Browser.ask`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from support.counterparts import require_program

_QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-extensions",
        "--disable-dev-shm-usage",
    ),
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
WIDE, NARROW = 1280, 400
"""Pixels: a laptop beside a review, and a telephone."""


@dataclass(frozen=True)
class Browser:
    """One window."""

    driver: Chrome

    def open(self, page: Path) -> None:
        """Show a file, and wait until it is loaded and its script has run."""
        self.driver.get(page.as_uri())

    def look(self, *, width: int = WIDE, height: int = 900, dark: bool = False, paper: bool = False) -> None:
        """Set what the page is seen on."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        media = {"media": "print" if paper else "screen", "features": [scheme]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def ask(self, body: str, *arguments: object) -> Any:
        """Return what a function with this body returns in the page."""
        return self.driver.execute_script(body, *arguments)

    def complaints(self) -> list[str]:
        """Return and forget what the console says: errors, warnings and what the policy refused."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium left it without types
        return [entry["message"] for entry in entries]

    @contextmanager
    def without_scripts(self) -> Iterator[None]:
        """Run no script of a page, as some readers have it; `ask` has no answer then, and `texts` has."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    def texts(self) -> list[str]:
        """Return the texts that are laid out, in the order of the document."""
        seen = self.driver.execute_cdp_cmd("DOMSnapshot.captureSnapshot", {"computedStyles": []})
        strings, layout = seen["strings"], seen["documents"][0]["layout"]
        return [strings[place].strip() for place in layout["text"] if place >= 0]

    def picture(self, *, top: float, height: int) -> bytes:
        """Return a strip of the page as a PNG."""
        width = self.ask("return innerWidth")
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        asked = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start a browser with the empty directory `profile` for its own; end it with everything it started."""
    options = ChromeOptions()
    options.binary_location = require_program("chromium", package="chromium")
    for switch in (*_QUIET, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = ChromeService(require_program("chromedriver", package="chromium-driver"))
    driver = Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(60)
        driver.set_script_timeout(60)
        yield Browser(driver)
    finally:
        driver.quit()
