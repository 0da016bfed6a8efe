"""Who is deferred waits in the state from then on, and until nothing is due any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from applying.rehearsed import Office
from applying.scripted import VALUES, Answer, Room, ScriptedGateway, ScriptedSource, fleet, results
from support.fleets import NOW, agent_range, concurrency, fleet_of, record, waiting

from reconciler.gateway import NotSignedIn, Refused, Transient, Unanswered
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Result
from reconciler.model.plan import PlanOptions, Scope
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import Pending, RecordStatus

A = AgentId(1001)
LATER = "2025-03-01T13:00:00Z"
OTHER = concurrency(8, web_chat=3)
ABSENT = NotSignedIn(retcode="100-006")
LOST = Unanswered(message="no answer")
ONCE = waiting(since=NOW)


def room(directory: Path, *script: Answer, absent: int = 0, recorded: bool = False) -> Room:
    agents = {1001: record(OTHER)} if recorded else {}
    gateway, source = ScriptedGateway({1001: script}), ScriptedSource(absent=frozenset({absent}))
    return Room(directory, agents, gateway=gateway, source=source)


@pytest.mark.parametrize("recorded", [False, True], ids=["never-applied", "recorded"])
@pytest.mark.parametrize(
    ("script", "absent", "retcode"),
    [
        pytest.param([ABSENT], 0, "100-006", id="by-the-gateways-word"),
        pytest.param([], 1001, None, id="without-a-session"),
        pytest.param([Transient(retcode="000-007"), ABSENT], 0, "100-006", id="at-the-second-call"),
    ],
)
def test_a_deferred_agent_waits_with_the_last_retcode_and_the_record_stays(
    tmp_path: Path, script: list[Answer], absent: int, retcode: str | None, *, recorded: bool
) -> None:
    world = room(tmp_path, *script, absent=absent, recorded=recorded)
    before = world.on_disk().agents
    ending = world.run(fleet(1001))

    assert ending.results == {1001: Result.DEFERRED}
    assert world.on_disk().pending == ending.state.pending == {A: waiting(since=NOW, retcode=retcode)}
    assert world.on_disk().agents == before


def test_each_run_that_defers_counts_and_the_first_time_stays(tmp_path: Path) -> None:
    world = room(tmp_path, ABSENT, ABSENT)
    world.run(fleet(1001))
    second = world.run(fleet(1001), now=lambda: LATER).state
    third = world.run(fleet(1001, 1002)).state

    again = Pending(first_deferred_at=NOW, last_deferred_at=LATER, attempts=2, retcode="100-006")
    assert (second.pending, second.serial) == ({A: again}, 2)
    assert (third.pending, set(third.agents)) == ({}, {1001, 1002})


@pytest.mark.parametrize(
    ("script", "result"),
    [
        pytest.param([Refused(retcode="106-011")], Result.FAILED, id="failed"),
        pytest.param([LOST] * 4, Result.IN_DOUBT, id="in-doubt"),
        pytest.param([LOST, ABSENT], Result.IN_DOUBT, id="in-doubt-and-then-gone"),
    ],
)
def test_a_failure_and_a_doubt_neither_end_a_wait_nor_begin_one(
    tmp_path: Path, script: list[Answer], result: Result
) -> None:
    for name in ("waits", "fresh"):
        (tmp_path / name).mkdir()
    world, fresh = room(tmp_path / "waits", ABSENT, *script), room(tmp_path / "fresh", *script)
    world.run(fleet(1001))
    ending = world.run(fleet(1001), now=lambda: LATER)

    assert (ending.results, ending.state.pending) == ({1001: result}, {A: ONCE})
    assert fresh.run(fleet(1001)).state.pending == {}


def test_who_was_in_doubt_before_and_is_deferred_is_both(tmp_path: Path) -> None:
    world = room(tmp_path, *[LOST] * 4, ABSENT)
    world.run(fleet(1001))
    state = world.run(fleet(1001)).state

    assert state.pending == {A: ONCE}
    assert state.agents[A].status is RecordStatus.IN_DOUBT


def test_a_run_that_was_stopped_first_leaves_the_wait_as_it_was(tmp_path: Path) -> None:
    world = room(tmp_path, ABSENT)
    world.run(fleet(1001))
    world.stop.request(RuntimeError("before anything"))

    assert world.run(fleet(1001)).state.pending == {A: ONCE}


def test_a_deferral_is_durable_before_the_turn_is_over(tmp_path: Path) -> None:
    world = room(tmp_path, ABSENT)
    seen = []
    world.run(fleet(1001), on_outcome=lambda _: seen.append(world.survives().pending))

    assert seen == [{A: ONCE}]


def test_a_deferral_that_is_not_durable_is_in_the_state_that_is_saved(tmp_path: Path) -> None:
    world = room(tmp_path, absent=1001)
    world.disk.fail_after = 0
    ending = world.run(fleet(1001))

    assert (ending.results, ending.state.pending) == ({1001: Result.DEFERRED}, {A: waiting(since=NOW, retcode=None)})
    assert "cannot be made durable" in str(ending.error)


def test_nobody_who_is_absent_is_synced_more_than_once(tmp_path: Path) -> None:
    numbers = range(1001, 1101)
    world = Room(tmp_path, source=ScriptedSource(absent=frozenset(numbers)))
    world.disk.fail_after = 100
    ending = world.run(fleet(*numbers))

    assert ending.error is None
    assert world.disk.fail_after >= 0
    assert set(ending.state.pending) == set(numbers)


# When nothing is due any more


def deferred(office: Office, *agents: int) -> None:
    """Let these agents of 1001 to 1003 wait for `OTHER`, and the rest have it."""
    everybody = {1001, 1002, 1003}
    office.sign_in(*(everybody - set(agents)))
    report = office.apply(office.desired(fleet_of(everybody, OTHER)))
    assert set(report.state.pending) == set(agents)


def test_an_agent_whose_old_values_are_desired_again_waits_no_more(office: Office) -> None:
    office.sign_in(1001)
    office.apply(office.desired({1001: VALUES}))
    office.sign_in()
    assert set(office.apply(office.desired({1001: OTHER})).state.pending) == {1001}
    report = office.apply(office.desired({1001: VALUES}))

    assert (report.outcomes, report.state.pending, office.state().pending) == ((), {}, {})
    assert report.state.serial == 3
    assert office.apply(office.desired({1001: VALUES})).state.serial == 3


def test_an_agent_who_is_no_longer_desired_and_never_had_anything_waits_no_more(office: Office) -> None:
    deferred(office, 1003)
    report = office.apply(office.desired(fleet_of((1001, 1002), OTHER)))

    assert (report.outcomes, report.state.pending) == ((), {})


def test_a_forgotten_agent_waits_no_more(office: Office) -> None:
    deferred(office)
    office.sign_in()
    office.apply(office.desired(fleet_of((1001, 1002, 1003), VALUES)))
    report = office.apply(office.desired(fleet_of((1001, 1002), VALUES)))

    assert results(report.outcomes)[1003] is Result.FORGOTTEN
    assert set(report.state.pending) == {1001, 1002}


def test_an_agent_who_waits_for_the_last_call_is_forgotten_with_it(office: Office) -> None:
    deferred(office)
    office.sign_in(1001, 1002)
    fewer = office.desired(fleet_of((1001, 1002), OTHER), on_agent_removal=OnAgentRemoval.RESET)
    assert set(office.apply(fewer).state.pending) == {1003}
    office.sign_in(1003)
    report = office.apply(fewer)

    assert results(report.outcomes) == {1003: Result.APPLIED}
    assert (set(report.state.agents), report.state.pending) == ({1001, 1002}, {})


def test_a_partial_apply_leaves_the_others_waiting(office: Office) -> None:
    deferred(office, 1001, 1002, 1003)
    office.sign_in(1001)
    only = PlanOptions(scope=Scope(agents=(agent_range("1001-1002"),)))
    report = office.apply(office.desired(fleet_of((1001, 1003), OTHER)), options=only)

    assert results(report.outcomes) == {1001: Result.APPLIED}
    assert set(report.state.pending) == {1003}


def test_an_agent_who_signs_in_and_is_applied_waits_no_more(office: Office) -> None:
    deferred(office, 1002)
    office.sign_in(1001, 1002, 1003)
    report = office.apply(office.desired(fleet_of((1001, 1002, 1003), OTHER)))

    assert results(report.outcomes) == {1002: Result.APPLIED}
    assert office.state().pending == {}


def test_a_wait_that_was_only_for_a_repetition_ends_with_the_next_plain_apply(office: Office) -> None:
    deferred(office)
    office.sign_in()
    wanted = office.desired(fleet_of((1001, 1002, 1003), OTHER))
    assert len(office.apply(wanted, options=PlanOptions(reassert_all=True)).state.pending) == 3

    assert office.apply(wanted).state.pending == {}
