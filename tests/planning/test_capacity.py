"""What a plan does to the sessions of each team on each channel, counted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from support.fleets import (
    Situation,
    concurrency,
    desired,
    desired_agent,
    fleet_of,
    record,
    scope,
    settle,
    site,
    situations,
    state,
)

from reconciler.model.agent import AgentId
from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.site import OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import AgentRecord
from reconciler.planning import make_plan
from reconciler.planning.capacity import capacity_of

CHAT, WIDE = concurrency(25, web_chat=9), concurrency(25, web_chat=9, sms=6)
Wanted = dict[int, Concurrency]


def planned(situation: Situation) -> Plan:
    return make_plan(situation.desired, situation.state, situation.options, session_keys=situation.session_keys)


def row(plan: Plan, channel: Channel | None, team: str | None = "east") -> Capacity:
    (found,) = [each for each in plan.capacity if (each.team, each.channel) == (team, channel)]
    return found


def sums(plan: Plan) -> dict[tuple[str | None, str], tuple[int, int]]:
    """Before and after of each place, as one would write it."""
    return {
        (each.team, "total" if each.channel is None else each.channel.label): (each.before, each.after)
        for each in plan.capacity
    }


def counted(agents: Mapping[AgentId, AgentRecord]) -> dict[tuple[str | None, Channel | None], tuple[int, ...]]:
    """Sessions, what is effective of them, and agents above 0, at 0 and bound, agent by agent, from the definitions."""
    found: dict[tuple[str | None, Channel | None], list[int]] = {}
    for each in agents.values():
        total, channels = each.concurrency.total, each.concurrency.as_mapping()
        reach = sum(channels.values())
        numbers: dict[Channel | None, tuple[int, ...]] = {
            None: (total, min(total, reach), 1, int(reach == 0), int(total < reach))
        }
        for channel, n in channels.items():
            numbers[channel] = (n, min(n, total), int(n > 0), int(n == 0), int(n > 0 and total < reach))
        for where, added in numbers.items():
            old = found.setdefault((each.team, where), [0] * 5)
            found[each.team, where] = [a + b for a, b in zip(old, added, strict=True)]
    return {place: tuple(each) for place, each in found.items()}


@given(situation=situations)
def test_capacity_is_what_is_recorded_before_and_what_is_recorded_afterwards(situation: Situation) -> None:
    plan = planned(situation)
    after = dict(settle(plan, situation.state).agents)
    for noted in plan.standing:  # those without a call, which `settle` knows nothing of
        after[noted.agent] = record(after[noted.agent].concurrency, team=noted.after.team)
    old, new = counted(situation.state.agents), counted(after)
    assert {(each.team, each.channel) for each in plan.capacity} == {*old, *new}
    for each in plan.capacity:
        place, nothing = (each.team, each.channel), (0,) * 5
        assert (each.before, each.effective_before, each.agents_before) == old.get(place, nothing)[:3]
        told = (each.after, each.effective_after, each.agents_after, each.at_zero, each.bound)
        assert told == new.get(place, nothing)


@given(situation=situations)
def test_once_applied_the_sums_after_are_the_sums_before(situation: Situation) -> None:
    plan = planned(situation)
    settled = {each.agent: each.after for each in plan.standing}
    agents = {
        agent: record(each.concurrency, team=settled[agent].team if agent in settled else each.team)
        for agent, each in settle(plan, situation.state).agents.items()
    }
    before = {(row.team, row.channel): row.before for row in capacity_of(agents, (), ())}
    assert before == {(row.team, row.channel): row.after for row in plan.capacity if (row.team, row.channel) in before}
    assert {row.after for row in plan.capacity if (row.team, row.channel) not in before} <= {0}


def test_agents_outside_a_partial_scope_count_as_they_are_recorded() -> None:
    everybody = fleet_of(range(1001, 1011), WIDE)
    options = PlanOptions(scope=scope(agents="1001"))
    assert sums(make_plan(desired({1001: CHAT}), state(everybody), options)) == {
        ("east", "total"): (250, 250),
        ("east", "web_chat"): (90, 90),
        ("east", "sms"): (60, 54),
    }


@pytest.mark.parametrize("policy", OnAgentRemoval)
def test_an_agent_whose_record_is_dropped_no_longer_counts(policy: OnAgentRemoval) -> None:
    plan = make_plan(desired({1001: CHAT}, at=site(on_agent_removal=policy)), state({1001: CHAT, 1002: CHAT}))
    assert sums(plan) == {("east", "total"): (50, 25), ("east", "web_chat"): (18, 9)}


def test_a_new_agent_counts_only_afterwards() -> None:
    web_chat = row(make_plan(desired({1001: CHAT, 1002: CHAT}), state({1001: CHAT})), Channel.WEB_CHAT)
    assert (web_chat.agents_before, web_chat.agents_after, web_chat.percent) == (1, 2, 100.0)


@pytest.mark.parametrize(
    ("policy", "at_zero"), [(OnChannelRemoval.ZERO, 1), (OnChannelRemoval.OMIT, 0)], ids=["closed", "left-out"]
)
def test_a_channel_that_is_closed_leaves_an_agent_at_0_and_one_left_out_does_not(
    policy: OnChannelRemoval, at_zero: int
) -> None:
    sms = row(make_plan(desired({1001: CHAT}, at=site(on_channel_removal=policy)), state({1001: WIDE})), Channel.SMS)
    assert (sms.before, sms.after, sms.percent, sms.agents_after, sms.at_zero) == (6, 0, -100.0, 0, at_zero)


def test_a_total_below_the_sum_of_the_channels_binds_and_the_effective_sum_says_how_far() -> None:
    plan = make_plan(desired({1001: concurrency(8, web_chat=9, sms=6)}), state({1001: WIDE}))
    totals, web_chat, sms = (row(plan, channel) for channel in (None, Channel.WEB_CHAT, Channel.SMS))
    assert [each.bound for each in (totals, web_chat, sms)] == [1, 1, 1]
    assert (totals.effective_before, totals.effective_after) == (15, 8)
    assert (web_chat.effective_before, web_chat.effective_after) == (9, 8)
    assert (sms.effective_before, sms.effective_after) == (6, 6)


def test_a_total_that_equals_the_sum_of_the_channels_does_not_bind() -> None:
    assert row(make_plan(desired({1001: concurrency(15, web_chat=9, sms=6)}), state({1001: WIDE})), None).bound == 0


def test_an_agent_with_every_channel_at_0_is_at_0_of_the_totals_too() -> None:
    totals = row(make_plan(desired({1001: concurrency(25, web_chat=0)}), state({1001: CHAT})), None)
    assert (totals.after, totals.effective_after, totals.at_zero, totals.agents_after) == (25, 0, 1, 1)


@pytest.mark.parametrize("wanted", [CHAT, concurrency(25, web_chat=4)], ids=["without-a-call", "with-a-call"])
def test_who_changes_the_team_takes_the_sessions_along(wanted: Concurrency) -> None:
    plan = make_plan(desired({1001: desired_agent(wanted, team="night")}), state({1001: record(CHAT, team="east")}))
    assert sums(plan)["east", "web_chat"] == (9, 0)
    assert sums(plan)["night", "web_chat"] == (0, wanted.as_mapping()[Channel.WEB_CHAT])


def test_agents_in_no_team_are_summed_on_their_own_and_come_last() -> None:
    teams = {1001: None, 1002: "zz", 1003: ""}
    plan = make_plan(
        desired({agent: desired_agent(CHAT, team=team) for agent, team in teams.items()}),
        state({agent: record(CHAT, team=team) for agent, team in teams.items()}),
    )
    totals_and_channels = [(team, channel) for team in ("", "zz", None) for channel in (None, Channel.WEB_CHAT)]
    assert [(each.team, each.channel) for each in plan.capacity] == totals_and_channels


def test_a_plan_without_anybody_has_no_capacity() -> None:
    assert make_plan(desired(), state()).capacity == ()
