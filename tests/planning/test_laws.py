"""What holds for every plan, whatever the fleet."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import Situation, concurrencies, desired, scopes, situations, state

from reconciler.model.agent import AgentId
from reconciler.model.attendance import SessionsSeen
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import DesiredAgent
from reconciler.model.plan import Plan, PlanOptions, Reason, Reassert, Scope
from reconciler.model.state import AgentRecord
from reconciler.planning import agents_to_ask, make_plan
from reconciler.values import replace

V = TypeVar("V")


def plan_for(situation: Situation, *, scope: Scope | None = None) -> Plan:
    options = situation.options if scope is None else PlanOptions(scope=scope)
    return make_plan(situation.desired, situation.state, options, session_keys=situation.session_keys)


def planned_agents(plan: Plan) -> list[AgentId]:
    return [*(change.agent for change in plan.changes), *plan.unchanged]


def selected(scope: Scope, agent: AgentId, sides: list[DesiredAgent | AgentRecord]) -> bool:
    """The selection flags as their help text has them, written out with sets of ids."""
    inside = {number for span in scope.agents for number in span}
    outside = {number for span in scope.excluded for number in span}
    changed = {number for span in scope.changed.agents for number in span} if scope.changed else set()
    teams = {side.team for side in sides}
    channels = {channel for side in sides for channel in side.concurrency.as_mapping()}
    return all(
        (
            agent not in outside,
            scope.changed is None or bool(scope.changed.everybody) or agent in changed,
            not scope.agents or agent in inside,
            not scope.teams or not teams.isdisjoint(scope.teams),
            not scope.channels or not channels.isdisjoint(scope.channels),
        )
    )


def in_scope(situation: Situation, scope: Scope) -> list[AgentId]:
    wanted, recorded = situation.desired.agents, situation.state.agents
    sides = {
        agent: [side for side in (wanted.get(agent), recorded.get(agent)) if side is not None]
        for agent in {*wanted, *recorded}
    }
    return sorted(agent for agent in sides if selected(scope, agent, sides[agent]))


def shuffled(data: st.DataObject, mapping: Mapping[AgentId, V]) -> dict[AgentId, V]:
    return dict(data.draw(st.permutations(list(mapping.items()))))


@given(situation=situations)
def test_each_agent_that_is_desired_or_recorded_is_in_the_plan_exactly_once(situation: Situation) -> None:
    expected = sorted({*situation.desired.agents, *situation.state.agents})
    assert expected == sorted(planned_agents(plan_for(situation, scope=Scope())))


@given(situation=situations, scope=scopes)
def test_a_partial_scope_holds_exactly_the_agents_it_selects(situation: Situation, scope: Scope) -> None:
    assert in_scope(situation, scope) == sorted(planned_agents(plan_for(situation, scope=scope)))


@given(situation=situations, scope=scopes)
def test_a_partial_scope_plans_for_its_agents_what_the_whole_plan_does(situation: Situation, scope: Scope) -> None:
    agents = in_scope(situation, scope)
    whole = plan_for(situation, scope=Scope())
    expected = tuple(change for change in whole.changes if change.agent in agents)
    assert expected == plan_for(situation, scope=scope).changes


@given(situation=situations, data=st.data())
def test_the_order_in_which_agents_come_does_not_matter(situation: Situation, data: st.DataObject) -> None:
    other = Situation(
        desired=replace(situation.desired, agents=shuffled(data, situation.desired.agents)),
        state=situation.state.with_agents(shuffled(data, situation.state.agents)),
        options=situation.options,
        session_keys=shuffled(data, situation.session_keys),
    )
    assert repr(plan_for(situation)) == repr(plan_for(other))


@given(situation=situations)
def test_whoever_waits_is_planned_as_if_nobody_did(situation: Situation) -> None:
    nobody = dataclasses.replace(situation, state=replace(situation.state, pending={}))
    assert plan_for(nobody) == replace(plan_for(situation), waits=None)


@given(situation=situations)
def test_exactly_the_calls_that_were_deferred_before_wait(situation: Situation) -> None:
    plan = plan_for(situation)
    expected = tuple(call.agent for call in plan.calls if call.agent in situation.state.pending)
    assert expected == (plan.waits.agents if plan.waits else ())


@given(situation=situations, scope=scopes)
def test_the_sessions_seen_are_those_of_the_agents_asked_for(situation: Situation, scope: Scope) -> None:
    options = PlanOptions(scope=scope, sessions=True)
    asked = agents_to_ask(situation.desired, situation.state, scope)
    plan = make_plan(situation.desired, situation.state, options, session_keys=situation.session_keys)
    there = [agent for agent in asked if agent in situation.session_keys]
    called = [call.agent for call in plan.calls]
    assert sorted([*called, *plan.unchanged]) == list(asked)
    assert plan.sessions == SessionsSeen(
        asked=len(asked),
        known=len(there),
        keyless=[situation.session_keys[agent] for agent in there].count(None),
        absent=tuple(agent for agent in called if agent not in there),
    )


@given(situation=situations)
def test_sessions_add_repetitions_and_change_nothing_else(situation: Situation) -> None:
    options = replace(situation.options, sessions=False)
    without = make_plan(situation.desired, situation.state, options)
    plan = plan_for(situation)
    anew = [change for change in plan.changes if change.reason is Reason.NEW_SESSION]
    others = {change for change in plan.changes if change.reason is not Reason.NEW_SESSION}
    assert others <= set(without.changes)
    assert {change.agent for change in without.changes} <= {change.agent for change in plan.changes}
    assert all(isinstance(change, Reassert) for change in anew)


def test_a_plan_is_the_same_bytes_under_any_hash_seed() -> None:
    script = (
        "from support.fleets import one_of_each; from reconciler.planning import make_plan; s = one_of_each();"
        "print(repr(make_plan(s.desired, s.state, s.options, session_keys=s.session_keys)))"
    )
    path = os.pathsep.join(sys.path)
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(texts) == 1
    assert "fingerprint='sha256:" in texts.pop()


@given(before=concurrencies, after=concurrencies)
def test_an_agent_changes_if_and_only_if_a_number_differs(before: Concurrency, after: Concurrency) -> None:
    plan = make_plan(desired({1001: after}), state({1001: before}))
    still_open = {channel: n for channel, n in before.channels if n > 0 or channel in after.as_mapping()}
    same = (before.total, still_open) == (after.total, after.as_mapping())
    assert ([] if same else [Reason.CHANGED]) == [change.reason for change in plan.changes]


@pytest.mark.parametrize("one", [True, 1.0], ids=["true", "one-point-zero"])
def test_a_value_that_only_equals_a_number_cannot_reach_a_plan(one: int) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        desired({1001: Concurrency.of(one, {Channel.SMS: 1})})


@given(situation=situations)
def test_a_reassertion_sends_exactly_the_recorded_values(situation: Situation) -> None:
    again = [change for change in plan_for(situation).changes if isinstance(change, Reassert)]
    recorded = [situation.state.agents[change.agent].concurrency for change in again]
    assert recorded == [change.after for change in again]
    assert recorded == [change.before for change in again]


@given(situation=situations)
def test_a_plan_says_what_it_was_made_from(situation: Situation) -> None:
    plan, gateway = plan_for(situation), situation.desired.site.gateway
    expected = (gateway.url, gateway.callnums_key, situation.state.serial, situation.state.lineage, situation.options)
    assert expected == (plan.url, plan.callnums_key, plan.base.serial, plan.base.lineage, plan.options)
