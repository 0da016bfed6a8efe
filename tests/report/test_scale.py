"""A hundred thousand agents cost a hundred times a thousand: counted in calls of functions, not in seconds."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from report.examples import PLAIN, PLANS, fates
from support.fleets import concurrency, desired, desired_agent, record, state

from reconciler.model.plan import Plan
from reconciler.planning import make_plan
from reconciler.report import (
    ALL_FORMATS,
    Envelope,
    Format,
    OutcomeReport,
    PlanReport,
    Repository,
    document_text,
    outcome_text,
    plan_text,
    read_saved_plan,
    render,
    render_pieces,
    saved_plan,
)
from reconciler.report.text.difference import difference_text


def _plan(agents: int) -> Plan:
    before = {number: concurrency(25, web_chat=number % 9, sms=6) for number in range(1001, 1001 + agents)}
    after = {number: concurrency(25, web_chat=number % 9 + 1, whatsapp=4) for number in before}
    return make_plan(desired(after), state(before))


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def counting(_frame: object, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    previous = sys.getprofile()
    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(previous)
    return count


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda plan: plan_text(plan, unchanged=0, style=PLAIN), id="plan-text"),
        pytest.param(lambda plan: document_text(saved_plan(plan, tool_version="1")), id="document-text"),
        pytest.param(lambda plan: outcome_text("demo", fates(plan), style=PLAIN), id="outcome-text"),
        pytest.param(
            lambda plan: difference_text(settings=(), gone=plan.changes, come=plan.changes, altered=()),
            id="difference-text",
        ),
        pytest.param(
            lambda plan: read_saved_plan(document_text(saved_plan(plan, tool_version="1")).encode(), name="p"),
            id="reading",
        ),
    ],
)
def test_twice_the_agents_are_at_most_twice_the_work(work: Callable[[Plan], object]) -> None:
    small, large = _plan(600), _plan(1200)
    work(small)  # caches of the libraries fill once
    assert _calls(lambda: work(large)) <= 2.05 * _calls(lambda: work(small))


def _teams(agents: int) -> Plan:
    """Return a plan in which each agent has, and had, a team of their own, and another number of sessions."""
    values = {number: concurrency(25, web_chat=number % 9, sms=6) for number in range(1001, 1001 + agents)}
    before = {number: record(value, team=f"old-{number}") for number, value in values.items()}
    after = {number: desired_agent(concurrency(25, sms=number % 7 + 1), team=f"new-{number}") for number in values}
    return make_plan(desired(after), state(before))


@pytest.mark.parametrize("format_", ALL_FORMATS)
def test_twice_the_teams_are_at_most_twice_the_work(format_: Format) -> None:
    def work(plan: Plan) -> Callable[[], object]:
        report = PlanReport(envelope=Envelope(command="plan", environment="demo"), plan=plan, unchanged=0)
        return lambda: render(report, format_, repository=Repository(top="/", here="/"))

    small, large = work(_teams(600)), work(_teams(1200))
    small()  # caches of the libraries fill once
    assert _calls(large) <= 2.05 * _calls(small)


@pytest.mark.parametrize("format_", [Format.JSON, Format.JUNIT])
def test_a_report_with_a_line_for_every_agent_is_never_in_memory_as_a_whole(format_: Format) -> None:
    outcomes = fates(_plan(5000))
    report = OutcomeReport(envelope=Envelope(command="apply", site="demo"), outcomes=outcomes)

    def length() -> int:
        return sum(map(len, render_pieces(report, format_, repository=Repository(top="/", here="/"))))

    length()  # caches fill once
    tracemalloc.start()
    written = length()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < written / 5


def test_ten_thousand_agents_of_a_few_profiles_fit_on_a_screen_or_two() -> None:
    plan = PLANS["ten-thousand-agents-refused"]()
    assert len(plan.changes) > 4000
    assert len(plan_text(plan, unchanged=len(plan.unchanged), style=PLAIN).splitlines()) < 75
