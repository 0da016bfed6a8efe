"""Signals that end a probe: the first gives the agent its numbers back, the second ends at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.interrupts import ending_signals
from reconciler.cli.streams import write
from reconciler.errors import ExitCode


@contextmanager
def restore_on_signals(halt: Callable[[], None], *, last_words: Callable[[], str] = str) -> Iterator[None]:
    """Call `halt` at the first signal and leave the process at the second; entered inside the event loop.

    Args:
        halt: throws the probe's switch.
        last_words: makes what else is to be told when the process is left at once.
    """
    loop, ending = asyncio.get_running_loop(), ending_signals()
    seen = itertools.count(1)

    def on_signal() -> None:
        if next(seen) > 1:
            # The intent of whatever was sent is durable, so the agent is in doubt and known to be.
            write(sys.stderr, "left at once: the agent is in doubt, and the next plan sends its numbers again\n")
            write(sys.stderr, last_words())
            os._exit(ExitCode.INTERRUPTED)
        write(sys.stderr, "stopping: the agent gets its own numbers back first (interrupt again to leave at once)\n")
        halt()

    for number in ending:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in ending:
            loop.remove_signal_handler(number)
            # What is left is to write the state and tell the findings: a moment, and not one to be lost in.
            signal.signal(number, signal.SIG_IGN)
