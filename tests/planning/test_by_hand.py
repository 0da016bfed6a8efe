"""Records dropped or put there by hand: who is meant, and what the next plan makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from support.fleets import (
    EARLIER,
    NOW,
    Situation,
    agent_id,
    concurrency,
    desired,
    desired_agent,
    record,
    scope,
    site,
    situations,
    state,
    waiting,
)

from reconciler.model.agent import AgentId
from reconciler.model.by_hand import Adoption
from reconciler.model.channel import Channel
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, PlanOptions, Reason, Scope
from reconciler.model.site import GuardrailSettings
from reconciler.model.state import RecordStatus
from reconciler.planning import adoption, in_scope, make_plan, removal

OTHER = concurrency(8, email=8)
EVERYBODY = scope()


def adopted(situation: Situation, *, at: str = NOW, replacing: bool = False, chosen: Scope = EVERYBODY) -> Adoption:
    return adoption(situation.desired, situation.state, chosen, at=at, replace=replacing)


# Removal


def test_a_dropped_agent_who_is_desired_is_planned_as_new() -> None:
    wanted, recorded = desired({1001: concurrency(), 1002: concurrency()}), state({1001: OTHER, 1002: concurrency()})
    dropped = removal(wanted, recorded, scope(agents="1001"))
    plan = make_plan(wanted, dropped.result, PlanOptions())
    assert [(change.agent, change.reason) for change in plan.changes] == [(1001, Reason.NEW)]
    assert dropped.desired == {1001}


def test_a_dropped_agent_who_is_not_desired_is_in_no_plan() -> None:
    wanted, recorded = desired({1002: concurrency()}), state({1001: OTHER, 1002: concurrency()})
    dropped = removal(wanted, recorded, scope(agents="1001"))
    plan = make_plan(wanted, dropped.result, PlanOptions())
    assert (plan.changes, plan.unchanged) == ((), (1002,))
    assert dropped.desired == frozenset()


def test_a_dropped_record_takes_its_wait_along_and_a_wait_without_a_record_can_be_dropped() -> None:
    wanted = desired({1001: OTHER, 1002: OTHER, 1003: OTHER})
    recorded = state({1001: concurrency()}, pending={1001: waiting(), 1002: waiting(), 1003: waiting()})
    dropped = removal(wanted, recorded, scope(agents="1001-1002"))
    assert sorted(dropped.waiting) == [1001, 1002]
    assert (dropped.result.agents, sorted(dropped.result.pending)) == ({}, [1003])


def test_the_doubt_that_is_dropped_is_named() -> None:
    recorded = state({1001: record(status=RecordStatus.IN_DOUBT), 1002: record()})
    assert removal(desired(), recorded, scope(agents="1001-1002")).in_doubt == (1001,)


@pytest.mark.parametrize(
    ("wanted", "recorded", "guardrails"),
    [
        pytest.param(None, record(protected=True), GuardrailSettings(), id="as-recorded"),
        pytest.param(desired_agent(protected=True), record(), GuardrailSettings(), id="as-desired"),
        pytest.param(None, record(team="vip"), GuardrailSettings(protected_teams=("vip",)), id="by-its-team"),
        pytest.param(
            None,
            record(),
            GuardrailSettings(protected_agents=scope(agents="1001").agents),
            id="by-the-site",
        ),
    ],
)
def test_whoever_is_protected_is_told(wanted: object, recorded: object, guardrails: GuardrailSettings) -> None:
    environment = desired({1001: wanted} if wanted else {}, at=site(guardrails=guardrails))  # type: ignore[dict-item]
    there = state({1001: recorded, 1002: record()})  # type: ignore[dict-item]
    assert removal(environment, there, scope(agents="1001-1002")).protected == (1001,)


def test_a_team_means_who_is_recorded_in_it() -> None:
    wanted = desired({1001: desired_agent(team="night"), 1002: desired_agent(team="east")})
    recorded = state({1001: record(team="east"), 1002: record(team="night")})
    assert list(removal(wanted, recorded, scope(teams=["night"])).records) == [1002]


@given(situations)
def test_a_removal_drops_the_selected_and_touches_nobody_else(situation: Situation) -> None:
    chosen, before = situation.options.scope, situation.state
    after = removal(situation.desired, before, chosen).result
    for agent, kept in before.agents.items():
        assert after.agents.get(agent) == (None if in_scope(chosen, agent, None, kept) else kept)
    assert after.agents.keys() <= before.agents.keys()
    assert all(after.pending[agent] == before.pending[agent] for agent in after.pending)


# Adoption


def test_an_adopted_agent_is_recorded_as_desired_on_the_word_of_now() -> None:
    wanted = desired(
        {1001: desired_agent(OTHER, team="night", protected=True)}, at=site(callnums_key=CallnumsKey.LOWER)
    )
    found = adoption(wanted, state(), EVERYBODY, at=NOW, replace=False)
    expected = record(
        OTHER, acknowledged_at=NOW, callnums_key=CallnumsKey.LOWER, team="night", protected=True, session=None
    )
    assert found.result.agents == {1001: expected}


def test_whoever_has_another_record_keeps_it_unless_it_is_to_be_replaced() -> None:
    situation = Situation(desired=desired({1001: OTHER, 1002: OTHER}), state=state({1001: concurrency()}))
    assert (list(adopted(situation).records), adopted(situation).recorded) == ([1002], (1001,))
    replaced = adopted(situation, replacing=True)
    assert (list(replaced.records), replaced.recorded) == ([1001, 1002], ())
    assert list(replaced.before) == [1001]


def test_a_record_that_says_the_same_is_left_as_it_is() -> None:
    recorded = record(OTHER, acknowledged_at=EARLIER, session="login-1")
    found = adopted(Situation(desired=desired({1001: OTHER}), state=state({1001: recorded})), replacing=True)
    assert (found.records, found.same, found.result.agents) == ({}, (1001,), {1001: recorded})


def test_a_doubt_is_settled_only_by_replacing_it() -> None:
    unsure = record(OTHER, status=RecordStatus.IN_DOUBT)
    situation = Situation(desired=desired({1001: OTHER}), state=state({1001: unsure}))
    assert adopted(situation).recorded == (1001,)
    settled = adopted(situation, replacing=True).result.agents[agent_id(1001)]
    assert (settled.status, settled.acknowledged_at) == (RecordStatus.ACKNOWLEDGED, NOW)


def test_the_wait_of_an_adopted_agent_ends_and_that_of_others_goes_on() -> None:
    waits = dict.fromkeys((1001, 1002, 1003, 1004), waiting())
    wanted = desired(dict.fromkeys((1001, 1002, 1003, 1004), OTHER))
    recorded = state({1002: concurrency(), 1003: OTHER}, pending=waits)
    found = adoption(wanted, recorded, scope(agents="1001-1003"), at=NOW, replace=False)
    assert sorted(found.result.pending) == [1002, 1004]


def test_a_channel_that_no_plan_will_close_any_more_is_told() -> None:
    wanted = desired(dict.fromkeys((1001, 1002, 1003), concurrency(25, web_chat=9)))
    recorded = state(
        {
            1001: concurrency(25, web_chat=9, sms=6),
            1002: concurrency(25, web_chat=9, sms=0),
            1003: concurrency(25, sms=1, email=2),
        }
    )
    found = adoption(wanted, recorded, EVERYBODY, at=NOW, replace=True)
    assert found.left_open == {Channel.EMAIL: (1003,), Channel.SMS: (1001, 1003)}


def test_a_protected_agent_is_told_only_where_a_record_is_replaced() -> None:
    wanted = desired({1001: desired_agent(OTHER, protected=True), 1002: OTHER})
    situation = Situation(desired=wanted, state=state({1002: record(protected=True)}))
    assert adopted(situation).protected == ()
    assert adopted(situation, replacing=True).protected == (1002,)


@given(situations)
def test_after_adopting_with_replacement_nothing_is_left_to_plan_for_the_selected(situation: Situation) -> None:
    chosen = situation.options.scope
    found = adopted(situation, replacing=True, chosen=chosen)
    plan = make_plan(situation.desired, found.result, PlanOptions())
    meant: set[AgentId] = {
        agent
        for agent, wanted in situation.desired.agents.items()
        if in_scope(chosen, agent, wanted, situation.state.agents.get(agent))
    }
    assert not {change.agent for change in plan.changes if change.action is not Action.FORGET} & meant
    untouched = {agent: each for agent, each in situation.state.agents.items() if agent not in meant}
    assert {agent: each for agent, each in found.result.agents.items() if agent not in meant} == untouched


@given(situations)
def test_adopting_without_replacement_changes_no_record_that_is_there(situation: Situation) -> None:
    found = adopted(situation)
    assert {agent: found.result.agents[agent] for agent in situation.state.agents} == situation.state.agents
    again = replace(situation, state=found.result)
    assert adopted(again).records == {}
