"""The page on a laptop, on a telephone, in the dark and on paper, and to those who cannot see or point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # it has no types
from browser.chrome import NARROW, WIDE, Browser
from browser.showcase import PAGES, floor
from selenium.webdriver import ActionChains, Keys

from reconciler.report.reported import Reported

Opened = Callable[[Reported], Browser]

EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])

_UNFOLD = "for (const each of document.querySelectorAll('details')) each.open = true;"
_TOO_WIDE = """
const edge = document.documentElement.clientWidth;
const seen = (each) => each.checkVisibility() && each.getBoundingClientRect().width > 1;
return [...document.body.querySelectorAll('*')]
  .filter((each) => seen(each) && !each.closest('.skip, caption, thead'))
  .filter((each) => each.getBoundingClientRect().right > edge + 0.5)
  .map((each) => each.outerHTML.slice(0, 200));
"""
_FOCUS = """
const { activeElement: each } = document;
const { outlineStyle, outlineWidth } = getComputedStyle(each);
const box = each.getBoundingClientRect();
return {
  what: each === document.body ? null : each.outerHTML,
  outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth),
  inside: box.left >= 0 && box.right <= innerWidth,
};
"""
_AXE = """
const done = arguments[arguments.length - 1];
axe.run({ resultTypes: ['violations', 'incomplete'] }).then(({ violations, incomplete }) => done(
  [...violations, ...incomplete].map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html}`)));
"""


@EVERY_PAGE
@WIDTHS
def test_nothing_is_wider_than_the_window(name: str, width: int, opened: Opened) -> None:
    browser = opened(PAGES[name]())
    browser.look(width=width)
    browser.ask(_UNFOLD)
    assert browser.ask("return document.documentElement.scrollWidth") == width
    assert browser.ask(_TOO_WIDE) == []


@EVERY_PAGE
@SCHEMES
def test_axe_finds_nothing_that_shuts_anybody_out(name: str, dark: bool, opened: Opened) -> None:
    browser = opened(PAGES[name]())
    browser.look(dark=dark)
    browser.ask(_UNFOLD + AXE_SCRIPT)
    assert browser.driver.execute_async_script(_AXE) == []


def test_axe_sees_pale_text_and_a_choice_without_a_name(opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    browser.ask(
        "document.querySelector('h1').style.color = '#bbb'; document.querySelector('label[for=changes-team]').remove();"
    )
    browser.ask(AXE_SCRIPT)
    found = " ".join(browser.driver.execute_async_script(_AXE))
    assert "color-contrast" in found
    assert "select-name" in found


@SCHEMES
def test_the_page_is_as_dark_as_the_reader_likes_it(dark: bool, opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    browser.look(dark=dark)
    channels = browser.ask(r"return getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)")
    assert dark is (sum(channels) < 3 * 128)


def test_whatever_can_be_used_is_reached_by_the_keyboard_and_seen_to_be_reached(opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    useful = "a[href], button, input, select, summary"
    expected = browser.ask(
        f"return [...document.querySelectorAll('{useful}')]"
        ".filter((each) => each.checkVisibility()).map((each) => each.outerHTML)"
    )
    reached = list(_tab_through(browser, at_most=len(expected) + 5))
    assert [each["what"] for each in reached] == expected
    assert [each for each in reached if each["outline"] < 2 or not each["inside"]] == []


def _tab_through(browser: Browser, *, at_most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(at_most):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        focus = browser.ask(_FOCUS)
        if focus["what"] is None:
            break
        found.append(focus)
    return found


def test_on_paper_every_row_stands_everything_is_unfolded_and_nothing_asks_to_be_clicked(opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    browser.ask(
        "addEventListener('beforeprint', () => { window.printed ="
        " document.querySelectorAll('#changes-table tbody tr').length; });"
    )
    browser.driver.execute_cdp_cmd("Page.printToPDF", {})
    changes = len(floor().changes)
    assert browser.ask("return window.printed") == changes > 100
    assert browser.ask("return document.querySelectorAll('#changes-table tbody tr').length") == 100

    browser.look(paper=True)
    seen = "return [...document.querySelectorAll(arguments[0])].map((each) => each.checkVisibility())"
    assert set(browser.ask(seen, "details > :not(summary)")) == {True}
    assert set(browser.ask(seen, ".skip, .contents, .filters, .pager")) == {False}


def test_a_bar_is_as_long_as_its_number(opened: Opened) -> None:
    browser = opened(PAGES["plan"]())
    rows = browser.ask("""
      const length = (svg, kind) => [...svg.querySelectorAll(kind)]
        .reduce((sum, each) => sum + each.getBoundingClientRect().width, 0);
      return [...document.querySelectorAll('.capacity')].filter((each) => each.checkVisibility()).map((table) =>
        [...table.tBodies[0].rows].map((row) => ({
          told: ['before', 'after'].map((name) => Number(row.querySelector(`td.${name}`).textContent.replace(',', ''))),
          drawn: [length(row, 'rect.before'), length(row, 'rect:is(.after, .gained)')],
        })));
    """)
    assert len(rows) >= 4
    for table in rows:
        scale = max(row["drawn"][0] / row["told"][0] for row in table if row["told"][0])
        for row in table:
            assert row["drawn"] == pytest.approx([number * scale for number in row["told"]], abs=1.5)
