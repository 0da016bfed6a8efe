"""What a command is busy with: one line on a terminal, gone when it is over.

Rules of this file: nothing before half a second, so that a small environment flickers nothing; on stderr only, on a
terminal only. Whoever works says at most how much is done, which costs two assignments: a thread looks at the clock,
also while one large file is read or an answer is waited for.
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

Wait = Callable[[float], bool]
"""Waits so many seconds at most, and returns whether the work is over."""


class Work:
    """What is under way, and how much of it is done where somebody counts."""

    def __init__(self, words: str, unit: str = "") -> None:
        """Take what is done, such as `reading`, and what of, such as `files`."""
        self._words, self._unit = words, unit
        self._done = self._total = 0

    def tell(self, done: int, total: int) -> None:
        """Take note of how much is done, and of how much there is."""
        self._done, self._total = done, total

    def line(self, seconds: float) -> str:
        """Say how far it is after so many seconds, and at that rate how long the rest takes."""
        if not self._done:
            return f"{self._words}, {seconds:.1f} s"
        done = f"{self._words}: {self._done:,} of {self._total:,} {self._unit}"
        if self._done == self._total:  # and not over: what was read is looked at as a whole
            return f"{done}, {seconds:.1f} s"
        rate = self._done / seconds
        pace = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"  # noqa: PLR2004 - two digits are enough
        return f"{done}, {pace}, {(self._total - self._done) / rate:.0f} s left"


@contextmanager
def meanwhile(words: str, unit: str = "") -> Iterator[Work]:
    """Show what is done inside the block, if it takes long; what is yielded may be told how far it is."""
    work = Work(words, unit)
    if not shows_progress(sys.stderr, os.environ):
        yield work
        return
    import threading  # noqa: PLC0415 - a pipeline needs no thread

    over = threading.Event()
    thread = threading.Thread(target=show, args=(work, over.wait, time.monotonic), name="meanwhile", daemon=True)
    try:  # an interrupt may come at any moment, and the line must not outlive it
        thread.start()
        yield work
    finally:
        over.set()
        if thread.is_alive():
            thread.join()


def show(work: Work, wait: Wait, monotonic: Callable[[], float]) -> None:
    """Show a line of `work` every so often until it is over, and leave the terminal as it was."""
    begun = monotonic()
    if wait(_AFTER):
        return
    over = False
    while not over:
        write(sys.stderr, f"{_ERASE}{work.line(monotonic() - begun)}")
        over = wait(_EVERY)
    write(sys.stderr, _ERASE)
