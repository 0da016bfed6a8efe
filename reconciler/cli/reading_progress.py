"""How far a look at a large environment has come: one line on a terminal, gone when it is over.

Rules of this file: nothing before half a second, so that small environments flicker nothing; a file costs a look at the
clock; on stderr only, on a terminal only.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.streams import shows_progress, write

_AFTER, _EVERY = 0.5, 0.2
"""Seconds."""
_ERASE = "\r\x1b[2K"

Tell = Callable[[int, int], None]
"""Takes how many files are read, and how many there are."""


@contextmanager
def reading_progress(monotonic: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Yield what is to be told each file that was read."""
    if not shows_progress(sys.stderr, os.environ):
        yield lambda _done, _total: None
        return
    line = _Line(monotonic)
    try:
        yield line.tell
    finally:
        line.erase()


class _Line:
    """The line at the bottom of the terminal."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._begun = monotonic()
        self._next = self._begun + _AFTER
        self._shown = False

    def tell(self, done: int, total: int) -> None:
        """Show the count, with its rate and the time left, if it is time to."""
        now = self._monotonic()
        if now < self._next and not (self._shown and done == total):
            return
        self._next, self._shown = now + _EVERY, True
        rate = done / (now - self._begun)
        left = f"{(total - done) / rate:.0f} s left" if done < total else "comparing"
        write(sys.stderr, f"{_ERASE}reading {done} of {total} files, {rate:.0f}/s, {left}")

    def erase(self) -> None:
        """Leave the terminal as it was."""
        if self._shown:
            write(sys.stderr, _ERASE)
