from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.chrome import Browser, chromium

from reconciler.report.html import html
from reconciler.report.reported import Reported

Opened = Callable[[Reported], Browser]
"""Opens the page of a report."""


@pytest.fixture(scope="session")
def _one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(_one_browser: Browser) -> Iterator[Browser]:
    """A window as wide as a laptop, light; it must have nothing to complain of in the end."""
    _one_browser.look()
    _one_browser.complaints()  # of the test before, which has told them
    yield _one_browser
    assert _one_browser.complaints() == []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Opened:
    """Write the page of a report and open it."""

    def open_(report: Reported) -> Browser:
        page = tmp_path / "report.html"
        page.write_text(html(report), encoding="utf-8")
        browser.open(page)
        return browser

    return open_
