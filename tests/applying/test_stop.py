from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from applying.scripted import PATIENCE, Clock, Fault, run_skipping

from reconciler.applying import RunStoppedError, Stop
from reconciler.applying.stop import RunDeadlineError
from reconciler.errors import ExitCode, InterruptedRunError

FIRST, SECOND = RunStoppedError("first"), InterruptedRunError("second")


def test_nobody_asked_at_first() -> None:
    stop = Stop()

    assert (stop.requested, stop.error) == (False, None)


def test_the_first_reason_is_kept() -> None:
    stop = Stop()
    stop.request(FIRST)
    stop.request(SECOND, grace=1)

    assert stop.requested
    assert stop.error is FIRST


def test_a_run_that_stopped_itself_exits_as_one_with_failed_agents() -> None:
    assert RunStoppedError("enough").exit_code is ExitCode.SOME_AGENTS_FAILED


def test_a_pause_lasts_as_long_as_it_says() -> None:
    async def main(clock: Callable[[], float]) -> tuple[bool, float]:
        return await Stop().pause(30), clock()

    went_on, seconds = run_skipping(main)

    assert went_on
    assert seconds == pytest.approx(30)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_pause_of_no_length_ends_at_once(seconds: float) -> None:
    assert asyncio.run(Stop().pause(seconds))


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_a_pause_after_a_stop_ends_at_once_and_says_so(seconds: float) -> None:
    stop = Stop()
    stop.request(FIRST)

    assert not asyncio.run(asyncio.wait_for(stop.pause(seconds), PATIENCE))


def test_a_stop_ends_every_pause_under_way() -> None:
    async def main() -> list[bool]:
        stop = Stop()
        pauses = [asyncio.create_task(stop.pause(3600)) for _ in range(3)]
        await asyncio.sleep(0)
        stop.request(FIRST)
        return await asyncio.wait_for(asyncio.gather(*pauses), PATIENCE)

    assert asyncio.run(main()) == [False, False, False]


def test_a_stop_at_the_very_end_of_a_pause_is_not_overlooked() -> None:
    async def main(_: object) -> bool:
        stop = Stop()
        asyncio.get_running_loop().call_later(5, stop.request, FIRST)
        return await stop.pause(5)

    assert not run_skipping(main)


def test_work_that_ends_before_a_stop_gives_its_result() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert asyncio.run(Stop().unless_stopped(work)) == "done"


def test_work_that_fails_before_a_stop_raises_its_own_error() -> None:
    async def work() -> None:
        raise Fault("here")

    with pytest.raises(Fault, match="here"):
        asyncio.run(Stop().unless_stopped(work))


def test_work_is_never_begun_after_a_stop() -> None:
    begun = []

    async def work() -> None:
        begun.append(1)

    stop = Stop()
    stop.request(FIRST)

    assert asyncio.run(stop.unless_stopped(work)) is None
    assert begun == []


def test_a_stop_cancels_the_work_and_hides_what_its_end_raises() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)
            raise Fault("while ending")

    async def main() -> object:
        stop = Stop()
        asyncio.get_running_loop().call_later(0.01, stop.request, FIRST)
        return await asyncio.wait_for(stop.unless_stopped(work), PATIENCE)

    assert asyncio.run(main()) is None
    assert ended == [1]


def test_a_cancelled_waiter_takes_its_work_with_it() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def main() -> None:
        waiter = asyncio.create_task(Stop().unless_stopped(work))
        await asyncio.sleep(0.01)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)

    asyncio.run(main())

    assert ended == [1]


def test_patience_is_over_when_the_grace_has_passed() -> None:
    async def main(clock: Callable[[], float]) -> float:
        stop = Stop()
        stop.request(SECOND, grace=5)
        await stop.patience_over()
        return clock()

    assert run_skipping(main) == pytest.approx(5)


def test_an_interrupt_sets_a_grace_even_when_the_run_was_stopping_already() -> None:
    async def main(clock: Callable[[], float]) -> float:
        stop = Stop()
        loop = asyncio.get_running_loop()
        stop.request(FIRST)
        loop.call_later(60, lambda: stop.request(SECOND, grace=5))
        loop.call_later(61, lambda: stop.request(SECOND, grace=500))
        await stop.patience_over()
        return clock()

    assert run_skipping(main) == pytest.approx(65)


# The deadline


def test_a_deadline_that_passes_throws_the_switch_and_says_why() -> None:
    clock, stop = Clock(), Stop()
    stop.limit(30.0, monotonic=clock)
    seen = []
    for clock.seconds in (0.0, 29.9, 30.0, 31.0):
        seen.append(stop.requested)

    assert seen == [False, False, True, True]
    assert isinstance(stop.error, RunDeadlineError)
    assert stop.error.exit_code is ExitCode.SOME_AGENTS_FAILED
    assert "30 s" in str(stop.error)
    assert "--deadline" in stop.error.hint


def test_a_deadline_never_hides_an_earlier_reason() -> None:
    clock, stop = Clock(), Stop()
    stop.limit(30.0, monotonic=clock)
    stop.request(RunStoppedError("enough"))
    clock.seconds = 31.0

    assert stop.requested
    assert str(stop.error) == "enough"


@pytest.mark.parametrize("seconds", [10.0, 10.5, 3600.0, 1e9])
def test_no_pause_outlasts_the_deadline(seconds: float) -> None:
    async def main(clock: Callable[[], float]) -> tuple[bool, float]:
        stop = Stop()
        stop.limit(10.0, monotonic=clock)
        return await stop.pause(seconds), clock()

    goes_on, end = run_skipping(main)
    assert not goes_on
    assert end == pytest.approx(10.0)


def test_a_pause_before_the_deadline_is_whole() -> None:
    async def main(clock: Callable[[], float]) -> tuple[bool, float]:
        stop = Stop()
        stop.limit(10.0, monotonic=clock)
        return await stop.pause(9.0), clock()

    goes_on, end = run_skipping(main)
    assert goes_on
    assert end == pytest.approx(9.0)


def test_work_that_does_not_end_is_cancelled_at_the_deadline() -> None:
    async def main(clock: Callable[[], float]) -> tuple[object, float, bool]:
        stop, cancelled = Stop(), False
        stop.limit(10.0, monotonic=clock)

        async def work() -> str:
            nonlocal cancelled
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled = True
                raise
            return "never"

        return await stop.unless_stopped(work), clock(), cancelled and stop.requested

    result, end, cancelled = run_skipping(main)
    assert (result, cancelled) == (None, True)
    assert end == pytest.approx(10.0)


def test_work_that_ends_before_the_deadline_gives_its_result() -> None:
    async def main(clock: Callable[[], float]) -> tuple[object, bool]:
        stop = Stop()
        stop.limit(10.0, monotonic=clock)

        async def work() -> str:
            await asyncio.sleep(9.0)
            return "done"

        return await stop.unless_stopped(work), stop.requested

    assert run_skipping(main) == ("done", False)
