"""Being told to stop: one switch that every worker watches, and that says why it was thrown.

The first reason wins; later ones change nothing but the patience with calls in flight. Waiting anywhere in the applier
goes through `pause` or `unless_stopped`, so that a stop is noticed at once and never after a backoff, and no wait
outlasts the run's deadline: when that passes, the switch is thrown like by anybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from reconciler.errors import ExitCode, ReconcilerError

_T = TypeVar("_T")


class Stop:
    """The switch. Once thrown it stays thrown."""

    def __init__(self) -> None:
        """Begin with nobody having asked."""
        self._thrown = asyncio.Event()
        self._hurried = asyncio.Event()
        self._error: BaseException | None = None
        self._grace = 0.0
        self._limit = math.inf
        self._ends: Callable[[], float] | None = None
        """Seconds to the deadline; without one nobody looks at the clock."""

    def limit(self, seconds: float, *, monotonic: Callable[[], float]) -> None:
        """Throw the switch once so many seconds have passed by this clock; calls in flight then end as they may."""
        end = monotonic() + seconds
        self._limit, self._ends = seconds, lambda: end - monotonic()

    def request(self, error: BaseException, *, grace: float | None = None) -> None:
        """Ask every worker to begin nothing new.

        Args:
            error: why; it decides the exit code of the run, unless another reason came first.
            grace: seconds to wait for calls in flight before giving them up; `None` waits for their own timeouts. An
                interrupt sets one even when the run was stopping already; the first one set counts.
        """
        if self._error is None:
            self._error = error
        self._thrown.set()
        if grace is not None and not self._hurried.is_set():
            self._grace = grace
            self._hurried.set()

    @property
    def requested(self) -> bool:
        """Tell whether somebody asked, or the run's deadline has passed."""
        if self._ends is not None and self._ends() <= 0:
            self._expire()
        return self._thrown.is_set()

    @property
    def error(self) -> BaseException | None:
        """Why, once somebody asked."""
        return self._error

    async def pause(self, seconds: float) -> bool:
        """Wait so long, or until somebody asks; return whether to go on."""
        if seconds > 0 and not self.requested:
            left = self._left()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, left)):
                    await self._thrown.wait()
            if left <= seconds:  # whatever the clock says that this waiting did not go by
                self._expire()
        return not self.requested

    async def unless_stopped(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T | None:
        """Return what `work` returns, or `None` when somebody asked first; it is cancelled then, or never begun."""
        if self.requested:
            return None
        working, thrown = asyncio.create_task(work()), asyncio.create_task(self._thrown.wait())
        left = self._left()
        try:
            done, _ = await asyncio.wait(
                {working, thrown}, timeout=None if left == math.inf else left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                self._expire()
            return working.result() if working.done() else None
        finally:
            working.cancel()
            thrown.cancel()
            await asyncio.gather(working, thrown, return_exceptions=True)

    def _left(self) -> float:
        return math.inf if self._ends is None else self._ends()

    def _expire(self) -> None:
        if self._error is None:
            self.request(RunDeadlineError(self._limit))

    async def patience_over(self, *, more: float = 0.0) -> None:
        """Return when calls in flight are to be given up, or so many seconds later: never, while nobody set a grace."""
        await self._hurried.wait()
        await asyncio.sleep(self._grace + more)


class RunStoppedError(ReconcilerError):
    """The run stopped itself: one more call could only have met the same refusal. Not raised; kept by `Stop`."""

    exit_code = ExitCode.SOME_AGENTS_FAILED


class RunDeadlineError(RunStoppedError):
    """The time given to the run is over."""

    def __init__(self, seconds: float) -> None:
        """Name the time and where it can be changed."""
        super().__init__(
            f"stopped: the run's deadline of {seconds:g} s has passed, so no further call was started",
            hint="apply again to go on with what is left (a reviewed plan needs --allow-shrink for that); more time is "
            "given by --deadline or gateway.run_deadline",
        )


class CredentialsRefusedError(RunStoppedError):
    """The gateway does not accept the sessions it is given."""

    exit_code = ExitCode.SESSION_SOURCE_FAILED


CREDENTIALS = frozenset({"000-003", "100-004"})
"""Retcodes by which the gateway refuses the session or the sign-in, not the call."""


def stopped_by(retcode: str | None, words: str, *, hint: str = "") -> RunStoppedError:
    """Return the reason for a stop after the answer `retcode`: refused credentials are the session source's trouble."""
    if retcode in CREDENTIALS:
        return CredentialsRefusedError(
            f"stopped: {words}", hint="check that the session source gives live Guids of this site"
        )
    return RunStoppedError(f"stopped: {words}", hint=hint)
