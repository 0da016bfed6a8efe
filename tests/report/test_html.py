"""The page as text: what others wrote is text in it, the same report gives the same bytes, and it stays small.

What a browser makes of it is in tests/browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from report.examples import PLANS, outcome
from report.markdown_examples import hostile, outcome_report, plan_report, problem_report, with_texts
from support.fleets import agent_id, concurrency

from reconciler.model.desired import Source
from reconciler.model.outcome import Result
from reconciler.model.plan import Edit, EditKind, Reason, Set
from reconciler.model.printable import printable
from reconciler.report.html import html
from reconciler.report.html.assets import script, stylesheet
from reconciler.report.html.markup import data_block
from reconciler.report.html.table import PAGE
from reconciler.report.reported import Envelope, ProblemReport, Reported
from reconciler.values import replace

MOST_BYTES_A_CHANGE = 150
"""15 MB for a hundred thousand."""


class _Outline(HTMLParser):
    """The elements of a page with their attributes' names, in order: all that is not text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))

    def unknown_decl(self, data: str) -> None:
        self.found.append(("declaration", data))


def outline(page: str) -> list[tuple[str, ...]]:
    parser = _Outline()
    parser.feed(page)
    parser.close()
    return parser.found


@settings(max_examples=25, deadline=None)
@given(text=hostile)
def test_whatever_others_write_the_page_has_the_same_elements(text: str) -> None:
    report = plan_report("refused")
    assert outline(html(with_texts(report, "plain"))) == outline(html(with_texts(report, text or "plain")))


@settings(max_examples=50, deadline=None)
@given(text=hostile)
def test_a_data_block_is_read_back_and_cannot_be_ended_from_within(text: str) -> None:
    block = data_block({"text": text}).source
    inside = block.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert "<" not in inside
    assert {"text": text} == json.loads(inside)


@pytest.mark.parametrize("text", ["\u202egpj.exe", "\x1b[31m", "\ud800", "a\u200bb", "\x00"])
def test_what_cannot_be_seen_is_written_out(text: str) -> None:
    page = html(with_texts(plan_report("refused"), text))
    assert text not in page
    assert printable(text) in page
    page.encode()


_LINES = "address|body|details|div|dl|form|h[123]|header|li|main|meta|nav|p|section|svg|table|tbody|title|tr|ul"


def readable(page: str) -> str:
    """Return a page for a person who compares it with yesterday's: in lines, and without our stylesheet and script."""
    for asset in (stylesheet(), script()):
        page = page.replace(asset.text, "…")
    page = re.sub(r"sha256-[^&]*", "sha256-…", page)
    return re.sub(rf"(?<=.)(?=<(?:{_LINES})[ >])", "\n", page)


@pytest.mark.parametrize(
    ("name", "report"),
    [
        pytest.param("page-plan.html", lambda: plan_report("floor"), id="plan"),
        pytest.param("page-outcome.html", lambda: outcome_report("every-reason"), id="outcome"),
        pytest.param("page-problems.html", problem_report, id="problems"),
    ],
)
def test_a_page_is_as_it_was(name: str, report: Callable[[], Reported], golden: Callable[[str, str], None]) -> None:
    golden(name, readable(html(report())))


@pytest.mark.parametrize(
    ("results", "reason", "verdict"),
    [
        ([], "done", "plain: There was nothing to do"),
        ([Result.APPLIED, Result.FORGOTTEN], "done", "good: Done: 2 agents"),
        ([Result.APPLIED, Result.DEFERRED], "some-agents-deferred", "warning: 1 deferred, of 2 agents"),
        (
            [Result.FAILED, Result.IN_DOUBT, Result.SKIPPED],
            "some-agents-failed",
            "bad: 1 in doubt, 1 failed, of 3 agents",
        ),
        ([Result.APPLIED, Result.SKIPPED], "interrupted", "warning: Interrupted: 1 skipped, of 2 agents"),
        ([Result.APPLIED], "state-failed", "bad: State failed, though all is well with 1 agent"),
    ],
)
def test_the_verdict_of_a_run_is_what_needs_a_look(results: list[Result], reason: str, verdict: str) -> None:
    outcomes = tuple(outcome(1001 + place, result) for place, result in enumerate(results))
    report = outcome_report("one-agent")
    page = html(replace(report, outcomes=outcomes, envelope=replace(report.envelope, exit_reason=reason)))
    (found,) = re.findall(r'<p class="verdict (\w+)">([^<]*)</p>', page)
    assert ": ".join(found) == verdict


