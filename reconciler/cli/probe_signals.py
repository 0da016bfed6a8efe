"""Signals that end a probe: the first gives the agent its numbers back, the second ends at once.

Rule of this file: the first signal sends nothing by itself; it only ends the experiment, which then restores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.streams import write
from reconciler.cli.two_stages import two_stages


@contextmanager
def restore_on_signals(
    halt: Callable[[], None], *, hurry: Callable[[float], None], last_words: Callable[[], str] = str
) -> Iterator[None]:
    """Call `halt` at the first signal and leave the process at the second; entered inside the event loop.

    Args:
        halt: throws the probe's switch.
        hurry: told the seconds that may be spent on a state on another machine.
        last_words: makes what else is to be told when the process is left at once.
    """

    def end_in_order() -> None:
        write(sys.stderr, "stopping: the agent gets its own numbers back first (interrupt again to leave at once)\n")
        halt()

    def tell() -> None:
        # The intent of whatever was sent is durable, so the agent is in doubt and known to be.
        write(sys.stderr, "left at once: the agent is in doubt, and the next plan sends its numbers again\n")
        write(sys.stderr, last_words())

    with two_stages(end_in_order, tell, hurry=hurry):
        yield
