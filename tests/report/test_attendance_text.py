"""What a plan says of sessions and waits, and what it says it cannot know."""

from __future__ import annotations

import pytest
from report.examples import SENIOR, SOCIAL, text_of
from support.fleets import EARLIER, NOW, agent_id, desired, fleet_of, record, state, waiting

from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.state import empty_state
from reconciler.planning import make_plan

UNSEEN = "not known without --sessions: who is signed in, and who has signed in anew and so may have lost the values"


def with_sessions(keys: dict[int, str | None], *, changed: tuple[int, ...] = ()) -> Plan:
    """Three agents recorded in `login-1`, of whom those in `keys` are signed in."""
    numbers = (1001, 1002, 1003)
    return make_plan(
        desired({**fleet_of(numbers, SENIOR), **fleet_of(changed, SOCIAL)}),
        state(dict.fromkeys(numbers, record(SENIOR, session="login-1"))),
        PlanOptions(sessions=True),
        session_keys={agent_id(number): key for number, key in keys.items()},
    )


@pytest.mark.parametrize(
    ("recorded", "second"),
    [
        (state({1001: SENIOR}), "recorded: serial 7; live values cannot be read back from the gateway"),
        (
            empty_state("demo"),
            "nothing is recorded yet, so every agent is new; live values cannot be read back from the gateway",
        ),
    ],
    ids=["recorded", "first-plan"],
)
def test_a_plan_without_sessions_says_first_what_it_cannot_know(recorded: object, second: str) -> None:
    plan = make_plan(desired({1001: SOCIAL}), recorded)  # type: ignore[arg-type]
    assert text_of(plan).splitlines()[1:3] == [second, UNSEEN]


def test_a_plan_with_sessions_says_how_many_there_are_and_no_more_that_it_cannot_know() -> None:
    text = text_of(with_sessions({1001: "login-1", 1002: "login-1"}))
    assert "sessions as of this plan: 2 of 3 agents have one" in text.splitlines()
    assert UNSEEN not in text


def test_sessions_without_a_key_are_told_since_they_may_be_new() -> None:
    line = "sessions as of this plan: 1 of 3 agents has one (1 without a key: new or not, nobody can tell)"
    assert text_of(with_sessions({1001: None})).splitlines()[2] == line


def test_who_is_to_be_called_without_a_session_is_named_as_deferred() -> None:
    text = text_of(with_sessions({1001: "login-1"}, changed=(1001, 1002, 1003)))
    assert "2 agents to be called have no session as of this plan, and would be deferred: 1002-1003" in text
    text = text_of(with_sessions({1001: "login-1"}, changed=(1002,)))
    assert "1 agent to be called has no session as of this plan, and would be deferred: 1002" in text


def test_an_agent_without_a_session_and_without_a_call_is_nobodys_concern() -> None:
    assert "deferred" not in text_of(with_sessions({}))


def test_a_session_key_stands_in_no_text_of_a_plan() -> None:
    text = text_of(with_sessions({1001: "key-of-1001", 1002: "key-of-1002"}, changed=(1002,)))
    assert "reassert (new-session)" in text
    assert "key-of" not in text
    assert "login-1" not in text


@pytest.mark.parametrize(
    ("waits", "line"),
    [
        pytest.param(
            {1001: waiting()},
            f"1 of these changes has been waiting for its agent, since {EARLIER}: 1001",
            id="one",
        ),
        pytest.param(
            {1001: waiting(since=NOW), 1002: waiting(), 1003: waiting()},
            f"2 of these changes have been waiting for their agents, the longest since {EARLIER}: 1001-1002",
            id="the-longest-of-those-who-are-called",
        ),
    ],
)
def test_a_plan_says_how_many_of_its_changes_wait_and_since_when(waits: dict[int, object], line: str) -> None:
    wanted = desired({**fleet_of((1001, 1002), SOCIAL), 1003: SENIOR})
    recorded = state(fleet_of((1001, 1002, 1003), SENIOR), pending=waits)  # type: ignore[arg-type]
    assert line in text_of(make_plan(wanted, recorded)).splitlines()


def test_a_plan_nobody_has_waited_for_says_nothing_of_waiting() -> None:
    assert "waiting" not in text_of(make_plan(desired({1001: SOCIAL}), state({1001: SENIOR})))
