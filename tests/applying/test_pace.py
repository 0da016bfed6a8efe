from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from applying.scripted import PATIENCE, Clock, run_skipping
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying import RunStoppedError, Stop
from reconciler.applying.pace import Pace, backoff

chances = st.floats(0, 1)
firsts = st.floats(1e-6, 60)


def starts_of(workers: int, turns: int, *, rate: float, work: float = 0.0) -> list[float]:
    """When each of so many workers begins each of so many calls, of `work` seconds each."""

    async def main(clock: Callable[[], float]) -> list[float]:
        pace, starts = Pace(rate, monotonic=clock, stop=Stop()), list[float]()

        async def worker() -> None:
            for _ in range(turns):
                assert await pace.turn()
                starts.append(clock())
                await asyncio.sleep(work)

        await asyncio.gather(*(worker() for _ in range(workers)))
        return starts

    return run_skipping(main)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_calls_start_evenly_spaced_however_many_workers_there_are(workers: int) -> None:
    starts = starts_of(workers, 48 // workers, rate=20)

    assert starts == pytest.approx([number / 20 for number in range(48)])


def test_slow_calls_start_no_faster_afterwards() -> None:
    starts = starts_of(2, 3, rate=10, work=1.0)

    assert starts == pytest.approx([0.0, 0.1, 1.0, 1.1, 2.0, 2.1])


def test_a_quiet_time_is_not_made_up_for() -> None:
    async def main(clock: Callable[[], float]) -> list[float]:
        pace, starts = Pace(10, monotonic=clock, stop=Stop()), list[float]()
        for quiet in (0, 0, 100, 0, 0):
            await asyncio.sleep(quiet)
            await pace.turn()
            starts.append(clock())
        return starts

    assert run_skipping(main) == pytest.approx([0.0, 0.1, 100.1, 100.2, 100.3])


def test_the_first_turn_waits_for_nothing_whatever_the_clock_says() -> None:
    clock = Clock()
    clock.seconds = -1e6

    assert asyncio.run(asyncio.wait_for(Pace(1, monotonic=clock, stop=Stop()).turn(), PATIENCE))


def test_a_stop_ends_all_waiting_for_a_slot() -> None:
    async def main() -> list[bool]:
        stop = Stop()
        pace = Pace(0.001, monotonic=Clock(), stop=stop)
        turns = [asyncio.create_task(pace.turn()) for _ in range(4)]
        await asyncio.sleep(0)
        stop.request(RunStoppedError("enough"))
        return await asyncio.wait_for(asyncio.gather(*turns), PATIENCE)

    assert asyncio.run(main()) == [True, False, False, False]


@given(failures=st.integers(1, 5000), chance=chances, first=firsts)
def test_a_backoff_is_half_to_all_of_its_doubling_and_eight_seconds_at_most(
    failures: int, chance: float, first: float
) -> None:
    full = min(first * 2 ** min(failures - 1, 100), 8.0)
    wait = backoff(failures, chance=chance, retry_after=None, first=first)

    assert full / 2 <= wait <= full


@given(failures=st.integers(1, 5000), chance=chances, wish=st.floats(0, 60), first=firsts)
def test_a_servers_wish_is_the_least_wait(failures: int, chance: float, wish: float, first: float) -> None:
    own = backoff(failures, chance=chance, retry_after=None, first=first)

    assert backoff(failures, chance=chance, retry_after=wish, first=first) == max(own, wish)


@given(failures=st.integers(1, 5000), chance=chances, first=firsts)
def test_a_backoff_never_shrinks_from_one_failure_to_the_next(failures: int, chance: float, first: float) -> None:
    waits = [backoff(failures + more, chance=chance, retry_after=None, first=first) for more in (0, 1)]

    assert waits == sorted(waits)


def test_agents_that_failed_together_come_back_apart() -> None:
    waits = {backoff(1, chance=chance / 10, retry_after=None) for chance in range(11)}

    assert (len(waits), min(waits), max(waits)) == (11, 0.25, 0.5)


# A server that has too much to do


def held_starts(workers: int, turns: int, *, rate: float, holds: Mapping[int, float]) -> list[float]:
    """When the calls start of which the n-th asks that all wait so long."""

    async def main(clock: Callable[[], float]) -> list[float]:
        pace, starts = Pace(rate, monotonic=clock, stop=Stop()), list[float]()

        async def worker() -> None:
            for _ in range(turns):
                assert await pace.turn()
                starts.append(clock())
                if len(starts) in holds:
                    pace.hold(holds[len(starts)])

        await asyncio.gather(*(worker() for _ in range(workers)))
        return starts

    return run_skipping(main)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_a_hold_stops_every_worker_also_those_who_wait_for_their_slot_and_they_do_not_burst_afterwards(
    workers: int,
) -> None:
    starts = held_starts(workers, 16 // workers, rate=10, holds={3: 60.0})

    assert starts[:3] == pytest.approx([0.0, 0.1, 0.2])
    assert starts[3] >= 60.2
    gaps = [after - before for before, after in pairwise(starts[3:])]
    assert min(gaps) >= 0.1 - 1e-9


def test_a_hold_shorter_than_the_next_slot_changes_nothing() -> None:
    assert held_starts(1, 4, rate=1, holds={2: 0.5}) == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_a_second_hold_never_shortens_the_first() -> None:
    async def main(clock: Callable[[], float]) -> float:
        pace = Pace(1000, monotonic=clock, stop=Stop())
        pace.hold(60.0)
        pace.hold(5.0)
        await pace.turn()
        return clock()

    assert run_skipping(main) == pytest.approx(60.0)


def test_a_held_pace_is_ended_by_a_stop() -> None:
    async def main() -> list[bool]:
        stop = Stop()
        pace = Pace(1000, monotonic=Clock(), stop=stop)
        pace.hold(60.0)
        turns = [asyncio.create_task(pace.turn()) for _ in range(4)]
        await asyncio.sleep(0)
        stop.request(RunStoppedError("enough"))
        return await asyncio.wait_for(asyncio.gather(*turns), PATIENCE)

    assert asyncio.run(main()) == [False] * 4
