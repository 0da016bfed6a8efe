"""The tables of a page answer: filters, choices, order and pages, each by the keyboard too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import unescape

import pytest
from browser.chrome import Browser
from browser.showcase import PAGES
from browser.showcase import floor as floor_plan
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from reconciler.model.plan import Action, Change
from reconciler.report.html import html
from reconciler.report.reported import Reported

Opened = Callable[[Reported], Browser]

CHANGES: Sequence[Change] = floor_plan().changes


def agents_shown(browser: Browser) -> list[int]:
    cells = browser.ask(
        "return [...document.querySelectorAll('#changes-table td.agent')].map((each) => each.textContent)"
    )
    return [int(cell) for cell in cells]


def count_told(browser: Browser) -> str:
    told: str = browser.ask("return document.querySelector('#changes [role=status]').textContent")
    return told


def type_into_filter(browser: Browser, text: str) -> None:
    field = browser.driver.find_element(By.ID, "changes-text")
    field.clear()
    field.send_keys(text)


def choose(browser: Browser, column: str, words: str) -> None:
    Select(browser.driver.find_element(By.ID, f"changes-{column}")).select_by_visible_text(words)


def press(browser: Browser, words: str) -> None:
    """Press a button of the table of changes, found by what stands on it, from the keyboard."""
    button = browser.driver.find_element(By.XPATH, f"//*[@id='changes']//button[starts-with(., '{words}')]")
    button.send_keys(Keys.ENTER)


@pytest.fixture
def floor(opened: Opened) -> Browser:
    """The page of the plan of the showcase."""
    return opened(PAGES["plan"]())


def test_what_is_most_dangerous_stands_first(floor: Browser) -> None:
    closed = [*range(3001, 3061), 4002]
    gone = [change.agent for change in CHANGES if change.action is Action.FORGET]
    assert agents_shown(floor)[: len(closed) + len(gone)] == [*closed, *gone]


@pytest.mark.parametrize(
    ("effect", "agents"), [("removed", [1007, 1019, 1020, 5003]), ("to zero", [*range(3001, 3061), 4002])]
)
def test_changes_can_be_chosen_by_what_they_do(effect: str, agents: list[int], floor: Browser) -> None:
    choose(floor, "effect", effect)
    assert agents_shown(floor) == agents
    type_into_filter(floor, effect)
    assert agents_shown(floor) == agents


def test_what_is_typed_is_looked_for_in_every_column(floor: Browser) -> None:
    type_into_filter(floor, "NIGHT web_chat")
    night = [change.agent for change in CHANGES if change.team == "night"]
    assert night == sorted(agents_shown(floor))
    assert count_told(floor) == f"{len(night)} of {len(CHANGES)} changes"


def test_two_numbers_with_a_dash_are_a_range_of_agents(floor: Browser) -> None:
    type_into_filter(floor, "1005-1010")
    assert sorted(agents_shown(floor)) == [1005, 1006, 1007, 1008, 1009, 1010]


def test_choices_and_words_narrow_each_other_and_clear_takes_all_back(floor: Browser) -> None:
    choose(floor, "action", "forget")
    choose(floor, "team", "east")
    assert sorted(agents_shown(floor)) == [1007, 1019, 1020]
    type_into_filter(floor, "1019")
    assert agents_shown(floor) == [1019]
    press(floor, "Clear")
    assert count_told(floor) == f"{len(CHANGES)} changes"


def test_a_channel_can_be_chosen_that_no_column_shows(floor: Browser) -> None:
    choose(floor, "channel", "whatsapp")
    assert {change.agent for change in CHANGES if change.team == "social"} == set(agents_shown(floor))


def test_what_nobody_has_leaves_an_empty_table_and_says_so(floor: Browser) -> None:
    type_into_filter(floor, "nobody has this")
    assert agents_shown(floor) == []
    assert count_told(floor) == f"0 of {len(CHANGES)} changes"


def test_a_slash_leads_to_the_filter_and_escape_empties_it(floor: Browser) -> None:
    ActionChains(floor.driver).send_keys("/").perform()
    field = floor.driver.switch_to.active_element
    assert field.get_attribute("id") == "changes-text"
    field.send_keys("night/", Keys.ESCAPE)
    assert field.get_attribute("value") == ""
    assert count_told(floor) == f"{len(CHANGES)} changes"


def test_a_heading_sorts_up_then_down_then_as_before(floor: Browser) -> None:
    first = agents_shown(floor)
    everybody = sorted(change.agent for change in CHANGES)
    told = "return document.querySelector('#changes-table th.agent').getAttribute('aria-sort')"
    expected = {"ascending": everybody[:100], "descending": everybody[:-101:-1], None: first}
    for order, agents in expected.items():
        press(floor, "Agent")
        assert floor.ask(told) == order
        assert agents_shown(floor) == agents


def test_pages_are_turned_and_the_focus_stays_where_it_was(floor: Browser) -> None:
    press(floor, "Agent")
    press(floor, "Next")
    everybody = sorted(change.agent for change in CHANGES)
    assert agents_shown(floor) == everybody[100:200]
    assert floor.driver.switch_to.active_element.text == "Next"
    press(floor, "Last")
    press(floor, "Next")
    assert agents_shown(floor) == everybody[200:]
    here = floor.ask("return document.querySelector('#changes .here').textContent")
    assert here == f"201–{len(everybody)} of {len(everybody)}"
    assert floor.ask("return document.querySelector('#changes').getBoundingClientRect().top < innerHeight")


@pytest.mark.parametrize("name", ["plan", "outcome", "problems"])
def test_both_ways_of_drawing_a_row_give_the_same_markup(name: str, opened: Opened) -> None:
    report = PAGES[name]()
    drawn = opened(report).ask("return [...document.querySelectorAll('tbody')].map((each) => each.innerHTML)")
    written = [each.partition("</tbody>")[0] for each in html(report).split("<tbody>")[1:]]
    assert list(map(unescape, written)) == list(map(unescape, drawn))


def test_without_a_script_the_first_rows_stand_there_and_no_filter_pretends_to_work(opened: Opened) -> None:
    browser = opened(PAGES["outcome"]())
    with browser.without_scripts():
        browser.driver.refresh()
        texts = browser.texts()
    assert f"{len(CHANGES)} outcomes, the first 100 shown" in texts
    assert len([each for each in texts if each == "success"]) > 50
    assert "Clear" not in texts
