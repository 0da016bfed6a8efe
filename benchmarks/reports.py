"""The reports of a plan of 100,000 changes, and of the outcomes of as many calls: how long each takes and is.

A third of the agents are new, a third get other numbers, and a third of those numbers close a channel. Rendering alone
is measured, and reading the plan's document back, in one process: what is before it has its own rows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from environments import scratch
from fleet import write_fleet
from measuring import ROUNDS, Figure

from reconciler.collector import paused_collector
from reconciler.desired import load
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import MAX_TOTAL, Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.estimate import Estimate
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Plan
from reconciler.model.state import AgentRecord, State
from reconciler.planning import make_plan, require_unaltered
from reconciler.report import (
    Envelope,
    Format,
    OutcomeReport,
    PlanReport,
    Reported,
    Repository,
    read_saved_plan,
    render,
)
from reconciler.values import replace

AGENTS = 100_000
SECONDS = {Format.TEXT: 1.0, Format.MARKDOWN: 1.0, Format.JSON: 1.0, Format.HTML: 3.0}
MOST_READING = 2.0
"""Seconds."""
LARGEST_PAGE = 15.0
"""MB of the page of a plan."""
_MB = 1e6
_RESULTS = (Result.APPLIED,) * 17 + (Result.DEFERRED, Result.FAILED, Result.IN_DOUBT)


def measure() -> Iterator[Figure]:
    """Render both in every format, in turn."""
    with scratch() as work:
        write_fleet(work, AGENTS)
        desired = load(work).desired
    if desired is None:
        raise ValueError("the fleet is not valid")
    plan = planned(desired)
    envelope = Envelope(command="plan", environment="fleet", site=plan.site, tool_version="bench")
    estimate = Estimate.of(AGENTS, desired.site.gateway)
    report = PlanReport(envelope=envelope, plan=plan, unchanged=0, estimate=estimate)
    yield from _figures("plan", report)
    yield _read_back(report)
    outcomes = OutcomeReport(envelope=replace(envelope, command="apply"), outcomes=carried_out(plan))
    yield from _figures("outcome", outcomes)


def planned(desired: Desired) -> Plan:
    """Return the plan to `desired` from a state in which a third is missing and the others differ."""
    records = {agent: _recorded(agent, wanted) for agent, wanted in desired.agents.items() if agent % 3}
    lineage = "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11"
    state = State(lineage=lineage, serial=1, site=desired.site.name, agents=records)
    return make_plan(desired, state)


def carried_out(plan: Plan) -> tuple[Outcome, ...]:
    """Return outcomes of a run of which one call in seven did not do what it should."""
    return tuple(
        Outcome(
            agent=change.agent,
            action=change.action,
            result=(result := _RESULTS[number % len(_RESULTS)]),
            retcode="0" if result is Result.APPLIED else None,
            message="success" if result is Result.APPLIED else "no answer within 10 s",
            attempts=1,
        )
        for number, change in enumerate(plan.changes)
    )


def _recorded(agent: AgentId, wanted: DesiredAgent) -> AgentRecord:
    total = wanted.concurrency.total % MAX_TOTAL + 1
    channels = dict(wanted.concurrency.channels) | ({Channel.LINE: 2} if agent % 9 == 1 else {})
    return AgentRecord.of(
        concurrency=Concurrency.of(total, channels),
        callnums_key=CallnumsKey.CAMEL,
        acknowledged_at="2026-01-31T07:30:00Z",
        session="login-1700000000",
        team=wanted.team,
    )


def _figures(name: str, report: Reported) -> Iterator[Figure]:
    raw: dict[Format, list[float]] = {format_: [] for format_ in SECONDS}
    sizes: dict[Format, float] = {}
    for _ in range(ROUNDS):
        for format_, seconds in raw.items():
            begin = time.perf_counter()
            with paused_collector():  # as a command has it
                text = render(report, format_, repository=Repository(top="/repo", here="/repo"))
            seconds.append(round(time.perf_counter() - begin, 3))
            sizes[format_] = len(text.encode()) / _MB
    for format_, seconds in raw.items():
        median, goal = statistics.median(seconds), SECONDS[format_]
        what = f"{name} of 100,000 as {format_}, {sizes[format_]:.1f} MB"
        yield _no_more(f"{name}-{format_}", what, goal=goal, reached=median, unit="s", raw=seconds)
    size = sizes[Format.HTML]
    what = f"{name} of 100,000 as a page: its size"
    yield _no_more(f"{name}-html-size", what, goal=LARGEST_PAGE, reached=size, unit="MB", raw=[round(size, 2)])


def _read_back(report: Reported) -> Figure:
    """Read the document of the plan, as `show` and `apply --plan` do, and hold it to its fingerprint."""
    document = render(report, Format.JSON, repository=Repository(top="/repo", here="/repo")).encode()
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        with paused_collector():
            require_unaltered(read_saved_plan(document, name="plan.json").plan, name="plan.json")
        seconds.append(round(time.perf_counter() - begin, 3))
    what = f"plan of 100,000 read back from its document, {len(document) / _MB:.1f} MB"
    return _no_more("plan-read", what, goal=MOST_READING, reached=statistics.median(seconds), unit="s", raw=seconds)


def _no_more(row: str, what: str, *, goal: float, reached: float, unit: str, raw: list[float]) -> Figure:
    told = {f"runs, {unit}": raw}
    return Figure(
        row=row, what=what, goal=f"≤ {goal:g} {unit}", reached=f"{reached:.2f} {unit}", met=reached <= goal, raw=told
    )
