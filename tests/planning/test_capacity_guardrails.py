"""The guardrails over sessions at their edges: the limit met passes, one more refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import concurrency, desired, desired_agent, fleet_of, record, scope, site, state

from reconciler.model.capacity import Capacity, CapacityFloor
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import DesiredAgent
from reconciler.model.plan import GuardrailFinding, Plan, PlanOptions
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import AgentRecord
from reconciler.planning import make_plan
from reconciler.planning.capacity_guardrails import broken_floors

CHAT, SMS = Channel.WEB_CHAT, Channel.SMS
Limits = dict[Channel | None, int]


def refusals(plan: Plan) -> list[tuple[str, str, str]]:
    return [(each.guardrail, each.planned, each.limit) for each in plan.refusals]


def refused(plan: Plan) -> bool:
    return bool(plan.refusals)


def limited(limits: Limits, **settings: Any) -> dict[str, Any]:
    return {"at": site(guardrails=GuardrailSettings(max_changed_percent=None, max_delta=limits), **settings)}


def floored(*floors: CapacityFloor) -> dict[str, Any]:
    return {"at": site(guardrails=GuardrailSettings(max_changed_percent=None, capacity_floor=floors))}


def least(number: int, *, team: str | None = "east", channel: Channel | None = CHAT) -> CapacityFloor:
    return CapacityFloor(team=team, channel=channel, least=number)


def drop(percent: float, *, team: str | None = "east", channel: Channel | None = CHAT) -> CapacityFloor:
    return CapacityFloor(team=team, channel=channel, max_drop_percent=percent)


# max_delta

NINE = concurrency(25, web_chat=9)


@pytest.mark.parametrize(
    ("before", "after", "limits", "expected"),
    [
        pytest.param(NINE, concurrency(25, web_chat=5), {CHAT: 4}, False, id="down-met"),
        pytest.param(NINE, concurrency(25, web_chat=4), {CHAT: 4}, True, id="down-one-more"),
        pytest.param(NINE, concurrency(25, web_chat=13), {CHAT: 4}, False, id="up-met"),
        pytest.param(NINE, concurrency(25, web_chat=14), {CHAT: 4}, True, id="up-one-more"),
        pytest.param(NINE, concurrency(21, web_chat=9), {None: 4}, False, id="total-met"),
        pytest.param(NINE, concurrency(20, web_chat=9), {None: 4}, True, id="total-one-more"),
        pytest.param(NINE, concurrency(20, web_chat=1), {SMS: 0}, False, id="another-channel"),
        pytest.param(NINE, concurrency(25, web_chat=9, sms=4), {SMS: 4}, False, id="added-met"),
        pytest.param(NINE, concurrency(25, web_chat=9, sms=5), {SMS: 4}, True, id="added-one-more"),
        pytest.param(concurrency(web_chat=9, sms=5), NINE, {SMS: 4}, True, id="closed"),
        pytest.param(NINE, NINE, {CHAT: 0}, False, id="nothing-at-0"),
        pytest.param(NINE, concurrency(25, web_chat=8), {CHAT: 0}, True, id="one-at-0"),
        pytest.param(None, NINE, {CHAT: 0}, False, id="new"),
        pytest.param(NINE, None, {CHAT: 0}, False, id="forgotten"),
    ],
)
def test_a_call_may_move_a_number_by_the_limit_and_no_further(
    before: Concurrency | None, after: Concurrency | None, limits: Limits, *, expected: bool
) -> None:
    wanted = {} if after is None else {1001: after}
    plan = make_plan(desired(wanted, **limited(limits)), state({} if before is None else {1001: before}))
    assert expected == refused(plan)


def test_a_channel_that_is_left_out_counts_as_closed() -> None:
    settings = limited({SMS: 4}, on_channel_removal=OnChannelRemoval.OMIT)
    assert refused(make_plan(desired({1001: NINE}, **settings), state({1001: concurrency(web_chat=9, sms=5)})))


def test_a_reset_moves_numbers_too() -> None:
    settings = limited({CHAT: 7}, on_agent_removal=OnAgentRemoval.RESET, reset=concurrency(1, web_chat=1))
    assert refused(make_plan(desired({}, **settings), state({1001: NINE})))


def test_a_wide_move_is_told_with_the_widest_number_the_limit_and_the_agents() -> None:
    wanted = {1001: concurrency(25, web_chat=4), 1002: concurrency(25, web_chat=1), 1003: concurrency(25, web_chat=8)}
    plan = make_plan(desired(wanted, **limited({CHAT: 4, None: 0})), state(fleet_of(wanted, NINE)))
    assert (
        GuardrailFinding(
            guardrail="max_delta",
            planned="web_chat of 2 agents by up to −8",
            limit="4 up or down for each agent",
            agents=tuple(change.agent for change in plan.changes[:2]),
        ),
    ) == plan.findings


# capacity_floor


@pytest.mark.parametrize(
    ("sessions", "floor", "expected"),
    [
        pytest.param(6, least(60), False, id="number-met"),
        pytest.param(6, least(61), True, id="number-one-more"),
        pytest.param(9, drop(10), False, id="share-met"),
        pytest.param(9, drop(9.99), True, id="share-a-little-more"),
        pytest.param(9, drop(0), True, id="nothing-may-go"),
        pytest.param(10, drop(0), False, id="nothing-goes"),
        pytest.param(11, least(200), False, id="rises-and-is-still-below"),
        pytest.param(10, least(200), False, id="stays-below"),
        pytest.param(9, least(200), True, id="falls-below-where-it-was-below"),
        pytest.param(6, least(200, team="night"), False, id="another-team"),
        pytest.param(6, least(200, channel=SMS), False, id="another-channel"),
        pytest.param(6, least(61, team=None), True, id="all-teams"),
        pytest.param(6, least(250, channel=None), False, id="totals-stay"),
    ],
)
def test_a_sum_may_fall_to_its_floor_and_no_further(sessions: int, floor: CapacityFloor, *, expected: bool) -> None:
    """Ten agents of the team east go from 10 sessions on web_chat, 100 in all, to `sessions` each."""
    numbers = range(1001, 1011)
    wanted = desired(fleet_of(numbers, concurrency(25, web_chat=sessions)), **floored(floor))
    assert expected == refused(make_plan(wanted, state(fleet_of(numbers, concurrency(25, web_chat=10)))))


@given(before=st.integers(1, 10**9), hundredths=st.integers(0, 9999), data=st.data())
def test_a_share_is_compared_exactly_at_any_size(before: int, hundredths: int, data: st.DataObject) -> None:
    edge = before * (10_000 - hundredths) // 10_000
    after = data.draw(st.integers(max(edge - 2, 0), min(edge + 2, before)))
    row = Capacity(
        team="east",
        channel=CHAT,
        before=before,
        after=after,
        agents_before=0,
        agents_after=0,
        at_zero=0,
        bound=0,
        effective_before=0,
        effective_after=0,
    )
    below = (before - after) * 10_000 > before * hundredths
    assert below == bool(list(broken_floors([drop(hundredths / 100)], [row])))


@pytest.mark.parametrize(
    ("wanted", "recorded"),
    [
        pytest.param({1001: NINE}, {1001: NINE, 1002: NINE}, id="somebody-leaves"),
        pytest.param({1001: NINE, 1002: desired_agent(NINE, team="day")}, {1001: NINE, 1002: NINE}, id="team-changes"),
        pytest.param({1001: NINE, 1002: concurrency(25, sms=9)}, {1001: NINE, 1002: NINE}, id="channel-is-closed"),
    ],
)
def test_a_sum_falls_in_many_ways(
    wanted: dict[int, Concurrency | DesiredAgent], recorded: dict[int, Concurrency | AgentRecord]
) -> None:
    assert refused(make_plan(desired(wanted, **floored(least(10))), state(recorded)))


def test_a_move_between_teams_lowers_no_sum_over_all_teams() -> None:
    wanted = desired({1001: desired_agent(NINE, team="night")}, **floored(drop(0, team=None), least(9, team="night")))
    assert not refused(make_plan(wanted, state({1001: NINE})))


def test_agents_outside_a_partial_scope_hold_a_floor_up() -> None:
    wanted = desired({1001: concurrency(25, web_chat=1)}, **floored(drop(50)))
    recorded = state({1001: NINE, 1002: NINE, 1003: NINE})
    assert refused(make_plan(wanted, recorded))
    assert not refused(make_plan(wanted, recorded, PlanOptions(scope=scope(agents="1001"))))


def test_each_broken_floor_is_told_with_where_it_is_the_numbers_and_the_limit() -> None:
    wanted = desired(
        {1001: concurrency(20, web_chat=4), 1002: desired_agent(NINE, team="night")},
        **floored(drop(10, team=None), least(14), drop(5, channel=None), least(3, team="night")),
    )
    plan = make_plan(wanted, state({1001: NINE, 1002: record(NINE, team="night")}))
    assert refusals(plan) == [
        (
            "capacity_floor",
            "web_chat of all teams from 18 to 13 sessions (−27.8 %)",
            "at most 10 % less, which is at least 17",
        ),
        ("capacity_floor", "web_chat of team east from 9 to 4 sessions (−55.6 %)", "at least 14"),
        (
            "capacity_floor",
            "total of team east from 25 to 20 sessions (−20.0 %)",
            "at most 5 % less, which is at least 24",
        ),
    ]


@pytest.mark.parametrize("number", [1, 0])
def test_the_plan_s_own_number_of_changes_lifts_a_floor_also_where_it_is_0(number: int) -> None:
    value = concurrency(25, web_chat=8) if number else NINE
    wanted = desired({1001: desired_agent(value, team="night")}, **floored(drop(0)))
    assert refused(make_plan(wanted, state({1001: NINE})))
    assert not refused(make_plan(wanted, state({1001: NINE}), allow_changes=number))


@pytest.mark.parametrize("floor", [{}, {"least": 1, "max_drop_percent": 1.0}], ids=["none", "two"])
def test_a_floor_is_one_limit(floor: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one of the two"):
        CapacityFloor(team=None, channel=None, **floor)
