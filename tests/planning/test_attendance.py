"""Whose sessions a plan wants to know, what it makes of the answer, and who has waited before."""

from __future__ import annotations

import pytest
from support.fleets import EARLIER, NOW, agent_id, concurrency, desired, fleet_of, record, scope, site, state, waiting

from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.plan import PlanOptions, Reason, Scope
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord
from reconciler.planning import agents_to_ask, compare_plans, make_plan, older_than
from reconciler.values import replace

VALUES, OTHERS = concurrency(25, web_chat=9), concurrency(25, web_chat=8)
SESSIONS = PlanOptions(sessions=True)
WANTED = (1001, 1002, 1003)
GONE = 1004


@pytest.mark.parametrize(
    ("removal", "selection", "asked"),
    [
        pytest.param(OnAgentRemoval.FORGET, Scope(), [1001, 1002, 1003], id="nobody-who-is-just-forgotten"),
        pytest.param(OnAgentRemoval.RESET, Scope(), [1001, 1002, 1003, 1004], id="who-gets-a-last-call-too"),
        pytest.param(OnAgentRemoval.RESET, scope(agents="1002-1004"), [1002, 1003, 1004], id="only-the-selection"),
        pytest.param(OnAgentRemoval.FORGET, scope(teams=["night"]), [1003], id="a-recorded-team-counts"),
    ],
)
def test_the_agents_asked_for_are(removal: OnAgentRemoval, selection: Scope, asked: list[int]) -> None:
    wanted = desired(fleet_of(WANTED, VALUES), at=site(on_agent_removal=removal))
    recorded = state({1003: record(VALUES, team="night"), GONE: record(VALUES)})
    assert list(agents_to_ask(wanted, recorded, selection)) == asked


@pytest.mark.parametrize(
    ("recorded", "keys", "reason"),
    [
        pytest.param("login-1", {1001: "login-1"}, None, id="the-same-session"),
        pytest.param("login-1", {1001: "login-2"}, Reason.NEW_SESSION, id="another-session"),
        pytest.param("login-1", {}, None, id="no-session-now"),
        pytest.param("login-1", {1001: None}, None, id="a-session-without-a-key"),
        pytest.param(None, {1001: "login-1"}, Reason.NEW_SESSION, id="a-session-and-none-recorded"),
        pytest.param(None, {1001: None}, None, id="never-a-key"),
    ],
)
def test_a_session_is_new_if_it_has_a_key_that_is_not_the_recorded_one(
    recorded: str | None, keys: dict[int, str | None], reason: Reason | None
) -> None:
    known = {agent_id(number): key for number, key in keys.items()}
    base = state({1001: record(VALUES, session=recorded)})
    plan = make_plan(desired({1001: VALUES}), base, SESSIONS, session_keys=known)
    assert [change.reason for change in plan.changes] == ([] if reason is None else [reason])


def test_only_an_agent_with_a_call_can_be_absent_from_it() -> None:
    everybody = state({**fleet_of(WANTED, VALUES), GONE: VALUES})
    wanted = desired({1001: VALUES, 1002: OTHERS, 1003: OTHERS})
    plan = make_plan(wanted, everybody, SESSIONS, session_keys={agent_id(1003): None})
    assert plan.sessions == SessionsSeen(asked=3, known=1, keyless=1, absent=(agent_id(1002),))


def test_a_plan_that_was_not_asked_for_sessions_knows_none() -> None:
    plan = make_plan(desired({1001: VALUES}), state(), session_keys={agent_id(1001): "login-1"})
    assert plan.sessions is None


def test_sessions_cannot_be_compared_without_their_keys() -> None:
    with pytest.raises(ValueError, match="their keys must be given"):
        make_plan(desired({1001: VALUES}), state(), SESSIONS)


def test_which_session_it_is_does_not_change_what_was_approved() -> None:
    base = state({1001: record(VALUES, session="login-1")})
    second, third = (
        make_plan(desired({1001: VALUES}), base, SESSIONS, session_keys={agent_id(1001): key})
        for key in ("login-2", "login-3")
    )
    assert second == third
    assert compare_plans(second, third).empty


@pytest.mark.parametrize(
    ("keys", "shrunk", "come"),
    [
        pytest.param({1001: "login-2", 1002: "login-2"}, False, [1002], id="signed-in-anew-is-growth"),
        pytest.param({}, True, [], id="signed-out-is-less"),
    ],
)
def test_who_comes_and_goes_after_the_review_is_a_difference(
    keys: dict[int, str | None], shrunk: bool, come: list[int]
) -> None:
    base = state(fleet_of_records(1001, 1002))
    wanted = desired(fleet_of((1001, 1002), VALUES))
    reviewed = make_plan(wanted, base, SESSIONS, session_keys={agent_id(1001): "login-2", agent_id(1002): "login-1"})
    known = {agent_id(number): key for number, key in keys.items()}
    found = compare_plans(reviewed, make_plan(wanted, base, SESSIONS, session_keys=known))
    assert (found.empty, found.shrunk, [change.agent for change in found.come]) == (False, shrunk, come)


def fleet_of_records(*numbers: int) -> dict[int, AgentRecord]:
    return dict.fromkeys(numbers, record(VALUES, session="login-1"))


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param({1001: EARLIER}, Waits(agents=(agent_id(1001),), since=EARLIER), id="one"),
        pytest.param(
            {1001: NOW, 1002: EARLIER},
            Waits(agents=(agent_id(1001), agent_id(1002)), since=EARLIER),
            id="the-longest-counts",
        ),
        pytest.param({1001: NOW, 1003: EARLIER}, Waits(agents=(agent_id(1001),), since=NOW), id="unchanged-is-no-wait"),
        pytest.param({GONE: EARLIER}, None, id="to-be-forgotten-is-no-wait"),
        pytest.param({2001: EARLIER}, None, id="nobodys-agent-is-no-wait"),
        pytest.param({}, None, id="nobody"),
    ],
)
def test_a_wait_is_a_planned_call_that_was_deferred_before(since: dict[int, str], expected: Waits | None) -> None:
    wanted = desired({1001: OTHERS, 1002: OTHERS, 1003: VALUES})
    pending = {number: waiting(since=moment) for number, moment in since.items()}
    base = state({**fleet_of(WANTED, VALUES), GONE: VALUES}, pending=pending)
    assert make_plan(wanted, base).waits == expected


def test_who_waits_does_not_change_what_was_approved() -> None:
    base = state({1001: VALUES})
    later = replace(base, pending={agent_id(1001): waiting(attempts=7)}, serial=8)
    first, second = (make_plan(desired({1001: OTHERS}), each) for each in (base, later))
    assert (first.fingerprint, compare_plans(first, second).empty) == (second.fingerprint, True)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-03-01T10:00:00Z", False),
        ("2025-03-01T10:00:01Z", True),
        ("2025-03-01T12:00:01+02:00", True),
        ("2025-03-01T07:00:00Z", False),
    ],
    ids=["exactly-two-hours", "a-second-more", "in-another-zone", "in-the-future"],
)
def test_a_moment_is_older_than_two_hours_when_more_than_two_hours_have_passed(at: str, *, expected: bool) -> None:
    assert older_than(EARLIER, 7200, at=at) is expected
