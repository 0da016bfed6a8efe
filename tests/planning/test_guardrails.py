"""Each guardrail at its edge: the limit met passes, one more refuses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import (
    Situation,
    agent_range,
    concurrency,
    desired,
    desired_agent,
    fleet_of,
    record,
    scope,
    site,
    situations,
    state,
)

from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import GuardrailFinding, Plan, PlanOptions
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.planning import make_plan
from reconciler.planning.guardrails import exceeds_percent
from reconciler.values import replace

OLD, NEW = concurrency(25, web_chat=9), concurrency(25, web_chat=8)
OFF: dict[str, Any] = {"max_changed_percent": None}


def guarded(agents: Mapping[int, Concurrency | DesiredAgent], *, limits: dict[str, Any], **settings: Any) -> Desired:
    return desired(agents, at=site(guardrails=GuardrailSettings(**limits), **settings))


def refusing(plan: Plan) -> list[str]:
    return [finding.guardrail for finding in plan.refusals]


def changing(count: int, population: int) -> tuple[dict[int, Concurrency], State]:
    """A fleet of `population` recorded agents of whom the first `count` change."""
    numbers = range(1001, 1001 + population)
    wanted = fleet_of(numbers, OLD) | fleet_of(numbers[:count], NEW)
    return wanted, state(fleet_of(numbers, OLD))


# max_changed_percent and min_population


@pytest.mark.parametrize(
    ("percent", "count", "population", "refused"),
    [
        pytest.param(30.0, 30, 100, False, id="30-of-100"),
        pytest.param(30.0, 31, 100, True, id="31-of-100"),
        pytest.param(29.0, 29, 100, False, id="29-of-100"),
        pytest.param(29.0, 30, 100, True, id="30-of-100-at-29"),
        pytest.param(30.0, 3, 10, False, id="3-of-10"),
        pytest.param(30.0, 4, 10, True, id="4-of-10"),
        pytest.param(30.0, 3, 11, False, id="27.3-percent"),
        pytest.param(30.0, 4, 11, True, id="36.4-percent"),
        pytest.param(64.6, 323, 500, False, id="limit-below-its-float"),
        pytest.param(64.6, 324, 500, True, id="one-above-a-limit-below-its-float"),
        pytest.param(0.0, 0, 10, False, id="none-at-0"),
        pytest.param(0.0, 1, 10, True, id="one-at-0"),
        pytest.param(100.0, 10, 10, False, id="all-at-100"),
        pytest.param(None, 10, 10, False, id="off"),
    ],
)
def test_the_share_of_changed_agents_may_reach_the_limit_and_not_pass_it(
    percent: float | None, count: int, population: int, *, refused: bool
) -> None:
    wanted, recorded = changing(count, population)
    plan = make_plan(guarded(wanted, limits={"max_changed_percent": percent}), recorded)
    assert (["max_changed_percent"] if refused else []) == refusing(plan)


@pytest.mark.parametrize(
    ("min_population", "population", "refused"),
    [
        pytest.param(10, 9, False, id="one-below"),
        pytest.param(10, 10, True, id="met"),
        pytest.param(0, 1, True, id="zero"),
        pytest.param(0, 0, False, id="zero-and-nobody-recorded"),
    ],
)
def test_the_share_counts_from_the_smallest_population_on(
    min_population: int, population: int, *, refused: bool
) -> None:
    wanted, recorded = changing(population, population)
    plan = make_plan(guarded(wanted or {2001: NEW}, limits={"min_population": min_population}), recorded)
    assert (["max_changed_percent"] if refused else []) == refusing(plan)


@given(
    percent=st.decimals(0, 100, places=2),
    population=st.integers(1, 10**30),
    data=st.data(),
)
def test_a_share_is_compared_exactly_at_any_size(percent: Decimal, population: int, data: st.DataObject) -> None:
    hundredths = int(percent * 100)
    edge = population * hundredths // 10_000
    count = data.draw(st.sampled_from((max(edge - 1, 0), edge, edge + 1)))
    assert (count * 10_000 > population * hundredths) == exceeds_percent(count, population, float(percent))


def test_the_percentage_is_of_all_recorded_agents_even_if_the_scope_is_partial() -> None:
    wanted, recorded = changing(3, 10)
    options = PlanOptions(scope=scope(agents="1001-1003"))
    assert refusing(make_plan(guarded(wanted, limits={"max_changed_percent": 30}), recorded, options)) == []


@pytest.mark.parametrize("policy", OnAgentRemoval)
def test_a_removal_counts_as_a_change_whether_it_makes_a_call_or_not(policy: OnAgentRemoval) -> None:
    numbers = range(1001, 1011)
    wanted = guarded(fleet_of(numbers[4:], OLD), limits={}, on_agent_removal=policy)
    assert refusing(make_plan(wanted, state(fleet_of(numbers, OLD)))) == ["max_changed_percent"]


# What counts as a changed agent


@pytest.mark.parametrize(
    ("wanted", "recorded", "counts"),
    [
        pytest.param({1001: NEW}, {1001: OLD}, True, id="changed"),
        pytest.param({1001: NEW}, {1001: record(OLD, status=RecordStatus.IN_DOUBT)}, True, id="changed-in-doubt"),
        pytest.param({}, {1001: OLD}, True, id="removed"),
        pytest.param({1001: NEW}, {}, False, id="new"),
        pytest.param({1001: OLD}, {1001: record(OLD, callnums_key=CallnumsKey.LOWER)}, False, id="key-spelling"),
        pytest.param({1001: OLD}, {1001: record(OLD, status=RecordStatus.IN_DOUBT)}, False, id="in-doubt"),
        pytest.param({1001: OLD}, {1001: OLD}, False, id="reasserted"),
    ],
)
@pytest.mark.parametrize(
    "limits",
    [
        pytest.param({"max_changed_percent": 0, "min_population": 1}, id="percent"),
        pytest.param({**OFF, "max_changed_agents": 0}, id="agents"),
        pytest.param({**OFF, "protected_agents": (agent_range("1001"),)}, id="protected"),
    ],
)
def test_recorded_agents_count_when_their_values_change_or_they_leave(
    wanted: dict[int, Concurrency], recorded: dict[int, AgentRecord], limits: dict[str, Any], *, counts: bool
) -> None:
    plan = make_plan(guarded(wanted, limits=limits), state(recorded), PlanOptions(reassert_all=True))
    assert [len(plan.changes)] == [1]
    assert counts == bool(plan.refusals)


# max_changed_agents


@pytest.mark.parametrize(("count", "refused"), [(2, False), (3, True)], ids=["met", "one-more"])
def test_the_number_of_changed_agents_may_reach_the_limit_and_not_pass_it(count: int, *, refused: bool) -> None:
    wanted, recorded = changing(count, 5)
    plan = make_plan(guarded(wanted, limits={**OFF, "max_changed_agents": 2}), recorded)
    assert (["max_changed_agents"] if refused else []) == refusing(plan)


# max_to_zero

BOTH, FIRST = concurrency(25, web_chat=9, sms=6), concurrency(25, web_chat=9)
RESETTING = {"on_agent_removal": OnAgentRemoval.RESET, "reset": concurrency(1, web_chat=1)}


@pytest.mark.parametrize(
    ("wanted", "recorded", "settings", "counts"),
    [
        pytest.param(FIRST, BOTH, {}, True, id="channel-removed-and-closed"),
        pytest.param(FIRST, BOTH, {"on_channel_removal": OnChannelRemoval.OMIT}, True, id="channel-left-out"),
        pytest.param(concurrency(25, web_chat=9, sms=0), BOTH, {}, True, id="zero-desired"),
        pytest.param(None, BOTH, RESETTING, True, id="reset-closes-a-channel"),
        pytest.param(None, FIRST, RESETTING, False, id="reset-keeps-every-channel-open"),
        pytest.param(None, BOTH, {}, False, id="forgotten"),
        pytest.param(concurrency(25, web_chat=0), None, {}, False, id="new-with-zero"),
        pytest.param(concurrency(25, web_chat=0, sms=6), concurrency(25, sms=6), {}, False, id="added-with-zero"),
        pytest.param(concurrency(8, web_chat=0), concurrency(25, web_chat=0), {}, False, id="zero-before"),
        pytest.param(
            FIRST,
            record(concurrency(25, web_chat=9, sms=0), status=RecordStatus.IN_DOUBT),
            {},
            False,
            id="closing-zero-sent-again",
        ),
        pytest.param(concurrency(25, web_chat=1), FIRST, {}, False, id="lowered-to-one"),
    ],
)
def test_an_agent_counts_as_zeroed_when_a_call_takes_a_channel_from_above_0(
    wanted: Concurrency | None, recorded: Concurrency | AgentRecord | None, settings: dict[str, Any], *, counts: bool
) -> None:
    agents = {} if wanted is None else {1001: wanted}
    records = {} if recorded is None else {1001: recorded}
    plan = make_plan(guarded(agents, limits={**OFF, "max_to_zero": 0}, **settings), state(records))
    assert (["max_to_zero"] if counts else []) == refusing(plan)


@pytest.mark.parametrize(("count", "refused"), [(2, False), (3, True)], ids=["met", "one-more"])
def test_the_number_of_zeroed_agents_may_reach_the_limit_and_not_pass_it(count: int, *, refused: bool) -> None:
    numbers = range(1001, 1006)
    wanted = fleet_of(numbers, BOTH) | fleet_of(numbers[:count], FIRST)
    plan = make_plan(guarded(wanted, limits={**OFF, "max_to_zero": 2}), state(fleet_of(numbers, BOTH)))
    assert (["max_to_zero"] if refused else []) == refusing(plan)


def test_an_agent_who_loses_two_channels_counts_once() -> None:
    recorded = state({1001: concurrency(25, web_chat=9, sms=6, five_g=2)})
    plan = make_plan(guarded({1001: FIRST}, limits={**OFF, "max_to_zero": 1}), recorded)
    assert refusing(plan) == []


# protected

EAST, VIP = desired_agent(NEW, team="east"), desired_agent(NEW, team="vip")


@pytest.mark.parametrize(
    ("wanted", "recorded", "limits", "refused"),
    [
        pytest.param(desired_agent(NEW, protected=True), record(OLD), {}, True, id="flag-desired"),
        pytest.param(desired_agent(NEW), record(OLD, protected=True), {}, True, id="flag-removed-from-the-entry"),
        pytest.param(None, record(OLD, protected=True), {}, True, id="entry-deleted"),
        pytest.param(EAST, record(OLD), {"protected_agents": (agent_range("1001-1003"),)}, True, id="listed-agent"),
        pytest.param(None, record(OLD), {"protected_agents": (agent_range("1001"),)}, True, id="listed-agent-deleted"),
        pytest.param(VIP, record(OLD, team="east"), {"protected_teams": ("vip",)}, True, id="listed-team-desired"),
        pytest.param(EAST, record(OLD, team="vip"), {"protected_teams": ("vip",)}, True, id="listed-team-recorded"),
        pytest.param(None, record(OLD, team="vip"), {"protected_teams": ("vip",)}, True, id="listed-team-deleted"),
        pytest.param(EAST, record(OLD, team=None), {"protected_teams": ("vip",)}, False, id="another-team"),
        pytest.param(EAST, record(OLD), {"protected_agents": (agent_range("1002"),)}, False, id="another-agent"),
        pytest.param(EAST, record(OLD), {}, False, id="unprotected"),
        pytest.param(None, record(OLD), {}, False, id="unprotected-deleted"),
        pytest.param(desired_agent(OLD, protected=True), record(OLD), {}, False, id="values-unchanged"),
        pytest.param(desired_agent(NEW, protected=True), None, {}, False, id="new"),
    ],
)
def test_a_protected_agent_s_values_do_not_change_unapproved(
    wanted: DesiredAgent | None, recorded: AgentRecord | None, limits: dict[str, Any], *, refused: bool
) -> None:
    agents = {} if wanted is None else {1001: wanted}
    records = {} if recorded is None else {1001: recorded}
    plan = make_plan(guarded(agents, limits={**OFF, **limits}), state(records))
    assert (["protected"] if refused else []) == refusing(plan)


# What a refusal says


def test_a_refusal_shows_the_number_the_limit_and_the_agents() -> None:
    numbers = range(1001, 1011)
    wanted = fleet_of(numbers, BOTH) | fleet_of(numbers[:4], FIRST)
    limits = {
        "max_changed_percent": 30,
        "max_changed_agents": 3,
        "max_to_zero": 0,
        "protected_agents": (agent_range("1001"),),
    }
    plan = make_plan(guarded(wanted, limits=limits), state(fleet_of(numbers, BOTH)))
    four = tuple(change.agent for change in plan.changes)
    assert (
        GuardrailFinding(
            guardrail="max_changed_percent", planned="4 of 10 recorded agents (40.0 %)", limit="30 %", agents=four
        ),
        GuardrailFinding(guardrail="max_changed_agents", planned="4 agents", limit="3", agents=four),
        GuardrailFinding(guardrail="max_to_zero", planned="4 agents", limit="0", agents=four),
        GuardrailFinding(guardrail="protected", planned="1 protected agent", limit="0", agents=four[:1]),
    ) == plan.findings


def test_a_refusal_names_its_agents_in_order() -> None:
    numbers = (999_999, 101, 70_000, 5_003)
    wanted = guarded(fleet_of(numbers, NEW), limits={**OFF, "max_changed_agents": 0})
    plan = make_plan(wanted, state(fleet_of(numbers, OLD)))
    assert sorted(numbers) == [agent for finding in plan.findings for agent in finding.agents]


# --allow-changes


def refused_four_times() -> tuple[Desired, State]:
    numbers = range(1001, 1011)
    wanted: dict[int, Concurrency] = fleet_of(numbers, BOTH) | fleet_of(numbers[:4], FIRST) | {2001: FIRST}
    limits = {"max_changed_agents": 3, "max_to_zero": 0, "protected_agents": (agent_range("1001"),)}
    return guarded(wanted, limits=limits), state(fleet_of(numbers, BOTH))


def test_the_plan_s_own_number_of_changes_lifts_every_finding_and_keeps_it_in_sight() -> None:
    wanted, recorded = refused_four_times()
    refused, approved = make_plan(wanted, recorded), make_plan(wanted, recorded, allow_changes=5)
    assert tuple(replace(finding, lifted=True) for finding in refused.findings) == approved.findings
    assert (len(approved.findings), approved.refusals, approved.applyable) == (4, (), True)


@pytest.mark.parametrize("number", [0, 4, 6, -5])
def test_another_number_lifts_nothing_and_is_refused_itself(number: int) -> None:
    wanted, recorded = refused_four_times()
    expected = [*refusing(make_plan(wanted, recorded)), "allow_changes"]
    assert expected == refusing(make_plan(wanted, recorded, allow_changes=number))


@pytest.mark.parametrize(("number", "refused"), [(1, False), (0, True), (2, True)], ids=["exact", "fewer", "more"])
def test_a_wrong_number_is_refused_though_nothing_else_objects(number: int, *, refused: bool) -> None:
    plan = make_plan(desired({1001: NEW}), state({1001: OLD}), allow_changes=number)
    finding = GuardrailFinding(guardrail="allow_changes", planned="1 change planned", limit=f"{number} approved")
    assert ((finding,) if refused else ()) == plan.findings


def test_nothing_to_do_is_approved_by_zero() -> None:
    assert make_plan(desired({1001: OLD}), state({1001: OLD}), allow_changes=0).findings == ()


def test_the_number_to_approve_counts_new_agents_and_repetitions_too() -> None:
    wanted = guarded({1001: NEW, 1002: OLD, 1003: OLD}, limits={**OFF, "max_changed_agents": 0})
    recorded = state({1001: OLD, 1002: record(OLD, status=RecordStatus.IN_DOUBT)})
    assert make_plan(wanted, recorded, allow_changes=3).refusals == ()


@given(situation=situations, number=st.none() | st.integers(0, 6))
def test_guardrails_refuse_a_plan_and_never_trim_it(situation: Situation, number: int | None) -> None:
    def plan(wanted: Desired) -> Plan:
        return make_plan(
            wanted, situation.state, situation.options, session_keys=situation.session_keys, allow_changes=number
        )

    # A protected team is also what a record keeps without approval, so it is not only a guardrail: it stays.
    teams = situation.desired.site.guardrails.protected_teams
    limits = GuardrailSettings(**OFF, protected_teams=teams)
    unguarded = replace(situation.desired, site=replace(situation.desired.site, guardrails=limits))
    assert plan(unguarded).changes == plan(situation.desired).changes
    assert plan(unguarded).fingerprint == plan(situation.desired).fingerprint