def test_an_apply_that_was_refused_shows_each_guardrail_and_what_else_it_says() -> None:
    plan = PLANS["refused"]()
    envelope = Envelope(command="apply", site="demo", exit_code=5, exit_reason="refused-by-guardrail")
    page = html(ProblemReport(envelope=envelope, findings=plan.findings, notes=("- agent 1001", "+ agent 1002")))
    assert '<p class="verdict bad">Refused by guardrail</p>' in page
    assert page.count('<li class="refused">') == len(plan.refusals) == 2
    assert "<span>- agent 1001 </span><span>+ agent 1002 </span>" in page


def test_a_rollback_says_for_whom_the_yaml_still_asks_something_else() -> None:
    report = replace(outcome_report("one-agent"), still_desired=(agent_id(1001), agent_id(1002)))
    assert "the next apply would send it again: 1001-1002" in html(report)


def test_groups_that_nobody_would_read_are_counted() -> None:
    answers = [outcome(1001 + place, Result.FAILED, message=f"answer {place}") for place in range(130)]
    page = html(replace(outcome_report("one-agent"), outcomes=tuple(answers)))
    assert "And 30 more answers for 30 agents, in the table below." in page


def test_who_only_changes_the_team_is_told_under_a_plan_that_sends_nothing() -> None:
    page = html(plan_report("only-moves"))
    assert "nothing to send" in page
    assert 'id="standing"' in page
    assert 'id="changes"' not in page


REPORTS: Mapping[str, Callable[[], Reported]] = {
    **{name: partial(plan_report, name) for name in PLANS},
    "outcome": lambda: outcome_report("sixty-agents"),
    "problems": problem_report,
}


@pytest.mark.parametrize("name", REPORTS)
def test_elements_are_closed_in_order_and_every_anchor_has_a_place(name: str) -> None:
    page = html(REPORTS[name]())
    opened: list[str] = []
    for element, *_ in outline(page):
        if element.startswith("/"):
            assert opened.pop() == element[1:]
        elif element not in {"meta", "link", "input"}:
            opened.append(element)
    assert opened == []
    names = re.findall(r' id="([^"]*)"', page)
    assert sorted(set(names)) == sorted(names)
    assert set(re.findall(r' (?:href="#|for="|aria-labelledby=")([^"]+)"', page)) <= set(names)


def test_a_page_loads_nothing_and_names_no_address_of_ours() -> None:
    page = html(plan_report("sixty-agents"))
    assert re.findall(r"\b(?:src|action|srcset)=", page) == []
    assert set(re.findall(r'href="([^#"][^"]*)"', page)) == {"data:,"}
    assert re.findall(r"@import|url\(|https?://", stylesheet().text + script().text) == []


def test_the_policy_knows_the_stylesheet_and_the_script_and_nothing_else() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html(plan_report("one-agent")))
    assert "default-src &#x27;none&#x27;" in policy
    assert "unsafe" not in policy
    assert len(re.findall(r"sha256-", policy)) == 2


def test_a_value_that_a_thousand_rows_share_is_written_once() -> None:
    source = Source("a-long-name-of-a-file-that-many-agents-share.yaml", 7)
    page = html(_report(_edits(2000, lambda _: source)))
    assert page.count(source.path) == PAGE + 100 + 1  # the first page, the groups, and once as data


def test_a_hundred_thousand_changes_fit_where_no_two_agents_have_anything_in_common() -> None:
    small, large = (len(html(_report(_edits(agents, _own_line))).encode()) for agents in (1_000, 9_000))
    assert (large - small) / 8_000 < MOST_BYTES_A_CHANGE


def _own_line(agent: int) -> Source:
    return Source(f"agents/a-file-of-a-team-{agent // 50:05}.yaml", agent)


def _edits(agents: int, source_of: Callable[[int], Source]) -> Iterator[Set]:
    """Yield changes of three numbers each, all of them different from agent to agent."""
    for agent in range(100_000, 100_000 + agents):
        before = concurrency(agent % 59 + 1, web_chat=agent % 61, sms=agent % 53, email=agent % 47)
        after = concurrency(agent % 59 + 2, web_chat=(agent + 7) % 61, sms=(agent + 5) % 53, email=(agent + 3) % 47)
        names = ("total", "channels.web_chat", "channels.sms", "channels.email")
        old = (before.total, agent % 61, agent % 53, agent % 47)
        new = (after.total, (agent + 7) % 61, (agent + 5) % 53, (agent + 3) % 47)
        yield Set(
            agent=agent_id(agent),
            team=f"team {agent % 400}",
            reason=Reason.CHANGED,
            before=before,
            after=after,
            edits=tuple(
                Edit(name, EditKind.CHANGED, was, is_, source_of(agent * 3 + place))
                for place, (name, was, is_) in enumerate(zip(names, old, new, strict=True))
            ),
            source=source_of(agent),
        )


def _report(changes: Iterator[Set]) -> Reported:
    report = plan_report("one-agent")
    return replace(report, plan=replace(report.plan, changes=tuple(changes)))
