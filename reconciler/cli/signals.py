"""Signals that end an apply: the first in order, the second at once.

A CI host that cancels a job sends SIGINT, SIGTERM 7.5 s later, and then kills; so calls in flight get five seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.applying import Stop
from reconciler.cli.interrupts import ending_signals
from reconciler.cli.streams import write
from reconciler.errors import ExitCode, InterruptedRunError

GRACE = 5.0
"""Seconds for calls in flight after the first signal."""


@contextmanager
def stop_on_signals(stop: Stop, *, last_words: Callable[[], str] = str) -> Iterator[None]:
    """Throw `stop` at the first signal and leave the process at the second; entered inside the event loop.

    Args:
        stop: the switch.
        last_words: makes what else is to be told when the process is left at once.
    """
    loop, ending = asyncio.get_running_loop(), ending_signals()
    seen = itertools.count(1)

    def on_signal() -> None:
        if next(seen) > 1:
            # Consistent all the same: whatever was sent has a durable intent, and the next run takes it from there.
            cursor = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar has hidden it
            write(sys.stderr, f"{cursor}left at once: calls without an answer are in doubt; the next plan lists them\n")
            write(sys.stderr, last_words())
            os._exit(ExitCode.INTERRUPTED)
        write(sys.stderr, "stopping: no new calls; waiting for those in flight (interrupt again to leave at once)\n")
        stop.request(InterruptedRunError("interrupted; the rest was not sent"), grace=GRACE)

    for number in ending:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in ending:
            loop.remove_signal_handler(number)
            # What is left is to write the state and tell the outcomes: a moment, and not one to be lost in.
            signal.signal(number, signal.SIG_IGN)
