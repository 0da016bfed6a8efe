"""How fast calls go out, and how long to wait before one goes out again.

Rule of this file: whoever waits here can be told to stop, and chance and the clock come in from outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reconciler.applying.stop import Stop

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0


class Pace:
    """Spaces the starts of calls evenly: `rate` a second over all workers, and no burst after a quiet time."""

    def __init__(self, rate: float, *, monotonic: Callable[[], float], stop: Stop) -> None:
        """Take starts per second, a monotonic clock in seconds and the switch that ends all waiting."""
        self._interval = 1.0 / rate
        self._monotonic = monotonic
        self._stop = stop
        self._next_slot = -math.inf
        self._held_until = -math.inf

    def hold(self, seconds: float) -> None:
        """Let no call start for so long, those that wait for their slot included: the server has too much to do."""
        self._held_until = max(self._held_until, self._monotonic() + seconds)
        self._next_slot = max(self._next_slot, self._held_until)

    async def turn(self) -> bool:
        """Wait for the next free slot; return whether to go on."""
        while True:
            now = self._monotonic()
            slot = max(self._next_slot, now)
            self._next_slot = slot + self._interval
            if not await self._stop.pause(slot - now):
                return False
            if slot >= self._held_until:  # else the slot was given away, and then came a hold: take a later one
                return True


def backoff(failures: int, *, chance: float, retry_after: float | None, first: float = _FIRST_DELAY) -> float:
    """Return the seconds to wait after an agent's call failed for now the `failures`-th time (1-based).

    Doubles with each failure up to 8 s, and takes between half and all of that by `chance` (0 to 1), so that agents
    that failed together do not come back together. A server's own wish is the least it can be.
    """
    doublings = min(failures - 1, 64)  # beyond that no first delay worth the name is still below the longest
    full = min(math.ldexp(first, doublings), _LONGEST_DELAY)
    return max(full * (0.5 + chance / 2), retry_after or 0.0)
