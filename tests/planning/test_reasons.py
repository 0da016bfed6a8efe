"""When each reason comes, and which one speaks when several apply."""

from __future__ import annotations

from typing import Any

import pytest
from support.fleets import (
    EARLIER,
    EAST,
    NOW,
    agent_id,
    agent_range,
    concurrency,
    desired,
    desired_agent,
    record,
    site,
    state,
)

from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, Plan, PlanOptions, Reason
from reconciler.model.site import GuardrailSettings, OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.planning import make_plan

VALUES, OTHERS = concurrency(25, web_chat=9), concurrency(25, web_chat=8)
LOWER = CallnumsKey.LOWER
TWO_HOURS = PlanOptions(reassert_older_than=7200, at=NOW)
ALL = PlanOptions(reassert_all=True)
LOGIN_2 = {agent_id(1001): "login-2"}


def plan_for_one(
    wanted: Desired,
    recorded: AgentRecord | None,
    options: PlanOptions | None = None,
    session_keys: dict[AgentId, str] | None = None,
) -> Plan:
    return make_plan(wanted, state({} if recorded is None else {1001: recorded}), options, session_keys=session_keys)


def verdict(plan: Plan) -> tuple[Action, Reason | None]:
    """What the plan says of its one agent."""
    said: list[tuple[Action, Reason | None]] = [(change.action, change.reason) for change in plan.changes]
    said += [(Action.UNCHANGED, None) for _ in plan.unchanged]
    (only,) = said
    return only


@pytest.mark.parametrize(
    ("expected", "recorded", "options", "session_keys"),
    [
        pytest.param((Action.SET, Reason.NEW), None, None, None, id="new"),
        pytest.param((Action.SET, Reason.CHANGED), record(OTHERS), None, None, id="changed"),
        pytest.param(
            (Action.SET, Reason.KEY_SPELLING),
            record(VALUES, callnums_key=CallnumsKey.LOWER),
            None,
            None,
            id="key-spelling",
        ),
        pytest.param(
            (Action.REASSERT, Reason.IN_DOUBT), record(VALUES, status=RecordStatus.IN_DOUBT), None, None, id="in-doubt"
        ),
        pytest.param(
            (Action.REASSERT, Reason.NEW_SESSION), record(VALUES, session="login-1"), None, LOGIN_2, id="new-session"
        ),
        pytest.param(
            (Action.REASSERT, Reason.NEW_SESSION), record(VALUES, session=None), None, LOGIN_2, id="first-known-session"
        ),
        pytest.param((Action.REASSERT, Reason.OLDER_THAN), record(VALUES), TWO_HOURS, None, id="older-than"),
        pytest.param((Action.REASSERT, Reason.REQUESTED), record(VALUES), ALL, None, id="requested"),
        pytest.param((Action.UNCHANGED, None), record(VALUES), None, None, id="unchanged"),
        pytest.param((Action.UNCHANGED, None), record(VALUES, session="login-2"), None, LOGIN_2, id="same-session"),
        pytest.param((Action.UNCHANGED, None), record(VALUES, session="login-2"), None, {}, id="session-unknown-now"),
        pytest.param((Action.UNCHANGED, None), record(VALUES, acknowledged_at=NOW), TWO_HOURS, None, id="young-enough"),
        pytest.param((Action.UNCHANGED, None), record(VALUES, team="night"), None, None, id="another-team"),
        pytest.param((Action.UNCHANGED, None), record(VALUES, protected=True), None, None, id="protection-only"),
    ],
)
def test_a_desired_agent_is(
    expected: tuple[Action, Reason | None],
    recorded: AgentRecord | None,
    options: PlanOptions | None,
    session_keys: dict[AgentId, str] | None,
) -> None:
    assert expected == verdict(plan_for_one(desired({1001: VALUES}), recorded, options, session_keys))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(OnAgentRemoval.FORGET, Action.FORGET), (OnAgentRemoval.RESET, Action.RESET)],
    ids=["forget", "reset"],
)
@pytest.mark.parametrize("status", RecordStatus, ids=["acknowledged", "in-doubt"])
def test_an_agent_no_longer_desired_leaves_as_the_site_says(
    policy: OnAgentRemoval, expected: Action, status: RecordStatus
) -> None:
    plan = plan_for_one(desired(at=site(on_agent_removal=policy)), record(VALUES, status=status))
    assert (expected, Reason.NOT_DESIRED) == verdict(plan)


