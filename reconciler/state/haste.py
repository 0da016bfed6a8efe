"""An end to waiting for what does not answer.

Rules of this file: a thread that waits cannot be stopped, so the work is done in one that dies with the process, and is
left to itself when the time is over. Only for work that may end later, or never, unheard. A signal's handler may say
how much time is left, and may raise: whoever waits here hears of either at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")
_LOOK = 0.1  # seconds between two looks at a time that somebody else may shorten


class Haste:
    """The time that is left for waiting: without end, until somebody is in a hurry."""

    def __init__(self, seconds: float = math.inf) -> None:
        """Begin to count."""
        self._end = time.monotonic() + seconds

    def hurry(self, seconds: float) -> None:
        """Leave no more than so many seconds from now; the shortest time counts. A signal's handler may call it."""
        self._end = min(self._end, time.monotonic() + seconds)

    def do(self, work: Callable[[], _T]) -> _T:
        """Return what `work` returns, or raise what it raises; it is not begun when no time is left.

        Raises:
            TimeoutError: the time was over first; nobody hears of the end of `work` any more.
        """
        errand = _Errand(work)
        if self._left() > 0:
            threading.Thread(target=errand.run, name="in-haste", daemon=True).start()
        while not errand.ended.is_set():
            left = self._left()
            if left <= 0:
                raise TimeoutError
            errand.ended.wait(min(left, _LOOK))
        return errand.result()

    def _left(self) -> float:
        return self._end - time.monotonic()


class _Errand(Generic[_T]):
    """Work that somebody else may wait for; like a future, which who only reads a state would load much to have."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self.ended = threading.Event()
        self._work = work
        self._result: list[_T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        finally:
            self.ended.set()

    def result(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._result[0]
