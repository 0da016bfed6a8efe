"""Signals while an event loop works: the first ends the work in order, the second leaves the process at once.

Once the work is over, what is left is to write the state and to tell what happened, and no signal may cost that: each
only shortens the wait for a state that is kept on another machine.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.interrupts import ending_signals
from reconciler.cli.last_document import write_last_document
from reconciler.errors import ExitCode

LAST_WRITES = 5.0
"""Seconds for writing a state on another machine once the work is over, after a signal."""


@contextmanager
def two_stages(
    end_in_order: Callable[[], None], last_words: Callable[[], None], *, hurry: Callable[[float], None]
) -> Iterator[None]:
    """Take the signals that end a command; entered inside the event loop.

    Args:
        end_in_order: called at the first.
        last_words: called at the second, just before the process is left.
        hurry: told the seconds that are left for a state on another machine.
    """
    loop, ending, seen = asyncio.get_running_loop(), ending_signals(), itertools.count(1)

    def on_signal() -> None:
        if next(seen) > 1:
            try:
                last_words()
                write_last_document()
            finally:
                os._exit(ExitCode.INTERRUPTED)
        end_in_order()

    for number in ending:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        interrupted = next(seen) > 1
        if interrupted:
            hurry(LAST_WRITES)
        left = itertools.chain([] if interrupted else [LAST_WRITES], itertools.repeat(0.0))
        for number in ending:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda _number, _frame: hurry(next(left)))