# Every reason applies to this agent; each step takes the weightiest one away.
EVERY_REASON = record(
    OTHERS, callnums_key=CallnumsKey.LOWER, status=RecordStatus.IN_DOUBT, session="login-1", acknowledged_at=EARLIER
)
PRECEDENCE: list[tuple[Reason | None, dict[str, Any]]] = [
    (Reason.CHANGED, {}),
    (Reason.KEY_SPELLING, {"concurrency": VALUES}),
    (Reason.IN_DOUBT, {"callnums_key": CallnumsKey.CAMEL}),
    (Reason.NEW_SESSION, {"status": RecordStatus.ACKNOWLEDGED}),
    (Reason.OLDER_THAN, {"session": "login-2"}),
    (Reason.REQUESTED, {"acknowledged_at": NOW}),
]


@pytest.mark.parametrize("step", range(len(PRECEDENCE)), ids=[str(reason) for reason, _ in PRECEDENCE])
def test_the_weightiest_reason_speaks(step: int) -> None:
    fields: dict[str, Any] = {}
    for _, taken_away in PRECEDENCE[: step + 1]:
        fields |= taken_away
    options = PlanOptions(reassert_all=True, reassert_older_than=7200, at=NOW)
    plan = plan_for_one(desired({1001: VALUES}), EVERY_REASON.amended(**fields), options, LOGIN_2)
    assert PRECEDENCE[step][0] == verdict(plan)[1]


@pytest.mark.parametrize(
    ("at", "acknowledged_at", "due"),
    [
        pytest.param("2025-03-01T12:00:00Z", "2025-03-01T10:00:00Z", False, id="exactly-two-hours"),
        pytest.param("2025-03-01T12:00:00Z", "2025-03-01T09:59:59Z", True, id="a-second-more"),
        pytest.param("2025-03-01T12:00:00Z", "2025-03-01T09:59:59.999999Z", True, id="a-microsecond-more"),
        pytest.param("2025-03-01T12:00:00Z", "2025-03-01T10:00:00.5Z", False, id="recorded-fraction"),
        pytest.param("2025-03-01T12:00:00.5Z", "2025-03-01T10:00:00Z", True, id="fraction-of-now"),
        pytest.param("2025-03-01T14:00:00+02:00", "2025-03-01T10:00:00Z", False, id="now-in-the-east"),
        pytest.param("2025-03-01T14:00:01+02:00", "2025-03-01T10:00:00Z", True, id="now-in-the-east-a-second-more"),
        pytest.param("2025-03-01T07:00:00-05:00", "2025-03-01T10:00:00Z", False, id="now-in-the-west"),
        pytest.param("2025-03-01T12:00:00+00:00", "2025-03-01T12:00:00+02:00", False, id="recorded-with-an-offset"),
        pytest.param("2025-03-01T12:00:00Z", "2025-03-01T13:00:00Z", False, id="recorded-in-the-future"),
        pytest.param("2025-03-01T01:00:00Z", "2025-02-28T22:59:59Z", True, id="over-midnight-and-month"),
        pytest.param("2025-03-01T12:00:00Z", None, True, id="never-acknowledged"),
    ],
)
def test_an_agent_is_due_again_when_more_than_two_hours_have_passed(
    at: str, acknowledged_at: str | None, *, due: bool
) -> None:
    options = PlanOptions(reassert_older_than=7200, at=at)
    plan = plan_for_one(desired({1001: VALUES}), record(VALUES, acknowledged_at=acknowledged_at), options)
    assert ((Action.REASSERT, Reason.OLDER_THAN) if due else (Action.UNCHANGED, None)) == verdict(plan)


@pytest.mark.parametrize("seconds", [1e12, 1e300], ids=["before-the-year-1", "beyond-any-date"])
def test_an_age_longer_than_all_dates_makes_nobody_due(seconds: float) -> None:
    options = PlanOptions(reassert_older_than=seconds, at=NOW)
    assert verdict(plan_for_one(desired({1001: VALUES}), record(VALUES), options)) == (Action.UNCHANGED, None)


def test_an_age_needs_a_time_to_count_back_from() -> None:
    with pytest.raises(ValueError, match="needs a time to count back from"):
        make_plan(desired(), state(), PlanOptions(reassert_older_than=7200))


