"""A report on the page of a pull request: what stands there, in which order, and at which size."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable

import pytest
from browser import showcase
from hypothesis import given, settings
from hypothesis import strategies as st
from report.examples import PLANS
from report.gfm import read, require_well_formed
from report.markdown_examples import capacity_row, outcome_report, plan_report, problem_report
from support.fleets import concurrency, desired, desired_agent, record, state

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.diagnostic import Diagnostic
from reconciler.planning import make_plan
from reconciler.report.markdown import MIN_CHARS, markdown
from reconciler.report.markdown.text import size
from reconciler.report.reported import Envelope, PlanReport, ProblemReport, Reported
from reconciler.values import replace

GITHUB, GITLAB = 60_000, 1_000_000


def _titles(text: str) -> list[str]:
    return [line.lstrip("# ") for line in text.split("\n") if line.startswith("#")]


def _table(text: str, title: str) -> list[list[str]]:
    """The cells of the table under `title`, without its head."""
    lines = text.partition(f"### {title}\n")[2].partition("\n#")[0].split("\n")
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]


@functools.cache
def _plan_of(agents: int, groups: int) -> PlanReport:
    """A plan that changes so many agents, in so many groups."""
    before = {1000 + number: concurrency(60, web_chat=1) for number in range(groups)}
    after = {1000 + number: concurrency(60, web_chat=2 + number % 58, sms=number // 58) for number in range(groups)}
    plan = make_plan(desired(after), state(before))
    changes = tuple(replace(plan.changes[number % groups], agent=AgentId(1000 + number)) for number in range(agents))
    envelope = Envelope(command="plan", environment="demo", site="demo")
    return PlanReport(envelope=envelope, plan=replace(plan, changes=changes), unchanged=0)


@pytest.mark.parametrize(
    ("agents", "groups", "room"),
    [
        (1, 1, MIN_CHARS),
        (50, 50, GITHUB),
        (3000, 3000, MIN_CHARS),
        (3000, 3000, GITHUB),
        (100_000, 1, GITHUB),
        (100_000, 3000, GITLAB),
    ],
)
def test_a_plan_of_any_size_fits_and_is_well_formed(agents: int, groups: int, room: int) -> None:
    report = _plan_of(agents, groups)
    text = markdown(report, max_chars=room)
    assert size(text) <= room
    require_well_formed(text)
    assert f"**{agents:,} change" in text
    assert report.plan.fingerprint in text
    assert "Shortened to fit" in text or "Not shown" not in text


@settings(max_examples=15, deadline=None)
@given(name=st.sampled_from(sorted(PLANS)), room=st.integers(MIN_CHARS, 20_000))
def test_every_agent_is_counted_whether_shown_or_not(name: str, room: int) -> None:
    report = plan_report(name)
    text = markdown(report, max_chars=room)
    require_well_formed(text)
    if report.plan.changes:
        assert f"**{len(report.plan.changes):,} change" in text


def test_a_page_that_is_shortened_says_so_at_the_top_and_where_the_whole_is() -> None:
    text = markdown(_plan_of(3000, 3000), max_chars=10_000)
    assert "Shortened to fit" in text.split("### ")[0]
    assert "reconciler show FILE --format html" in text
    assert "Shortened" not in markdown(_plan_of(50, 50), max_chars=GITHUB)


def test_too_little_room_is_refused_with_the_least_there_must_be() -> None:
    with pytest.raises(ValueError, match=f"give at least {MIN_CHARS}"):
        markdown(plan_report("one-agent"), max_chars=MIN_CHARS - 1)


def test_a_reviewer_meets_the_verdict_then_the_capacity_then_what_refuses_then_the_changes() -> None:
    text = markdown(showcase.plan_report(), max_chars=GITHUB)
    expected = ["Plan for site `demo`", "Capacity", "Guardrails", "Changes"]
    expected += ["Teams and protection", "What apply would do", "How to apply it"]
    assert expected == _titles(text)
    assert text.index("Refused by 3 guardrails") < text.index("### Capacity")


def test_the_biggest_loss_of_capacity_is_the_first_row_and_a_floor_at_0_is_bold() -> None:
    rows = [
        capacity_row("east", Channel.SMS, 100, 110),
        capacity_row("night", Channel.SMS, 100, 60),
        capacity_row("social", Channel.WHATSAPP, 10, 0),
    ]
    table = _table(markdown(plan_report("one-agent", capacity=tuple(rows)), max_chars=GITHUB), "Capacity")
    assert [row[0] for row in table] == ["`night`", "`social`", "`east`"]
    assert table[1][3:5] == ["**0**", "**−10 (−100.0 %)**"]


def test_a_plan_that_changes_nobodys_capacity_says_so() -> None:
    text = markdown(plan_report("one-agent", capacity=(capacity_row("east", Channel.SMS, 9, 9),)), max_chars=GITHUB)
    assert "No team gains or loses a session." in text


def test_thousands_of_agents_with_the_same_edits_are_one_row_with_their_number_and_a_list_to_open() -> None:
    ((_, agents, _, values, _),) = _table(markdown(_plan_of(100_000, 1), max_chars=GITHUB), "Changes")
    assert agents == "100,000 agents: 1000-100999"
    assert values == "web_chat 1 → 2, sms 0 (added)"
    rows = _table(markdown(plan_report("ten-thousand-agents-refused"), max_chars=GITHUB), "Changes")
    assert any("<details><summary>" in row[1] for row in rows)


def test_what_takes_something_away_comes_first() -> None:
    kinds = [row[0] for row in _table(markdown(showcase.plan_report(), max_chars=GITHUB), "Changes")]
    assert kinds.index("**to zero**") < kinds.index("lower") < kinds.index("raise") < kinds.index("new")


def test_the_command_that_applies_exactly_this_can_be_typed() -> None:
    report = plan_report("refused")
    report = replace(report, envelope=replace(report.envelope, environment="sites/north east"))
    (command,) = [each for each in _code(markdown(report, max_chars=GITHUB)) if each.startswith("reconciler apply")]
    expected = ["reconciler", "apply", "sites/north east", "--plan", "FILE", "--allow-changes", "2"]
    assert expected == shlex.split(command)


def _code(text: str) -> list[str]:
    return [each.text for each in read(text).all("code")]


def test_a_partial_scope_says_so_before_anything_else() -> None:
    text = markdown(plan_report("partial-scope"), max_chars=GITHUB)
    assert "⚠️ **Partial scope**" in text.split("### ")[0]


def test_nothing_to_do_is_said_in_a_line() -> None:
    text = markdown(plan_report("nothing-to-do"), max_chars=GITHUB)
    assert "✅ **Nothing to do**: 60 agents looked at" in text
    assert "How to apply it" not in text


def test_the_trouble_of_a_run_comes_first_with_what_to_do_about_it() -> None:
    text = markdown(outcome_report("ten-thousand-agents-refused"), max_chars=GITHUB)
    first = text.split("\n")[2]
    assert first.index("in doubt") < first.index("failed") < first.index("deferred") < first.index("applied")
    assert "### What to do next" in text
    assert "reconciler rollback rollback-demo-7.json desired/demo" in _code(text)


def test_errors_of_files_stand_before_warnings_with_their_place() -> None:
    (table,) = read(markdown(problem_report(), max_chars=GITHUB)).all("table")
    rows = [[cell.text for cell in row.children] for row in table.all("tr")[1:]]
    assert rows[0][0] == "agents/east.yaml:7:12"
    assert [row[1].split(" ")[0] for row in rows] == ["error"] * 4 + ["warning"]


def test_a_thousand_problems_fit_and_the_rest_is_counted() -> None:
    many = tuple(Diagnostic(path="a.yaml", line=n, code="c", summary=f"problem {n}") for n in range(1, 5001))
    report = ProblemReport(envelope=Envelope(command="validate", exit_code=3, diagnostics=many))
    text = markdown(report, max_chars=GITHUB)
    shown = text.count("`problem ")
    assert size(text) <= GITHUB
    assert f"Not shown: {5000 - shown:,} errors." in text


SAMPLES: dict[str, Callable[[], Reported]] = {
    "plan": showcase.plan_report,
    "outcome": showcase.outcome_report,
    "problems": showcase.problem_report,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_in_the_documentation_are_what_is_written(name: str, sample: Callable[[str, str], None]) -> None:
    sample(f"{name}.md", markdown(SAMPLES[name](), max_chars=GITHUB))


def test_a_lost_protection_is_shown_before_other_moves_even_where_no_value_changes() -> None:
    recorded = {
        agent: record(concurrency(web_chat=3), team="east", protected=agent < 1003) for agent in range(1001, 1009)
    }
    wanted = {agent: desired_agent(concurrency(web_chat=3), team="night") for agent in recorded}
    plan = make_plan(desired(wanted), state(recorded))
    bared = tuple(replace(each, after=replace(each.after, protected=False)) for each in plan.standing)
    text = markdown(replace(plan_report("nobody"), plan=replace(plan, standing=bared)), max_chars=GITHUB)
    assert _table(text, "Teams and protection") == [
        ["2 agents: 1001-1002", "`east` → `night`", "**no longer protected**"],
        ["6 agents: 1003-1008", "`east` → `night`", "–"],
    ]
    assert "Nothing to do" not in text
