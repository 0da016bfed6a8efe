"""Turns ahead of the calls in flight: what the disk costs a run, and that they change nothing else.

Time is skipped here, so that figures are the same on every machine: a call takes 15 to 25 ms, and a sync none.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from applying.scripted import Ending, Room, ScriptedGateway, ScriptedSource, SkippingLoop, fleet
from support.fleets import concurrency, desired, desired_agent

from reconciler.gateway import Acknowledged, NotSignedIn, Refused, Request, Verdict
from reconciler.model.outcome import Result
from reconciler.model.state import RecordStatus

REFUSED = Refused(retcode="106-011", message="no skill queue")
GONE = NotSignedIn(retcode="100-006", message="not signed in")
TEN = tuple(range(1001, 1011))


class Inline(Executor):
    """Does what it is given in the next turn of the loop: a disk that takes no time."""

    def __init__(self, **_: object) -> None:
        """Need nothing."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        asyncio.get_running_loop().call_soon(partial(work, *arguments, **named))
        return Future()


class DistantGateway(ScriptedGateway):
    """Answers after 15 to 25 ms, and says yes."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = random.Random(6)  # noqa: S311 - a sample, not a secret

    async def call(self, request: Request) -> Verdict:
        self.requests.append(request)
        self.open[0] += 1
        self.most_at_once = max(self.most_at_once, self.open[0])
        await asyncio.sleep(self._chance.uniform(0.015, 0.025))
        self.open[0] -= 1
        return Acknowledged()


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr("reconciler.state.journal.commit.ThreadPoolExecutor", Inline)
    return Room(tmp_path, gateway=DistantGateway())


def run_fleet(room: Room, agents: int, *, workers: int, ahead: int) -> tuple[float, Ending]:
    """Set so many agents, three values among them, and return how long that took, too."""
    loops: list[asyncio.AbstractEventLoop] = []

    def loop() -> asyncio.AbstractEventLoop:
        loops.append(SkippingLoop())
        return loops[0]

    wanted = {
        1001 + number: desired_agent(concurrency(8 + number % 3, web_chat=4, sms=2), team=f"team-{number % 2}")
        for number in range(agents)
    }
    ending = room.run(desired(wanted), workers=workers, ahead=ahead, loop=loop)
    assert set(ending.results.values()) == {Result.APPLIED}
    return loops[0].time(), ending


@pytest.mark.parametrize("workers", [16, 64])
def test_a_durable_outcome_costs_a_fifth_of_a_sync_and_a_hundred_bytes_at_most(room: Room, workers: int) -> None:
    run_fleet(room, 800, workers=workers, ahead=workers)

    assert room.disk.syncs / 800 <= 0.2
    assert len(room.disk.durable) / 800 <= 100


@pytest.mark.parametrize("workers", [16, 64])
def test_the_disk_keeps_no_connection_idle(room: Room, workers: int) -> None:
    seconds, _ = run_fleet(room, 1600, workers=workers, ahead=workers)

    assert seconds <= 1.05 * 1600 * 0.020 / workers


def test_no_more_calls_are_in_flight_than_there_are_connections(room: Room) -> None:
    run_fleet(room, 100, workers=8, ahead=8)

    assert room.gateway.most_at_once == 8


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_fail_fast_lets_nobody_be_called_who_was_ahead(tmp_path: Path, ahead: int) -> None:
    room = Room(tmp_path, gateway=ScriptedGateway({1003: [REFUSED]}))
    ending = room.run(fleet(*TEN), workers=1, ahead=ahead, fail_fast=True)

    assert room.gateway.calls() == {1001: 1, 1002: 1, 1003: 1}
    assert [ending.results[agent] for agent in TEN[3:]] == [Result.SKIPPED] * 7
    assert {agent: each.status for agent, each in room.on_disk().agents.items()} == dict.fromkeys(
        (1001, 1002), RecordStatus.ACKNOWLEDGED
    )


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_the_breaker_counts_no_call_of_those_ahead(tmp_path: Path, ahead: int) -> None:
    room = Room(tmp_path, gateway=ScriptedGateway(otherwise=REFUSED))
    room.run(fleet(*TEN), workers=1, ahead=ahead, breaker=4)

    assert sum(room.gateway.calls().values()) == 4


def test_whoever_is_ahead_and_has_no_session_any_more_waits(tmp_path: Path) -> None:
    room = Room(tmp_path, gateway=ScriptedGateway({1002: [GONE]}), source=ScriptedSource(absent=frozenset({1004})))
    ending = room.run(fleet(*TEN), workers=2, ahead=4)

    assert set(room.on_disk().pending) == {1002, 1004}
    assert [ending.results[agent] for agent in (1002, 1004)] == [Result.DEFERRED] * 2
