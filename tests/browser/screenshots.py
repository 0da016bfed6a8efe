"""Take the pictures of docs/images: `make screenshots`, or `python tests/browser/screenshots.py [DIRECTORY]`.

The pages are those of `showcase`, so that what the documentation shows is what the tests look at.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # as pytest does it

from browser.chrome import NARROW, WIDE, chromium  # noqa: E402 - see the line above
from browser.showcase import PAGES  # noqa: E402 - the same

from reconciler.report.html import html  # noqa: E402 - the same

MOST_BYTES = 200_000


@dataclass(frozen=True)
class Picture:
    """What one file shows."""

    page: str
    width: int = WIDE
    height: int = 1150
    dark: bool = False
    start: str = "body"
    """The element whose top is the picture's."""


PICTURES = {
    "plan.png": Picture("plan"),
    "plan-narrow.png": Picture("plan", width=NARROW, height=1400),
    "plan-changes.png": Picture("plan", start="#groups", height=1000),
    "plan-table.png": Picture("plan", start="#changes", height=560),
    "outcome-dark.png": Picture("outcome", dark=True),
    "problems.png": Picture("problems", height=640),
}


def take(folder: Path) -> None:
    """Take them all, into a folder that is there."""
    with tempfile.TemporaryDirectory() as scratch, chromium(Path(scratch) / "profile") as browser:
        for name, picture in PICTURES.items():
            page = Path(scratch) / f"{picture.page}.html"
            page.write_text(html(PAGES[picture.page]()), encoding="utf-8")
            browser.look(width=picture.width, dark=picture.dark)
            browser.open(page)
            whole = browser.ask("return document.documentElement.scrollHeight")
            browser.look(width=picture.width, height=whole, dark=picture.dark)  # what is sticky lies where it belongs
            top = browser.ask("return document.querySelector(arguments[0]).getBoundingClientRect().top", picture.start)
            image = browser.picture(top=top, height=min(picture.height, whole - int(top)))
            if len(image) > MOST_BYTES:
                raise SystemExit(f"{name} has {len(image):,} bytes; {MOST_BYTES:,} are allowed: show less in it")
            (folder / name).write_bytes(image)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    take(target)