@pytest.mark.parametrize("at", ["2025-03-01T12:00:00", "2025-03-01"], ids=["no-offset", "date"])
def test_a_time_without_an_offset_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="names no instant"):
        make_plan(desired(), state(), PlanOptions(reassert_older_than=7200, at=at))


def test_the_time_alone_makes_nobody_due() -> None:
    assert verdict(plan_for_one(desired({1001: VALUES}), record(VALUES), PlanOptions(at=NOW))) == (
        Action.UNCHANGED,
        None,
    )


@pytest.mark.parametrize(
    ("recorded", "options"),
    [
        pytest.param(record(VALUES, protected=True, callnums_key=CallnumsKey.LOWER), None, id="key-spelling"),
        pytest.param(record(VALUES, protected=True), ALL, id="reassert"),
    ],
)
def test_a_repetition_does_not_lose_a_protection_that_was_recorded(
    recorded: AgentRecord, options: PlanOptions | None
) -> None:
    plan = plan_for_one(desired({1001: desired_agent(VALUES, protected=False)}), recorded, options)
    assert [change.protected for change in plan.calls] == [True]


@pytest.mark.parametrize(
    ("recorded", "protected", "expected"),
    [
        pytest.param(record(OTHERS, protected=True), False, False, id="changed-and-no-longer-protected"),
        pytest.param(record(OTHERS), True, True, id="changed-and-now-protected"),
        pytest.param(None, True, True, id="new-and-protected"),
        pytest.param(None, False, False, id="new"),
        pytest.param(record(VALUES, status=RecordStatus.IN_DOUBT), True, True, id="repeated-and-now-protected"),
    ],
)
def test_a_call_records_the_protection(recorded: AgentRecord | None, *, protected: bool, expected: bool) -> None:
    plan = plan_for_one(desired({1001: desired_agent(VALUES, protected=protected)}), recorded)
    assert [expected] == [change.protected for change in plan.calls]


LISTED = GuardrailSettings(max_changed_percent=None, protected_teams=("vip",))
LISTED_AGENT = GuardrailSettings(max_changed_percent=None, protected_agents=(agent_range("1001"),))


@pytest.mark.parametrize(
    ("recorded", "guardrails", "options", "expected"),
    [
        pytest.param(record(VALUES, team="vip", callnums_key=LOWER), LISTED, None, "vip", id="key-spelling"),
        pytest.param(record(VALUES, team="vip"), LISTED, ALL, "vip", id="reassert"),
        pytest.param(
            record(VALUES, team="vip", status=RecordStatus.IN_DOUBT), LISTED, None, "vip", id="reassert-in-doubt"
        ),
        pytest.param(record(OTHERS, team="vip"), LISTED, None, "east", id="changed-needs-approval"),
        pytest.param(record(VALUES, team="night"), LISTED, ALL, "east", id="another-team-is-listed"),
        pytest.param(record(VALUES, team=None), LISTED, ALL, "east", id="no-team-recorded"),
        pytest.param(record(VALUES, team="vip"), LISTED_AGENT, ALL, "east", id="the-agent-is-listed"),
    ],
)
def test_only_a_change_takes_an_agent_out_of_a_protected_team(
    recorded: AgentRecord, guardrails: GuardrailSettings, options: PlanOptions | None, expected: str
) -> None:
    wanted = desired({1001: desired_agent(VALUES, team="east")}, at=site(guardrails=guardrails))
    assert [expected] == [call.team for call in plan_for_one(wanted, recorded, options).calls]


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_reset_keeps_the_protection_until_the_record_is_dropped(*, protected: bool) -> None:
    plan = plan_for_one(desired(at=site(on_agent_removal=OnAgentRemoval.RESET)), record(VALUES, protected=protected))
    assert [protected] == [change.protected for change in plan.calls]


def test_a_change_names_the_desired_team_and_the_line_of_the_agent() -> None:
    wanted = desired_agent(VALUES, team="night")
    (change,) = plan_for_one(desired({1001: wanted}), record(OTHERS, team="east")).changes
    assert (change.team, change.source) == ("night", EAST)


@pytest.mark.parametrize("policy", OnAgentRemoval)
def test_a_removal_names_the_recorded_team(policy: OnAgentRemoval) -> None:
    plan = plan_for_one(desired(at=site(on_agent_removal=policy)), record(VALUES, team="night"))
    assert [change.team for change in plan.changes] == ["night"]
