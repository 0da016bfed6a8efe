"""A backend of two places that can compare and swap: one for the state, one for a lock that runs out.

Rule of this file: it adds nothing of its own to the two; what holds is what `lease` promises.
"""

from __future__ import annotations

from reconciler.state.backend import Place, Stored
from reconciler.state.backends.lease import Clocks, LeaseLock
from reconciler.state.locks.lock import LEASE


class LeasedBackend:
    """The state and its lock."""

    def __init__(self, state: Place, lock: Place, *, clocks: Clocks, lease: float = LEASE) -> None:
        """Remember where they are.

        Args:
            state: the place of the state, whose name is the backend's.
            lock: the place of the lock, with a connection of its own: it is renewed while the state is written.
            clocks: for the lock.
            lease: seconds without a sign of life after which the lock is free.
        """
        self.name = state.name
        self._state = state
        self._lock = lock
        self._clocks = clocks
        self._lease = lease

    def load(self) -> Stored | None:
        """Read the state; see `backend.Place`."""
        return self._state.load()

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Write the state; see `backend.Place`."""
        return self._state.save(data, expected=expected, note=note)

    def lock(self) -> LeaseLock:
        """Return the lock on the state."""
        return LeaseLock(self._lock, name=self.name, clocks=self._clocks, lease=self._lease)
