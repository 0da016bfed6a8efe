"""Whatever others write into names, paths and messages, the text shows it and does not obey it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from report.examples import COLORED, PLAIN, hostile, outcome, written_by_others
from support.fleets import POOL, concurrency, record, waiting

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Result
from reconciler.model.plan import Base, Plan
from reconciler.model.state import RecordStatus, State
from reconciler.report import (
    Style,
    diagnostics_text,
    difference_text,
    outcome_text,
    pending_text,
    plan_text,
    state_list_text,
    state_show_text,
    waiting_agents,
)
from reconciler.report.style import Role
from reconciler.values import replace

_SGR = re.compile(r"\x1b\[[0-9]+m")


def _require_harmless(text: str) -> None:
    assert text.endswith("\n") or not text
    for line in text.split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


@given(plan=written_by_others(hostile))
def test_a_plan_obeys_nobody(plan: Plan) -> None:
    text = plan_text(plan, unchanged=3, style=PLAIN)
    _require_harmless(text)
    assert len([line for line in text.splitlines() if line.startswith("Plan:")]) == 1
    assert text == _SGR.sub("", plan_text(plan, unchanged=3, style=COLORED))


@settings(max_examples=20)
@given(fingerprint=hostile, lineage=hostile, plan=written_by_others(hostile))
def test_a_plan_put_together_by_hand_obeys_nobody(fingerprint: str, lineage: str, plan: Plan) -> None:
    _require_harmless(
        plan_text(
            replace(plan, fingerprint=fingerprint, base=Base(lineage=lineage, serial=1)), unchanged=0, style=PLAIN
        )
    )


@settings(max_examples=20)
@given(plan=written_by_others(hostile), words=st.tuples(hostile, hostile, hostile))
def test_a_difference_obeys_nobody(plan: Plan, words: tuple[str, str, str]) -> None:
    _require_harmless(difference_text(settings=[words], gone=plan.changes, come=plan.changes, altered=()))


@given(
    site=hostile,
    outcomes=st.lists(st.tuples(st.sampled_from(Result), st.none() | hostile, hostile), max_size=len(POOL)),
)
def test_an_outcome_obeys_nobody(site: str, outcomes: list[tuple[Result, str | None, str]]) -> None:
    told = [
        outcome(agent, result, retcode=retcode, message=message)
        for agent, (result, retcode, message) in zip(POOL, outcomes, strict=False)
    ]
    text = outcome_text(site, told, style=PLAIN)
    _require_harmless(text)
    assert len([line for line in text.splitlines() if line.startswith("Apply:")]) == 1


@given(
    diagnostics=st.lists(
        st.builds(
            Diagnostic,
            path=hostile,
            line=st.integers(0, 9),
            column=st.integers(0, 9),
            severity=st.sampled_from(Severity),
            code=hostile,
            summary=hostile,
            detail=hostile,
            pointer=hostile,
        ),
        max_size=3,
    )
)
def test_diagnostics_obey_nobody(diagnostics: list[Diagnostic]) -> None:
    text = diagnostics_text(diagnostics, style=PLAIN)
    _require_harmless(text)
    assert text == _SGR.sub("", diagnostics_text(diagnostics, style=COLORED))


@given(site=hostile, team=hostile, session=hostile, when=hostile, status=st.sampled_from(RecordStatus))
def test_recorded_agents_obey_nobody(site: str, team: str, session: str, when: str, status: RecordStatus) -> None:
    one = record(concurrency(), team=team, session=session, acknowledged_at=when, status=status)
    state = State(lineage="l", serial=1, site=site, agents={POOL[0]: one})
    for text_of in (state_list_text, state_show_text):
        _require_harmless(text_of(state, state.agents, state.pending, style=PLAIN))


@given(site=hostile, team=hostile, retcode=hostile, when=hostile)
def test_those_who_wait_obey_nobody(site: str, team: str, retcode: str, when: str) -> None:
    wait = waiting(since=when, retcode=retcode)
    state = State(lineage="l", serial=1, site=site, pending={POOL[0]: wait, POOL[1]: wait})
    listed = waiting_agents(state.pending, {POOL[0]: team})
    _require_harmless(pending_text(state, listed, meaning=lambda _: team, style=PLAIN))
    _require_harmless(state_show_text(state, {}, state.pending, style=PLAIN))


def test_without_color_a_style_changes_nothing_and_with_it_nothing_is_painted_for_nothing() -> None:
    assert (Style(color=False)(Role.BAD, "x"), Style(color=True)(Role.BAD, "")) == ("x", "")
