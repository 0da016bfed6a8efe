"""An end to waiting for what does not answer.

Rules of this file: a thread that waits cannot be stopped, so the work is done in one that dies with the process, and is
left to itself when the time is over. Only for work that may end later, or never, unheard. A signal's handler may say
how much time is left, and may raise: whoever waits here hears of either at once.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")
Unclaimed = Callable[[_T], object]
"""Told what work came to for which nobody waits any more, in the thread that did it."""
_LOOK = 0.1  # seconds between two looks at a time that somebody else may shorten


class Haste:
    """The time that is left for waiting: without end, until somebody is in a hurry."""

    def __init__(self, seconds: float = math.inf) -> None:
        """Begin to count."""
        self._end = time.monotonic() + seconds
        self._given_up: list[_Errand[Any]] = []

    def hurry(self, seconds: float) -> None:
        """Leave no more than so many seconds from now; the shortest time counts. A signal's handler may call it."""
        self._end = min(self._end, time.monotonic() + seconds)

    def do(self, work: Callable[[], _T], *, unclaimed: Unclaimed[_T] = lambda _: None) -> _T:
        """Return what `work` returns, or raise what it raises; it is not begun when no time is left.

        Args:
            work: what may take long.
            unclaimed: told what `work` came to if it is given up, by an end of the time or of the patience.

        Raises:
            TimeoutError: the time was over first; nobody but `unclaimed` hears of the end of `work` any more.
        """
        errand = _Errand(work, unclaimed)
        try:
            if self._left() > 0:
                errand.begin()
            self._await(errand.ended)
            return errand.result()
        except BaseException:
            if errand.give_up():
                self._given_up.append(errand)
            raise

    def rest(self) -> bool:
        """Wait for the end of all that was given up, as long as there is time; return whether all has ended well."""
        settled = True
        with contextlib.suppress(TimeoutError):
            while self._given_up:
                self._await(self._given_up[-1].over)
                settled &= self._given_up.pop().settled
        return settled and not self._given_up

    def _await(self, event: threading.Event) -> None:
        while not event.is_set():
            left = self._left()
            if left <= 0:
                raise TimeoutError
            event.wait(min(left, _LOOK))

    def _left(self) -> float:
        return self._end - time.monotonic()


class _Errand(Generic[_T]):
    """Work that somebody else may wait for; like a future, which who only reads a state would load much to have."""

    def __init__(self, work: Callable[[], _T], unclaimed: Unclaimed[_T]) -> None:
        self.ended = threading.Event()
        self.over = threading.Event()
        """It was given up and has ended, and its result is where it belongs, if `settled`."""
        self.settled = False
        self._work = work
        self._unclaimed = unclaimed
        self._result: list[_T] = []
        self._error: BaseException | None = None
        self._guard = threading.Lock()
        self._begun = False
        self._wanted = True

    def begin(self) -> None:
        self._begun = True
        try:
            self._in_a_thread(self._run)
        except RuntimeError:  # the machine has no room for another thread
            self._begun = False
            raise

    def give_up(self) -> bool:
        """Leave it to itself, and return whether it can still come to anything."""
        with self._guard:
            self._wanted = False
            ended = self.ended.is_set()
        if ended and self._result:
            with contextlib.suppress(RuntimeError):  # no room for another thread: then it is never over
                self._in_a_thread(self._hand_over)
        return self._begun and (not ended or bool(self._result))

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        with self._guard:
            self.ended.set()
            wanted = self._wanted
        if not wanted:
            self._hand_over()

    def _hand_over(self) -> None:
        try:
            with contextlib.suppress(Exception):  # nobody is left to hear of it but by `settled`
                if self._result:
                    self._unclaimed(self._result[0])
                self.settled = True
        finally:
            self.over.set()

    @staticmethod
    def _in_a_thread(work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="in-haste", daemon=True).start()

    def result(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._result[0]
