"""A backend on another machine, for which nobody waits longer than there is time.

Rules of this file: all that goes to the other machine is done in haste (see `haste`), so that an interrupt is heard at
once, whatever library is waiting, and the end of an interrupted run has an end itself. What was given up may still
arrive there, after its run is over. It can overwrite nothing then: a place that compares takes it for out of date; and
where there is no time to write a state there is none to let go of its lock, under which alone the others take it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from reconciler.errors import LockLostError, StateError, StateUnansweredError
from reconciler.state.backend import Backend, Stored
from reconciler.state.haste import Haste
from reconciler.state.locks.lock import Busy, Hold, Lock, LockHolder, LockRecord

_OVER = "the run had to end before it answered"


class ImpatientBackend:
    """A backend, and the time that is left for it."""

    def __init__(self, backend: Backend, haste: Haste) -> None:
        """Take both."""
        self.name = backend.name
        self._backend = backend
        self._haste = haste

    def load(self) -> Stored | None:
        """Read the state; see `backend.Place`."""
        try:
            return self._haste.do(self._backend.load)
        except TimeoutError:
            raise StateError(f"{self.name} cannot be read: {_OVER}") from None

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Write the state; see `backend.Place`."""
        try:
            return self._haste.do(partial(self._backend.save, data, expected=expected, note=note))
        except TimeoutError:
            raise StateUnansweredError(f"{self.name} cannot be written: {_OVER}") from None

    def lock(self) -> ImpatientLock:
        """Return the lock on the state."""
        return ImpatientLock(self._backend.lock(), self._haste, name=self.name)


class ImpatientLock:
    """The lock of a state on another machine; see `lock.Lock`."""

    def __init__(self, lock: Lock, haste: Haste, *, name: str) -> None:
        """Take the lock and the time that is left for it; `name` is the state's, for messages."""
        self.poll = lock.poll
        self._lock = lock
        self._haste = haste
        self._name = name

    def take(self, holder: LockHolder) -> ImpatientHold | Busy:
        """Try once."""
        try:
            return self._haste.do(partial(self._take, holder), unclaimed=_let_go)
        except TimeoutError:
            raise StateError(f"{self._name} cannot be locked: {_OVER}") from None

    def to_break(self, holder: LockHolder) -> str | None:
        """Return the command that breaks the lock of `holder`."""
        return self._lock.to_break(holder)

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Break the lock."""
        try:
            return self._haste.do(partial(self._lock.unlock, lock_id))
        except TimeoutError:
            raise StateError(f"{self._name} cannot be unlocked: {_OVER}") from None

    def _take(self, holder: LockHolder) -> ImpatientHold | Busy:
        taken = self._lock.take(holder)
        return taken if isinstance(taken, Busy) else ImpatientHold(taken, self._haste)


def _let_go(taken: ImpatientHold | Busy) -> None:
    """Let go of a lock that was taken after all, when nobody waited for it any more.

    Raises:
        StateError: it may still be held.
    """
    if not isinstance(taken, Busy):
        taken.let_go()
        if taken.to_break is not None:
            raise StateError("a lock that nobody waited for could not be let go of")


class ImpatientHold:
    """The lock, held; see `lock.Hold`."""

    def __init__(self, hold: Hold, haste: Haste) -> None:
        self.taken_over: LockRecord | None = hold.taken_over
        self._hold = hold
        self._haste = haste

    @property
    def to_break(self) -> str | None:
        """The command that breaks it, as long as it is held."""
        return self._hold.to_break

    def require(self) -> None:
        """Return if the lock is certainly ours."""
        self._hold.require()

    def watch(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Call `on_lost` when it is lost."""
        self._hold.watch(on_lost)

    def release(self) -> None:
        """Let go, if there is time for it: else the lock runs out, or is broken by whoever finds it."""
        with contextlib.suppress(TimeoutError):
            self._haste.do(self._hold.release)

    def let_go(self) -> None:
        """Let go, however long it takes. To be called where nobody waits for it."""
        self._hold.release()
