"""A run's deadline and a gateway that has too much to do: what is still called, counted, and what is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from applying.rehearsed import Office
from applying.scripted import VALUES, Answer, Room, ScriptedGateway, ScriptedSource, fleet, until
from support.fleets import fleet_of

from reconciler.applying import RunStoppedError
from reconciler.applying.stop import RunDeadlineError
from reconciler.errors import ExitCode
from reconciler.gateway import Acknowledged, Transient, Unanswered, Verdict
from reconciler.model.outcome import Result
from reconciler.model.state import RecordStatus

TEN = tuple(range(1001, 1011))
YES = Acknowledged(message="success")


class Slow:
    """A gateway for whom each call takes so many seconds of the room's clock."""

    def __init__(self, room: Room, seconds: float) -> None:
        self._room = room
        self._seconds = seconds

    async def __call__(self) -> Verdict:
        self._room.clock.seconds += self._seconds
        return YES


def slow_room(tmp_path: Path, *, seconds: float, deadline: float) -> Room:
    room = Room(tmp_path)
    room.gateway = ScriptedGateway(otherwise=Slow(room, seconds).__call__)
    room.stop.limit(deadline, monotonic=room.clock)
    return room


@pytest.mark.parametrize(
    ("deadline", "calls"), [(3.5, 4), (3.0, 3), (0.5, 1), (9.5, 10)], ids=["between", "exactly", "early", "late"]
)
def test_no_call_starts_once_the_deadline_has_passed(tmp_path: Path, deadline: float, calls: int) -> None:
    ending = slow_room(tmp_path, seconds=1.0, deadline=deadline).run(fleet(*TEN), workers=1)

    assert list(ending.results.values()) == [Result.APPLIED] * calls + [Result.SKIPPED] * (10 - calls)
    assert set(ending.state.agents) == set(TEN[:calls])


def test_a_deadline_that_is_missed_is_the_runs_reason_and_says_what_to_do(tmp_path: Path) -> None:
    ending = slow_room(tmp_path, seconds=1.0, deadline=3.5).run(fleet(*TEN), workers=1)

    assert isinstance(ending.error, RunDeadlineError)
    assert ending.error.exit_code is ExitCode.SOME_AGENTS_FAILED
    assert "apply again" in ending.error.hint


def test_a_deadline_that_passes_during_the_last_calls_is_no_trouble(tmp_path: Path) -> None:
    ending = slow_room(tmp_path, seconds=1.0, deadline=9.5).run(fleet(*TEN), workers=4)

    assert set(ending.results.values()) == {Result.APPLIED}
    assert ending.error is None


def test_calls_in_flight_at_the_deadline_are_waited_for(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.stop.limit(5.0, monotonic=room.clock)

    async def late() -> Verdict:
        await until(lambda: len(room.gateway.requests) == 4)
        room.clock.seconds = 6.0
        await asyncio.sleep(0.01)
        return YES

    room.gateway = ScriptedGateway(otherwise=late)
    ending = room.run(fleet(*TEN), workers=4)

    assert list(ending.results.values()) == [Result.APPLIED] * 4 + [Result.SKIPPED] * 6


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Transient(message="busy", retry_after=60.0), Result.FAILED),
        (Transient(message="HTTP 429", retry_after=60.0, overloaded=True), Result.FAILED),
        (Unanswered(message="no answer"), Result.IN_DOUBT),
    ],
    ids=["retry-after", "overloaded", "backoff"],
)
def test_no_wait_for_another_call_outlasts_the_deadline(tmp_path: Path, answer: Verdict, result: Result) -> None:
    # The waits are of hours, the deadline of a moment: the run ends only because they are cut short.
    room = Room(tmp_path, gateway=ScriptedGateway({1001: [answer]}))
    room.stop.limit(0.1, monotonic=room.clock)
    ending = room.run(fleet(1001), first_backoff=3600.0)

    assert ending.only.result is result
    assert ending.only.attempts == 1
    assert isinstance(ending.error, RunDeadlineError)


def test_no_wait_for_a_slot_of_the_pace_outlasts_the_deadline(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.stop.limit(0.1, monotonic=room.clock)
    ending = room.run(fleet(*TEN), rate=1 / 3600)

    assert list(ending.results.values()) == [Result.APPLIED] + [Result.SKIPPED] * 9


def test_a_session_source_that_hangs_does_not_outlast_the_deadline(tmp_path: Path) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    room = Room(tmp_path, source=ScriptedSource(failures={1: hang}))
    room.stop.limit(0.1, monotonic=room.clock)
    ending = room.run(fleet(*TEN))

    assert set(ending.results.values()) == {Result.SKIPPED}
    assert room.gateway.requests == []


def test_what_was_in_doubt_at_the_deadline_is_recorded_so(tmp_path: Path) -> None:
    room = Room(tmp_path, gateway=ScriptedGateway({1001: [Unanswered(message="no answer")]}))
    room.stop.limit(0.1, monotonic=room.clock)
    ending = room.run(fleet(1001), first_backoff=3600.0)

    assert [record.status for record in ending.state.agents.values()] == [RecordStatus.IN_DOUBT]


# The whole procedure


def test_the_sites_deadline_holds_and_the_next_run_goes_on(office: Office) -> None:
    office.sign_in(*TEN)
    ticks = iter(range(1000))
    hurried = office.apply(
        office.desired(fleet_of(TEN, VALUES), gateway=office.gateway(run_deadline=40.0)),
        around={"monotonic": lambda: float(next(ticks))},
    )

    assert isinstance(hurried.error, RunDeadlineError)
    counts = [outcome.result for outcome in hurried.outcomes]
    assert counts.count(Result.SKIPPED) > 0
    assert counts.count(Result.APPLIED) == office.calls() < 10
    finished = office.apply(office.desired(fleet_of(TEN, VALUES)))
    assert finished.error is None
    assert office.calls() == 10


# A gateway that has too much to do


def overloaded(retry_after: float | None) -> Transient:
    return Transient(message="HTTP 429", retry_after=retry_after, overloaded=True)


def stopped_once_quiet(room: Room, outcomes: int) -> Callable[[], Coroutine[Any, Any, None]]:
    """Stops the run once so many outcomes are told and nothing more happens."""

    async def beside() -> None:
        await until(lambda: len(room.gateway.acknowledged) >= outcomes)
        await asyncio.sleep(0.05)
        room.stop.request(RunStoppedError("enough"))

    return beside


@pytest.mark.parametrize(
    ("answer", "called"),
    [
        pytest.param(overloaded(60.0), 4, id="429-with-retry-after"),
        pytest.param(overloaded(None), 4, id="429-without"),
        pytest.param(Transient(retcode="000-007", message="busy", retry_after=60.0), 10, id="one-agents-own-trouble"),
    ],
)
def test_a_gateway_that_has_too_much_to_do_is_given_a_rest_by_everybody(
    tmp_path: Path, answer: Answer, called: int
) -> None:
    room = Room(tmp_path)

    async def together() -> Verdict:
        await until(lambda: len(room.gateway.requests) >= 4)
        await asyncio.sleep(0.02)  # the refusal comes first
        return YES

    async def first() -> Verdict:
        await until(lambda: len(room.gateway.requests) >= 4)
        assert isinstance(answer, Transient)
        return answer

    room.gateway = ScriptedGateway({1001: [first]}, otherwise=together)
    ending = room.run(fleet(*TEN), workers=4, first_backoff=30.0, beside=stopped_once_quiet(room, called - 1))

    assert room.gateway.calls() == dict.fromkeys(TEN[:called], 1)
    assert list(ending.results.values()).count(Result.APPLIED) == called - 1
