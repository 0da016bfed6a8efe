"""Whatever others write, a host makes nothing of it: GitHub's own parser says so, and a second one agrees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.gfm import code_spans, html_of, read, require_well_formed, second_html_of
from report.markdown_examples import HARM, MARK, capacity_row, hostile, hostile_reports, plan_report, with_texts

from reconciler.model.printable import printable
from reconciler.report.markdown import MIN_CHARS, markdown
from reconciler.report.markdown.text import code, code_block, row, size, table_head
from reconciler.report.reported import Reported

PARSERS = pytest.mark.parametrize(
    "html_from", [pytest.param(html_of, id="github"), pytest.param(second_html_of, id="markdown-it")]
)
Parser = Callable[[str], str]


@settings(max_examples=100, deadline=None)
@given(report=hostile_reports, room=st.integers(MIN_CHARS, 12_000) | st.just(1_000_000))
def test_a_report_is_well_formed_and_fits_and_what_others_wrote_stands_in_code(report: Reported, room: int) -> None:
    text = markdown(report, max_chars=room)
    assert size(text) <= room
    assert MARK not in require_well_formed(text).bare


@PARSERS
@pytest.mark.parametrize("text", HARM)
def test_each_kind_of_harm_is_read_as_the_code_it_stands_in(html_from: Parser, text: str) -> None:
    _require_code(text, html_from)


@PARSERS
@settings(max_examples=100, deadline=None)
@given(text=hostile)
def test_a_code_span_is_read_as_the_text_that_went_in(html_from: Parser, text: str) -> None:
    _require_code(text, html_from)


def _require_code(text: str, html_from: Parser) -> None:
    expected = [printable(text)] if text else []
    span = code(text, limit=300)
    assert expected == code_spans(html_from(f"before {span}, and after"))
    assert expected * 2 == code_spans(html_from(table_head(("a", "b:")) + row((f"**new** {span}", span))))


@PARSERS
@settings(max_examples=50, deadline=None)
@given(lines=st.lists(hostile, min_size=1, max_size=4))
def test_a_code_block_is_read_as_the_lines_that_went_in(html_from: Parser, lines: list[str]) -> None:
    head, shown, foot = code_block(lines, language="diff")
    block = "\n".join([head, *shown, foot])
    assert ["\n".join(shown) + "\n"] == code_spans(html_from(f"before\n\n{block}\n\nafter `\n"))
    assert not any(line.lstrip().startswith("/") for line in shown)


@pytest.mark.parametrize("harm", HARM)
def test_a_team_a_file_and_a_guardrail_may_be_called_anything(harm: str) -> None:
    text = markdown(with_texts(plan_report("refused"), harm), max_chars=60_000)
    expected = printable(harm, limit=60)
    read_as = {each.text for each in require_well_formed(text).all("code")}
    assert expected in read_as
    assert f"{printable(f'{harm}:7', limit=120)}" in read_as


@pytest.mark.parametrize("text", ["😀" * 400, "漢" * 400, "`a" * 200, "|" * 400, "\u200b" * 400])
def test_the_longest_texts_fit_into_the_least_room(text: str) -> None:
    report = with_texts(plan_report("ten-thousand-agents-refused"), text)
    page = markdown(report, max_chars=MIN_CHARS)
    assert size(page) <= MIN_CHARS
    require_well_formed(page)


def test_a_team_that_is_called_like_our_own_words_is_told_apart_from_them() -> None:
    report = plan_report("one-agent", capacity=[capacity_row("no team", None, 9, 8), capacity_row(None, None, 9, 8)])
    cells = [each.children[0] for each in read(markdown(report, max_chars=60_000)).all("tr")][1:3]
    assert [(cell.text, bool(cell.all("code"))) for cell in cells] == [("no team", False), ("no team", True)]
