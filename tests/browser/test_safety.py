"""What somebody wrote into a file does nothing in the page, and the page's policy would not let it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.chrome import Browser
from browser.showcase import PAGES
from report.markdown_examples import plan_report, with_texts

from reconciler.report.html import html
from reconciler.report.reported import Reported

Opened = Callable[[Reported], Browser]

_THEFT = "window.stolen = true"
HOSTILE = {
    "ends-the-data": f"</script><script>{_THEFT}</script>",
    "begins-a-comment": f"<!--<script>{_THEFT}",
    "image": f"<img src=x onerror='{_THEFT}'>",
    "attribute": f'" autofocus onfocus="{_THEFT}" x="',
    "reference": f"&lt;img src=x onerror={_THEFT}&gt;",
    "stylesheet": "</style><style>body { display: none }</style>",
    "address": f"javascript:{_THEFT}",
}
_TAKEN = "return [window.stolen === true, document.querySelectorAll('img, iframe, [onfocus], [onerror]').length]"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_name_stays_text_where_it_is_written_and_where_the_script_draws_it(text: str, opened: Opened) -> None:
    browser = opened(with_texts(plan_report("sixty-agents"), text))
    browser.ask("for (const each of document.querySelectorAll('th button, summary, option')) each.click()")
    assert browser.ask(_TAKEN) == [False, 0]
    cells = browser.ask("return [...document.querySelectorAll('#changes-table td.team')].map((td) => td.textContent)")
    assert {text} == set(cells)
    assert browser.ask("return getComputedStyle(document.body).display") == "block"


def test_markup_that_got_in_by_a_mistake_would_run_load_and_send_nothing(browser: Browser, tmp_path: Path) -> None:
    planted = (
        f"<script>{_THEFT}</script><img src=x onerror='{_THEFT}'><style>body {{ display: none }}</style>"
        "<p id=planted style='color: red'>x</p><iframe src='https://evil.example/'></iframe>"
        "<link rel=stylesheet href='https://evil.example/x.css'><base href='https://evil.example/'>"
        "<form id=trap action='https://evil.example/'></form>"
    )
    page = tmp_path / "report.html"
    page.write_text(html(PAGES["problems"]()).replace("</h1>", f"</h1>{planted}", 1), encoding="utf-8")
    browser.open(page)
    browser.ask("document.querySelector('#trap').submit()")
    assert browser.ask("return window.stolen === true") is False
    assert browser.ask("return getComputedStyle(document.body).display") == "block"
    assert browser.ask("return getComputedStyle(document.querySelector('#planted')).color") != "rgb(255, 0, 0)"
    assert browser.ask("return document.baseURI") == page.as_uri()
    refused = "\n".join(browser.complaints())
    for directive in ("script-src", "style-src", "img-src", "default-src", "base-uri", "form-action"):
        assert directive in refused


def test_nothing_is_asked_of_any_network(opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    assert browser.ask("return performance.getEntriesByType('resource').map((each) => each.name)") == []
