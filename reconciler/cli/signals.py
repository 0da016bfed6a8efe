"""Signals that end an apply: the first in order, the second at once.

A CI host that cancels a job sends SIGINT, SIGTERM 7.5 s later, and then kills; so all ends within seven seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.applying import Stop
from reconciler.cli.streams import write
from reconciler.cli.two_stages import two_stages
from reconciler.errors import InterruptedRunError
from reconciler.state import StateStore

GRACE = 5.0
"""Seconds for calls in flight after the first signal."""
GRACE_AWAY = 3.0
"""The same where the state is kept away from this machine, and writing it takes a while."""
ALL = 6.25
"""Seconds from the first signal until no other machine is waited for any more."""


@contextmanager
def stop_on_signals(stop: Stop, *, store: StateStore, last_words: Callable[[], str] = str) -> Iterator[None]:
    """Throw `stop` at the first signal and leave the process at the second; entered inside the event loop.

    Args:
        stop: the switch.
        store: told how long it may take to write the state.
        last_words: makes what else is to be told when the process is left at once.
    """

    def end_in_order() -> None:
        write(sys.stderr, "stopping: no new calls; waiting for those in flight (interrupt again to leave at once)\n")
        store.hurry(ALL)
        stop.request(
            InterruptedRunError("interrupted; the rest was not sent"), grace=GRACE_AWAY if store.away else GRACE
        )

    def tell() -> None:
        # Consistent all the same: whatever was sent has a durable intent, and the next run takes it from there.
        cursor = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar has hidden it
        write(sys.stderr, f"{cursor}left at once: calls without an answer are in doubt; the next plan lists them\n")
        if store.to_break is not None:
            write(sys.stderr, f"the lock on {store.name} stays; break it with: {store.to_break}\n")
        write(sys.stderr, last_words())

    with two_stages(end_in_order, tell, hurry=store.hurry):
        yield
