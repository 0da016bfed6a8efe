"""What a run leaves, and what is planned from it: the way back to what was recorded, whatever the fleet and the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import (
    NOW,
    POOL,
    Floor,
    Situation,
    agent_id,
    concurrency,
    desired,
    desired_agent,
    record,
    scope,
    settle,
    site,
    situations,
    state,
)

from reconciler.errors import StalePlanError
from reconciler.model.agent import AgentId, AgentRange
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.going_back import GoingBack
from reconciler.model.inverse import InversePlan
from reconciler.model.outcome import Result
from reconciler.model.plan import Forget, Plan, Reassert, Scope, Set
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import RecordStatus, State
from reconciler.planning import inverse_after, inverse_before, make_plan, plan_back, require_unaltered_inverse
from reconciler.planning.capacity import capacity_of
from reconciler.values import replace

HIGH, LOW = concurrency(25, web_chat=9), concurrency(25, web_chat=4)
OPENED = concurrency(25, web_chat=9, sms=6)


@dataclass(frozen=True)
class Run:
    """An apply that has been: what was planned, who was reached, and what was recorded before and after."""

    plan: Plan
    before: State
    after: State
    early: InversePlan
    """As written before the first call."""
    late: InversePlan
    """As narrowed after the last one."""


def run(situation: Situation, *, reached: Collection[int] | None = None, in_doubt: Collection[int] = ()) -> Run:
    """Apply to the agents `reached` (`None`: to everybody), and lose the answers of those `in_doubt`."""
    before = situation.state
    plan = make_plan(situation.desired, before, situation.options, session_keys=situation.session_keys)
    done = [change for change in plan.changes if reached is None or change.agent in reached]
    after = settle(replace(plan, changes=tuple(done)), before, in_doubt=in_doubt)
    results = {change.agent: Result.SKIPPED for change in plan.changes}
    for change in done:
        result = Result.IN_DOUBT if change.agent in in_doubt else Result.APPLIED
        results[change.agent] = Result.FORGOTTEN if isinstance(change, Forget) else result
    early = inverse_before(plan, before, left_by="apply", begun_at=NOW)
    return Run(plan, before, after, early, inverse_after(early, results, saved=after))


def back(
    undo: InversePlan,
    now: State,
    *,
    at: Desired | None = None,
    chosen: Scope | None = None,
    allow_changes: int | None = None,
) -> Plan:
    return plan_back(undo, at or desired(), now, scope=chosen or Scope(), allow_changes=allow_changes)


def told(plan: Plan) -> GoingBack:
    assert plan.going_back is not None
    return plan.going_back


def gone_back(plan: Plan, now: State, *, in_doubt: Collection[int] = ()) -> State:
    """The state after the rollback `plan` was carried out, records that needed no call put back."""
    return settle(plan, now.with_agents({**now.agents, **plan.restored}), in_doubt=in_doubt)


def in_force(value: Concurrency) -> tuple[int, dict[object, int]]:
    return value.total, {channel: number for channel, number in value.channels if number}


def recorded(now: State) -> dict[AgentId, tuple[int, dict[object, int]]]:
    return {agent: in_force(each.concurrency) for agent, each in now.agents.items()}


pool_subsets = st.sets(st.sampled_from(POOL))


@given(situation=situations, reached=pool_subsets, in_doubt=pool_subsets)
def test_going_back_returns_to_what_was_recorded_of_everybody_who_was(
    situation: Situation, reached: set[int], in_doubt: set[int]
) -> None:
    was = run(situation, reached=reached, in_doubt=in_doubt)

    plan = back(was.late, was.after, at=situation.desired)
    ended = gone_back(plan, was.after)

    expected = recorded(was.before) | {
        agent: values for agent, values in recorded(was.after).items() if agent not in was.before.agents
    }
    assert expected == recorded(ended)
    assert told(plan).changed_since == ()


@given(situation=situations, reached=pool_subsets, in_doubt=pool_subsets)
def test_what_is_written_before_the_first_call_leads_back_to_the_same(
    situation: Situation, reached: set[int], in_doubt: set[int]
) -> None:
    was = run(situation, reached=reached, in_doubt=in_doubt)

    early = back(was.early, was.after, at=situation.desired)
    late = back(was.late, was.after, at=situation.desired)

    assert late.changes == early.changes
    assert late.restored == early.restored
    assert told(late).unknown == told(early).unknown
    assert told(early).changed_since == ()


@given(situation=situations, in_doubt=pool_subsets, lost=pool_subsets)
def test_a_way_back_without_answers_is_gone_again_and_then_there_is_none(
    situation: Situation, in_doubt: set[int], lost: set[int]
) -> None:
    was = run(situation, in_doubt=in_doubt)
    first = back(was.late, was.after, at=situation.desired)
    halfway = gone_back(first, was.after, in_doubt=lost)

    second = back(was.late, halfway, at=situation.desired)
    third = back(was.late, gone_back(second, halfway), at=situation.desired)

    doubtful = {call.agent for call in first.calls} & lost - set(told(first).uncertain)
    assert doubtful <= {call.agent for call in second.calls} <= lost
    assert not third.does_something


@given(situation=situations, policy=st.just(OnChannelRemoval.ZERO))
def test_no_channel_that_the_run_opened_stays_open_at_the_gateway(
    situation: Situation, policy: OnChannelRemoval
) -> None:
    at = replace(situation.desired.site, on_channel_removal=policy)
    situation = dataclasses.replace(situation, desired=replace(situation.desired, site=at))
    was = run(situation)
    floor = Floor(understood=at.gateway.callnums_key)
    for agent, each in was.before.agents.items():
        floor.channels[agent] = each.concurrency.as_mapping()

    floor.receive(was.plan)
    plan = back(was.late, was.after, at=situation.desired)
    floor.receive(plan)

    for call in plan.calls:
        wanted = {channel: n for channel, n in was.before.agents[call.agent].concurrency.channels if n}
        assert wanted == {channel: n for channel, n in floor.channels[call.agent].items() if n}


@given(situation=situations, reached=pool_subsets, in_doubt=pool_subsets)
def test_the_inverse_names_exactly_those_whose_recorded_values_are_others_now(
    situation: Situation, reached: set[int], in_doubt: set[int]
) -> None:
    was = run(situation, reached=reached, in_doubt=in_doubt)

    before, after = recorded(was.before), recorded(was.after)
    differing = {agent for agent in {*before, *after} if before.get(agent) != after.get(agent)}
    named = {change.agent for change in was.late.changes}
    # An agent may be reset to the recorded values and give no answer: it is named, and nothing of it has changed.
    assert differing <= named <= {change.agent for change in was.plan.changes if not isinstance(change, Reassert)}
    assert {each.agent: each.before for each in was.late.changes} == {
        agent: was.before.agents.get(agent) for agent in named
    }


@given(situation=situations)
def test_the_way_back_from_a_way_back_leads_forward_again(situation: Situation) -> None:
    was = run(situation)
    plan = back(was.late, was.after, at=situation.desired)
    ended = gone_back(plan, was.after)
    results = {change.agent: Result.APPLIED for change in plan.changes}
    inverse = inverse_after(inverse_before(plan, was.after, left_by="rollback", begun_at=NOW), results, saved=ended)

    forward = back(inverse, ended, at=situation.desired)

    expected = {agent: values for agent, values in recorded(was.after).items() if agent in was.before.agents}
    found = recorded(gone_back(forward, ended))
    assert expected == {agent: values for agent, values in found.items() if agent in expected}


@given(situation=situations, later=pool_subsets)
def test_whoever_was_changed_since_is_named_and_left_alone(situation: Situation, later: set[AgentId]) -> None:
    was = run(situation)
    other = concurrency(59, email=59)
    touched = {agent: each.amended(concurrency=other) for agent, each in was.after.agents.items() if agent in later}
    now = was.after.with_agents({**was.after.agents, **touched})

    plan = back(was.late, now, at=situation.desired)

    named = {change.agent for change in was.late.changes if change.before is not None}
    assert tuple(sorted(touched.keys() & named)) == told(plan).changed_since
    assert not {change.agent for change in plan.changes} & touched.keys()


def test_an_agent_whose_record_was_dropped_since_is_not_called() -> None:
    was = run(Situation(desired=desired({1001: HIGH}), state=state({1001: LOW})))

    plan = back(was.late, state({}))

    assert (plan.changes, told(plan).changed_since) == ((), (1001,))


@given(situation=situations, agents=pool_subsets)
def test_a_selection_takes_back_its_agents_as_the_whole_would(situation: Situation, agents: set[AgentId]) -> None:
    was = run(situation)
    chosen = Scope(agents=tuple(AgentRange(agent, agent) for agent in sorted(agents)))

    whole, part = (back(was.late, was.after, at=situation.desired, chosen=each) for each in (Scope(), chosen))

    wanted = agents or set(POOL)
    assert tuple(change for change in whole.changes if change.agent in wanted) == part.changes
    assert {agent: each for agent, each in whole.restored.items() if agent in wanted} == part.restored
    assert set(told(part).agents) == {agent for agent in told(whole).agents if agent in wanted}


def test_a_new_agent_has_nothing_to_go_back_to_and_keeps_what_the_run_gave() -> None:
    was = run(Situation(desired=desired({1001: HIGH}), state=state({})))

    plan = back(was.late, was.after)

    assert [each.before for each in was.late.changes] == [None]
    assert (plan.changes, told(plan).unknown, plan.does_something) == ((), (1001,), False)


def test_a_forgotten_record_is_put_back_as_it_was_and_nothing_is_sent() -> None:
    before = record(HIGH, session="login-1", team="night", protected=True)
    was = run(Situation(desired=desired({}), state=state({1001: before})))

    plan = back(was.late, was.after)

    assert (plan.changes, plan.restored) == ((), {1001: before})
    assert plan.applyable


def test_an_agent_who_was_reset_is_called_and_what_the_reset_opened_is_closed() -> None:
    at = site(on_agent_removal=OnAgentRemoval.RESET, reset=concurrency(1, email=1))
    was = run(Situation(desired=desired({}, at=at), state=state({1001: HIGH})))

    (change,) = back(was.late, was.after, at=desired({}, at=at)).changes

    assert isinstance(change, Set)
    assert change.after == concurrency(25, email=0, web_chat=9)
    assert agent_id(1001) not in was.after.agents


def test_an_agent_whose_reset_values_were_the_recorded_ones_is_put_back_without_a_call() -> None:
    at = site(on_agent_removal=OnAgentRemoval.RESET, reset=HIGH)
    was = run(Situation(desired=desired({}, at=at), state=state({1001: HIGH})))

    plan = back(was.late, was.after, at=desired({}, at=at))

    assert (plan.changes, set(plan.restored)) == ((), {1001})


@pytest.mark.parametrize(
    ("policy", "sent"),
    [(OnChannelRemoval.ZERO, concurrency(25, web_chat=9, sms=0)), (OnChannelRemoval.OMIT, HIGH)],
    ids=["zero", "omit"],
)
def test_a_channel_that_the_run_opened_is_closed_as_the_site_says(policy: OnChannelRemoval, sent: Concurrency) -> None:
    at = site(on_channel_removal=policy)
    was = run(Situation(desired=desired({1001: OPENED}, at=at), state=state({1001: HIGH})))

    (change,) = back(was.late, was.after, at=desired({}, at=at)).changes

    assert sent == change.after


def test_values_that_were_in_doubt_before_the_run_are_sent_and_said_to_be_uncertain() -> None:
    doubtful = record(HIGH, status=RecordStatus.IN_DOUBT)
    was = run(Situation(desired=desired({1001: LOW}), state=state({1001: doubtful})))

    plan = back(was.late, was.after)

    assert [change.after for change in plan.changes] == [HIGH]
    assert told(plan).uncertain == (1001,)


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(
            Situation(desired=desired({1001: HIGH}), state=state({1001: record(HIGH, status=RecordStatus.IN_DOUBT)})),
            id="reasserted",
        ),
        pytest.param(
            Situation(desired=desired({1001: HIGH}), state=state({1001: record(HIGH, callnums_key=CallnumsKey.LOWER)})),
            id="respelt",
        ),
    ],
)
def test_who_was_sent_the_recorded_values_again_is_not_in_the_inverse(situation: Situation) -> None:
    was = run(situation)

    assert len(was.plan.calls) == 1
    assert was.early.changes == ()


def test_an_agent_deferred_failed_or_skipped_is_not_in_the_inverse() -> None:
    results = dict(zip(POOL, [Result.DEFERRED, Result.FAILED, Result.SKIPPED, Result.APPLIED], strict=False))
    before = state(dict.fromkeys(results, LOW))
    plan = make_plan(desired(dict.fromkeys(results, HIGH)), before)
    early = inverse_before(plan, before, left_by="apply", begun_at=NOW)

    late = inverse_after(early, results, saved=before)

    assert [change.agent for change in early.changes] == list(results)
    assert [change.agent for change in late.changes] == [POOL[3]]


def test_a_protected_agent_is_not_taken_back_unasked() -> None:
    situation = Situation(desired=desired({1001: desired_agent(HIGH, protected=True)}), state=state({1001: LOW}))
    was = run(situation)

    refused = back(was.late, was.after)
    approved = back(was.late, was.after, allow_changes=1)

    assert [finding.guardrail for finding in refused.refusals] == ["protected"]
    assert approved.applyable


def test_protection_that_the_yaml_has_given_since_holds_and_is_kept() -> None:
    was = run(Situation(desired=desired({1001: HIGH}), state=state({1001: LOW})))
    now = desired({1001: desired_agent(HIGH, protected=True)})

    plan = back(was.late, was.after, at=now, allow_changes=1)

    assert [(finding.guardrail, finding.lifted) for finding in plan.findings] == [("protected", True)]
    assert [isinstance(change, Set) and change.protected for change in plan.changes] == [True]


def test_the_share_is_counted_of_everybody_recorded_and_not_of_the_run() -> None:
    agents = dict.fromkeys(range(1001, 1021), LOW)
    limits = GuardrailSettings(max_changed_percent=25.0)
    at = site(guardrails=limits)
    was = run(Situation(desired=desired({**agents, **dict.fromkeys(range(1001, 1007), HIGH)}), state=state(agents)))
    five = back(was.late, was.after, at=desired({}, at=at), chosen=scope(agents="1001-1005"))
    six = back(was.late, was.after, at=desired({}, at=at))

    assert five.findings == ()
    assert [finding.planned for finding in six.findings] == ["6 of 20 recorded agents (30.0 %)"]


def test_team_and_protection_go_back_with_the_values() -> None:
    before = record(LOW, team="night")
    was = run(Situation(desired=desired({1001: desired_agent(HIGH, team="east")}), state=state({1001: before})))

    ended = gone_back(back(was.late, was.after), was.after)

    assert ended.agents[agent_id(1001)].team == "night"


Change = Mapping[str, object]


@pytest.mark.parametrize(
    "altered",
    [
        {"site": "other"},
        {"url": "https://elsewhere.test"},
        {"lineage": None},
        {"serial_before": 6},
        {"serial_after": 9},
        {"left_by": "rollback"},
        {"begun_at": "2025-03-01T12:00:01Z"},
        {"callnums_key": CallnumsKey.LOWER},
        {"changes": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_covers_everything_that_is_said(altered: Change) -> None:
    was = run(Situation(desired=desired({1001: HIGH}), state=state({1001: LOW})))
    require_unaltered_inverse(was.late, name="rollback.json")

    with pytest.raises(StalePlanError, match=r"rollback\.json: .* does not fit its fingerprint"):
        require_unaltered_inverse(replace(was.late, **altered), name="rollback.json")


@pytest.mark.parametrize(
    "altered",
    [
        {"concurrency": HIGH},
        {"team": "vip"},
        {"protected": True},
        {"session": "login-2"},
        {"acknowledged_at": NOW},
        {"status": RecordStatus.IN_DOUBT},
        {"callnums_key": CallnumsKey.LOWER},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_covers_every_part_of_a_record(altered: Change) -> None:
    was = run(Situation(desired=desired({1001: HIGH}), state=state({1001: LOW})))
    (change,) = was.late.changes
    assert change.before is not None
    before = change.before.amended(**altered)

    with pytest.raises(StalePlanError):
        require_unaltered_inverse(replace(was.late, changes=(replace(change, before=before),)), name="x")


@given(situation=situations, reached=pool_subsets)
def test_the_capacity_of_going_back_ends_at_what_is_recorded_then(situation: Situation, reached: set[int]) -> None:
    was = run(situation, reached=reached)
    plan = back(was.late, was.after, at=situation.desired)
    expected = {(row.team, row.channel): row.after for row in capacity_of(gone_back(plan, was.after).agents, (), ())}
    assert expected == {
        (row.team, row.channel): row.after for row in plan.capacity if (row.team, row.channel) in expected
    }
    assert {row.after for row in plan.capacity if (row.team, row.channel) not in expected} <= {0}
