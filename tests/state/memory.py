"""A place in memory, and a clock that moves only when told to: what a lease and a store away from home are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

from reconciler.errors import StateConflictError, StateError
from reconciler.state.backend import Stored
from reconciler.state.backends.lease import Clocks, LeaseLock


class MemoryPlace:
    """Bytes that compare and swap. What several machines see of one place."""

    name = "memory"

    def __init__(self) -> None:
        self.stored: Stored | None = None
        self.saves: list[bytes] = []
        self.refusals: list[StateError] = []
        self.before_save: Callable[[], None] = lambda: None
        self.unreachable = False
        self._versions = count(1)
        self._guard = threading.RLock()

    def load(self) -> Stored | None:
        self._reach()
        return self.stored

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        del note
        self.before_save()
        self._reach()
        with self._guard:
            if (None if self.stored is None else self.stored.version) != expected:
                raise StateConflictError("memory was written by somebody else meanwhile")
            self.stored = Stored(data=data, version=str(next(self._versions)))
            self.saves.append(data)
            if self.refusals:
                raise self.refusals.pop()
            return self.stored.version

    def _reach(self) -> None:
        if self.unreachable:
            raise StateError("memory cannot be reached", hint="remember")


class Clock:
    """Both kinds of time, moved by hand."""

    def __init__(self, now: str = "2026-01-31T09:30:00Z") -> None:
        self.seconds = 1000.0
        self.now = now

    def clocks(self) -> Clocks:
        return Clocks(now=lambda: self.now, steady=lambda: self.seconds)


class MemoryBackend:
    """A state and its lock in memory."""

    name = "memory"

    def __init__(self, clock: Clock | None = None, *, lease: float = 60.0) -> None:
        self.state = MemoryPlace()
        self.lock_place = MemoryPlace()
        self.clock = clock or Clock()
        self.lease = lease

    def load(self) -> Stored | None:
        return self.state.load()

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        return self.state.save(data, expected=expected, note=note)

    def lock(self) -> LeaseLock:
        return LeaseLock(self.lock_place, name=self.name, clocks=self.clock.clocks(), lease=self.lease)
