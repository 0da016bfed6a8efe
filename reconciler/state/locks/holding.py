"""The lock from the first try until it is let go of, whatever comes in between.

Rules of this file: no way out leaves a lock behind that somebody still waited for; where that cannot be helped, and
nothing else would end the lock, it is told with the command that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.state.haste import Haste
from reconciler.state.locks.lock import Hold, Lock, LockHolder, Waiting, take_when_free

UNLOCKING = 5.0
"""Seconds for letting go of the lock, or of what was announced under it, when the program is to end."""


@contextmanager
def held(lock: Lock, holder: LockHolder, waiting: Waiting, *, haste: Haste, name: str) -> Iterator[Hold]:
    """Hold the lock on the state `name` during the block; `haste` is the time there is for another machine.

    Raises:
        LockHeldError: another holds it; the text names them.
        StateError: the lock cannot be read or made.
    """
    hold: Hold | None = None
    try:
        hold = take_when_free(lock, holder, waiting, name=name)
        yield hold
    except BaseException as error:
        if not isinstance(error, Exception):  # the program is to end, by a Ctrl-C or otherwise
            haste.hurry(UNLOCKING)
        raise
    finally:
        ended = False
        try:
            if hold is not None:
                hold.release()
            else:
                ended = haste.rest()  # an attempt that was given up may take the lock yet, and lets go of it then
        finally:  # whoever is interrupted once more has to know most of all
            to_break = hold.to_break if hold is not None else None if ended else lock.to_break(holder)
            if to_break is not None:
                words = f"the lock on {name} could not be let go of and may still be held; break it with: "
                waiting.tell(f"{words}{to_break}")
