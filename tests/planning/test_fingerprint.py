"""What a reviewer approves, and how another plan differs from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import (
    LINEAGE,
    POOL,
    SITE,
    URL,
    agent_id,
    agent_range,
    callnums_keys,
    concurrency,
    desired,
    desired_agent,
    desireds,
    few_concurrencies,
    one_of_each,
    record,
    site,
    state,
    states,
)

from reconciler.errors import StalePlanError
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Declared, Source
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, Base, Change, Forget, Plan, PlanOptions, Reason, Reassert, Reset, Scope, Set
from reconciler.planning import compare_plans, fingerprint, make_plan
from reconciler.planning.fingerprint import require_unaltered
from reconciler.values import replace

BEFORE, AFTER = concurrency(25, web_chat=9), concurrency(25, web_chat=8)
CHANGED = Set(agent=agent_id(1001), team="east", reason=Reason.CHANGED, before=BEFORE, after=AFTER)
REASSERT = Reassert(agent=agent_id(1001), team="east", reason=Reason.REQUESTED, before=BEFORE, after=BEFORE)
FORGET = Forget(agent=agent_id(1001), team="east", reason=Reason.NOT_DESIRED, before=BEFORE)


def plan_of(*changes: Change, url: str = URL, callnums_key: CallnumsKey = CallnumsKey.CAMEL, **rest: Any) -> Plan:
    parts: dict[str, Any] = {"site": SITE, "base": Base(lineage=LINEAGE, serial=7), "options": PlanOptions(), **rest}
    return Plan(
        url=url,
        callnums_key=callnums_key,
        changes=changes,
        unchanged=(),
        fingerprint=fingerprint(changes, url=url, callnums_key=callnums_key),
        **parts,
    )


def change_of(agent: AgentId, action: Action, before: Concurrency, after: Concurrency) -> Change:
    match action:
        case Action.SET:
            return Set(agent=agent, team=None, reason=Reason.CHANGED, before=before, after=after)
        case Action.REASSERT:
            return Reassert(agent=agent, team=None, reason=Reason.IN_DOUBT, before=before, after=after)
        case Action.RESET:
            return Reset(agent=agent, team=None, reason=Reason.NOT_DESIRED, before=before, after=after)
        case _:
            return Forget(agent=agent, team=None, reason=Reason.NOT_DESIRED, before=before)


two_values = st.sampled_from((BEFORE, AFTER))
changes = st.builds(
    change_of,
    st.sampled_from(POOL[:3]),
    st.sampled_from(Action).filter(lambda action: action is not Action.UNCHANGED),
    two_values,
    two_values,
)
plans = st.builds(
    lambda some, url, key: plan_of(*some, url=url, callnums_key=key),
    st.lists(changes, max_size=3, unique_by=lambda change: change.agent),
    st.sampled_from((URL, URL, "https://other.test:8043")),
    st.sampled_from((CallnumsKey.CAMEL, CallnumsKey.CAMEL, CallnumsKey.LOWER)),
)


def deeds(plan: Plan) -> set[tuple[object, ...]]:
    return {(change.agent, change.action, change.before, change.after) for change in plan.changes}


@st.composite
def pairs_of_plans(draw: st.DrawFn) -> tuple[Plan, Plan]:
    """Two plans, often alike: the second is drawn afresh, or the first with some changes left out, or for elsewhere."""
    first = draw(plans)
    kept = draw(st.lists(st.sampled_from(first.changes), unique=True)) if first.changes else []
    lesser = plan_of(*kept, url=first.url, callnums_key=first.callnums_key)
    elsewhere = plan_of(*kept, url=first.url, callnums_key=draw(callnums_keys))
    return first, draw(st.just(first) | st.just(lesser) | st.just(elsewhere) | plans)


def test_a_fingerprint_names_its_algorithm_and_has_64_hexadecimal_digits() -> None:
    name, _, digits = plan_of(CHANGED).fingerprint.partition(":")
    assert ("sha256", 64, set()) == (name, len(digits), set(digits) - set("0123456789abcdef"))


def test_the_fingerprint_of_a_known_plan_stays_the_same_between_releases() -> None:
    situation = one_of_each()
    plan = make_plan(situation.desired, situation.state, situation.options, session_keys=situation.session_keys)
    assert plan.fingerprint == "sha256:fc695f827c61479936c42aa7528c80c6b6e0a62185a995de49f280c1c3c61c84"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(plan_of(replace(CHANGED, source=Source("moved.yaml", 99))), id="source"),
        pytest.param(plan_of(replace(CHANGED, team="night")), id="team"),
        pytest.param(plan_of(replace(CHANGED, reason=Reason.KEY_SPELLING)), id="reason"),
        pytest.param(plan_of(replace(CHANGED, protected=True)), id="protected"),
        pytest.param(plan_of(CHANGED, base=Base(lineage="another", serial=8)), id="lineage-and-serial"),
        pytest.param(plan_of(CHANGED, site="renamed"), id="site"),
        pytest.param(plan_of(CHANGED, options=PlanOptions(at="2025-03-02T12:00:00Z")), id="time"),
        pytest.param(plan_of(CHANGED, options=PlanOptions(scope=Scope(agents=(agent_range("1001"),)))), id="scope"),
    ],
)
def test_a_plan_that_does_the_same_has_the_same_fingerprint_and_no_difference(other: Plan) -> None:
    assert plan_of(CHANGED).fingerprint == other.fingerprint
    assert compare_plans(plan_of(CHANGED), other).empty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, agent=agent_id(1002))), id="agent"),
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, before=None)), id="before-none"),
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, before=AFTER)), id="before-total"),
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, after=concurrency(24, web_chat=8))), id="after-total"),
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, after=concurrency(25, web_chat=7))), id="after-number"),
        pytest.param(plan_of(CHANGED), plan_of(replace(CHANGED, after=concurrency(25, sms=8))), id="after-channel"),
        pytest.param(
            plan_of(CHANGED), plan_of(replace(CHANGED, after=concurrency(25, web_chat=8, sms=0))), id="after-closing"
        ),
        pytest.param(plan_of(REASSERT), plan_of(replace(CHANGED, after=BEFORE)), id="action-reassert-or-set"),
        pytest.param(plan_of(CHANGED), plan_of(FORGET), id="action-set-or-forget"),
        pytest.param(plan_of(CHANGED), plan_of(), id="left-out"),
        pytest.param(plan_of(CHANGED), plan_of(CHANGED, url="https://other.test:8043"), id="url"),
        pytest.param(plan_of(CHANGED), plan_of(CHANGED, callnums_key=CallnumsKey.LOWER), id="key-spelling"),
    ],
)
def test_a_plan_that_does_something_else_has_another_fingerprint_and_a_difference(one: Plan, other: Plan) -> None:
    assert one.fingerprint != other.fingerprint
    assert not compare_plans(one, other).empty


@given(some=plans, data=st.data())
def test_a_fingerprint_does_not_depend_on_the_order_of_changes(some: Plan, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(some.changes))
    assert some.fingerprint == fingerprint(shuffled, url=some.url, callnums_key=some.callnums_key)


@given(wanted=desireds, recorded=states)
def test_a_moved_file_a_merge_commit_or_a_new_serial_does_not_spoil_a_fingerprint(wanted: Any, recorded: Any) -> None:
    moved = {
        agent: Declared(source=Source("moved/west.yaml", number + 40), origins={})
        for number, agent in enumerate(wanted.agents)
    }
    plan = make_plan(wanted, recorded)
    again = make_plan(replace(wanted, declared=moved), replace(recorded, serial=recorded.serial + 3))
    assert plan.fingerprint == again.fingerprint


@given(pair=pairs_of_plans())
def test_the_difference_of_two_plans_is_empty_if_and_only_if_their_fingerprints_are_equal(
    pair: tuple[Plan, Plan],
) -> None:
    one, other = pair
    assert (one.fingerprint == other.fingerprint) == compare_plans(one, other).empty


@given(pair=pairs_of_plans())
def test_a_plan_is_shrunk_if_and_only_if_it_does_strictly_less_of_the_same(pair: tuple[Plan, Plan]) -> None:
    one, other = pair
    same_gateway = (one.url, one.callnums_key) == (other.url, other.callnums_key)
    assert (same_gateway and deeds(other) < deeds(one)) == compare_plans(one, other).shrunk


@given(pair=pairs_of_plans())
def test_a_difference_tells_every_change_that_is_not_in_both_plans(pair: tuple[Plan, Plan]) -> None:
    one, other = pair
    difference = compare_plans(one, other)
    assert deeds(one) - deeds(other) == deeds(plan_of(*difference.gone, *(was for was, _ in difference.altered)))
    assert deeds(other) - deeds(one) == deeds(plan_of(*difference.come, *(now for _, now in difference.altered)))
    assert all(was.agent == now.agent for was, now in difference.altered)


def test_a_difference_is_sorted_into_gone_come_and_altered_by_agent() -> None:
    def at(number: int) -> Set:
        return replace(CHANGED, agent=agent_id(number))

    reviewed = plan_of(at(1006), at(1001), at(1003), at(1002))
    fresh = plan_of(at(1005), at(1004), replace(at(1003), after=BEFORE), replace(at(1002), before=None))
    difference = compare_plans(reviewed, fresh)
    assert [change.agent for change in difference.gone] == [1001, 1006]
    assert [change.agent for change in difference.come] == [1004, 1005]
    assert [was.agent for was, _ in difference.altered] == [1002, 1003]


def test_a_difference_names_the_settings_that_differ() -> None:
    fresh = plan_of(CHANGED, url="https://other.test:8043", callnums_key=CallnumsKey.LOWER)
    expected = (("url", URL, "https://other.test:8043"), ("callnums_key", "callNums", "callnums"))
    assert expected == compare_plans(plan_of(CHANGED), fresh).settings


@given(before=few_concurrencies, after=few_concurrencies)
def test_values_alone_decide_between_two_plans_for_one_agent(before: Concurrency, after: Concurrency) -> None:
    def plan(value: Concurrency) -> Plan:
        return make_plan(desired({1001: value}), state())

    assert (before == after) == (plan(before).fingerprint == plan(after).fingerprint)


@pytest.mark.parametrize(
    ("fresh", "shrunk"),
    [
        pytest.param(plan_of(CHANGED), True, id="one-left-out"),
        pytest.param(plan_of(), True, id="nothing-left"),
        pytest.param(plan_of(CHANGED, replace(CHANGED, agent=agent_id(1002))), False, id="the-same"),
        pytest.param(plan_of(CHANGED, url="https://other.test:8043"), False, id="one-left-out-and-elsewhere"),
        pytest.param(plan_of(replace(CHANGED, after=BEFORE)), False, id="one-left-out-and-one-altered"),
        pytest.param(plan_of(CHANGED, replace(CHANGED, agent=agent_id(1003))), False, id="one-left-out-and-one-new"),
    ],
)
def test_a_plan_has_shrunk_if_it_only_leaves_out(fresh: Plan, *, shrunk: bool) -> None:
    reviewed = plan_of(CHANGED, replace(CHANGED, agent=agent_id(1002)))
    assert shrunk == compare_plans(reviewed, fresh).shrunk


def test_a_reviewed_plan_that_was_partly_applied_has_shrunk() -> None:
    wanted = desired({1001: desired_agent(AFTER), 1002: desired_agent(AFTER)}, at=site())
    reviewed = make_plan(wanted, state({1001: record(BEFORE), 1002: record(BEFORE)}))
    fresh = make_plan(wanted, state({1001: record(AFTER), 1002: record(BEFORE)}, serial=8))
    assert compare_plans(reviewed, fresh).shrunk


def test_a_saved_plan_that_fits_its_fingerprint_is_taken() -> None:
    require_unaltered(plan_of(CHANGED), name="plan.json")


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param(replace(plan_of(CHANGED), changes=(replace(CHANGED, after=BEFORE),)), id="values"),
        pytest.param(replace(plan_of(CHANGED), changes=()), id="change-removed"),
        pytest.param(replace(plan_of(CHANGED), url="https://other.test:8043"), id="url"),
        pytest.param(replace(plan_of(CHANGED), callnums_key=CallnumsKey.LOWER), id="key-spelling"),
        pytest.param(replace(plan_of(CHANGED), fingerprint=plan_of(FORGET).fingerprint), id="fingerprint"),
        pytest.param(replace(plan_of(CHANGED), fingerprint=""), id="no-fingerprint"),
    ],
)
def test_a_saved_plan_that_was_altered_is_refused_by_name(altered: Plan) -> None:
    with pytest.raises(StalePlanError, match=r"^plan\.json: its changes do not fit its fingerprint"):
        require_unaltered(altered, name="plan.json")
