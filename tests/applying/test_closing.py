"""The session source is closed on every way out, and never longer than patience lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest
from applying.scripted import Fault, ScriptedSource, run_skipping

from reconciler.applying import Stop
from reconciler.errors import InterruptedRunError
from reconciler.gateway import closing
from reconciler.gateway.sessions.closing import LONGEST

LAST_MOMENT = 0.75
INTERRUPTED = InterruptedRunError("interrupted")


class Closing(ScriptedSource):
    """Takes so many seconds to close."""

    def __init__(self, seconds: float = 0.0, bug: Exception | None = None) -> None:
        super().__init__()
        self.seconds = seconds
        self.bug = bug
        self.closed = 0
        self.cut_off = 0

    async def close(self) -> None:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        self.closed += 1
        if self.bug is not None:
            raise self.bug


def closing_by(source: Closing, stop: Stop) -> AbstractAsyncContextManager[None]:
    return closing(source, too_late=partial(stop.patience_over, more=LAST_MOMENT), on_bug=stop.request)


def leave(source: Closing, stop: Stop, way: Callable[[], None]) -> float:
    """Leave by `way`; return the seconds it took."""

    async def main(clock: Callable[[], float]) -> float:
        try:
            async with closing_by(source, stop):
                way()
        except (Fault, asyncio.CancelledError):
            pass
        return clock()

    return run_skipping(main)


def fail() -> None:
    raise Fault


def cancel() -> None:
    raise asyncio.CancelledError


WAYS: Mapping[str, Callable[[], None]] = {"well": lambda: None, "by-a-bug": fail, "cancelled": cancel}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_source_is_closed_once_whichever_way_the_run_ends(way: Callable[[], None]) -> None:
    source = Closing(seconds=2)

    leave(source, Stop(), way)

    assert (source.closed, source.cut_off) == (1, 0)


def test_closing_takes_as_long_as_it_takes_when_nobody_is_in_a_hurry() -> None:
    source = Closing(seconds=LONGEST - 1)

    assert leave(source, Stop(), lambda: None) == pytest.approx(LONGEST - 1)
    assert source.closed == 1


def test_a_source_that_never_closes_is_cut_off_in_the_end() -> None:
    source = Closing(seconds=1e6)

    assert leave(source, Stop(), lambda: None) == pytest.approx(LONGEST)
    assert (source.closed, source.cut_off) == (0, 1)


def test_after_an_interrupt_closing_ends_a_moment_after_the_grace() -> None:
    source, stop = Closing(seconds=1e6), Stop()

    seconds = leave(source, stop, lambda: stop.request(INTERRUPTED, grace=5.0))

    assert seconds == pytest.approx(5.0 + LAST_MOMENT)
    assert source.cut_off == 1


def test_the_grace_counts_from_the_interrupt_and_not_from_the_beginning_of_closing() -> None:
    source, stop = Closing(seconds=1e6), Stop()

    async def main(clock: Callable[[], float]) -> float:
        async with closing_by(source, stop):
            stop.request(INTERRUPTED, grace=5.0)
            await asyncio.sleep(4.0)
        return clock()

    assert run_skipping(main) == pytest.approx(5.0 + LAST_MOMENT)


def test_an_interrupt_in_the_midst_of_closing_is_heard() -> None:
    source, stop = Closing(seconds=1e6), Stop()

    async def main(clock: Callable[[], float]) -> float:
        asyncio.get_running_loop().call_later(2.0, lambda: stop.request(INTERRUPTED, grace=5.0))
        async with closing_by(source, stop):
            pass
        return clock()

    assert run_skipping(main) == pytest.approx(2.0 + 5.0 + LAST_MOMENT)


def test_a_bug_in_closing_is_a_reason_to_stop_and_hides_nothing() -> None:
    bug, stop = Fault(), Stop()

    leave(Closing(bug=bug), stop, lambda: None)

    assert stop.error is bug
