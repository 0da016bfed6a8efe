"""A lock that runs out: a small record in a place that can compare and swap, renewed as long as its holder lives.

Rules of this file, from which it follows that no two holders ever send at the same time:

- Whoever takes or renews the lock writes over exactly the version that was read, so of several only one succeeds.
- A holder counts from the moment *before* a renewal was sent, on a clock that never jumps. Three quarters of the lease
  after the last one that succeeded it counts the lock as lost, tells its run to stop, and refuses to let it go on.
- A contender never believes the time in a record: clocks of machines differ, and jump. It takes over only what has not
  changed for a whole lease under its own eyes, on its own steady clock. The time in the record only says when it is
  worth the wait.

The renewing is done in a thread of its own, and the counting in another, so that neither a busy run nor a place that
does not answer can stop either. A lock let go of is an empty record, since not every place can remove compared.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime

from reconciler.errors import LockHeldError, LockLostError, StateConflictError, StateError, StateUnansweredError
from reconciler.state.backend import Place, Stored
from reconciler.state.locks.lock import (
    LEASE,
    UNREADABLE,
    Busy,
    LockHolder,
    LockRecord,
    held_by_another,
    how_to_break,
    read_lock,
    write_lock,
)
from reconciler.values import Struct, replace

_FREE = b"\n"
_NAMELESS = (
    "what the lock says cannot be read, so no id is its own: let the next run wait (--lock-timeout 5m), "
    "which takes it over once it has run out"
)
_BEATS = 4  # renewals in a lease: one or two may fail before the holder has to stop
_SAFE = 0.75
_LAST_BEAT = 5.0  # seconds to wait, when letting go, for a renewal that is under way


class Clocks(Struct, frozen=True, kw_only=True):
    """The two kinds of time."""

    now: Callable[[], str]
    """The time as RFC 3339 text in UTC, for people."""
    steady: Callable[[], float]
    """Seconds on a clock that never jumps, and goes on while the machine sleeps if there is such a one."""


class LeaseLock:
    """The lock kept in `place`."""

    poll = 1.0

    def __init__(
        self, place: Place, *, name: str, clocks: Clocks, lease: float = LEASE, environment: str | None = None
    ) -> None:
        """Remember where it is.

        Args:
            place: where the lock is kept.
            name: the state's, for messages.
            clocks: both kinds of time.
            lease: the seconds that a holder from here asks for.
            environment: the environment as the user names it, for the command in an advice.
        """
        self._place = place
        self._name = name
        self._clocks = clocks
        self._lease = lease
        self._environment = environment
        self._seen: tuple[str, float] | None = None

    def take(self, holder: LockHolder) -> LeaseHold | Busy:
        """Try once; see `lock.Lock`."""
        found = self._place.load()
        before = None
        if found is not None and not _is_free(found):
            before = _record_in(found)
            busy = self._judge(found, before)
            if busy is not None:
                return busy
            before = before or UNREADABLE
        record = LockRecord(holder=holder, heartbeat=self._clocks.now(), lease=self._lease)
        begun = self._clocks.steady()
        version = self._write(record, expected=None if found is None else found.version)
        if version is None:
            faster = _record_in(self._place.load())
            return Busy(record=faster, advice=self._advice(faster))
        return LeaseHold(
            self._place, record, _Term(version=version, since=begun), name=self._name, clocks=self._clocks, over=before
        )

    def to_break(self, holder: LockHolder) -> None:
        """Return `None`: its lock runs out; see `lock.Lock`."""

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Break the lock; its holder notices at its next renewal and stops. See `lock.Lock`."""
        found = self._place.load()
        if found is None or _is_free(found):
            return None
        record = _record_in(found)
        if record is None or record.holder.id != lock_id:
            advice = _NAMELESS if record is None else f"{lock_id} is not the id of that lock"
            raise held_by_another(Busy(record=record, advice=advice), self._name)
        try:
            self._place.save(_FREE, expected=found.version, note="unlock")
        except StateConflictError:
            raise LockHeldError(
                f"the lock on {self._name} is alive: it was renewed by {record.holder} just now",
                hint="stop that run first; or wait for it with --lock-timeout",
            ) from None
        return record.holder

    def _write(self, record: LockRecord, *, expected: str | None) -> str | None:
        """Return the version of `record`, now that it is there, or `None` when another was faster."""
        data = write_lock(record)
        try:
            return self._place.save(data, expected=expected, note=f"lock for {record.holder.operation}")
        except (StateConflictError, StateUnansweredError) as error:
            found = self._place.load()  # perhaps only the answer was lost
            if found is not None and found.data == data:
                return found.version
            if isinstance(error, StateUnansweredError):
                raise
            return None

    def _judge(self, found: Stored, record: LockRecord | None) -> Busy | None:
        """Return whom to wait for, or `None` once the lock has been the same for a whole lease."""
        now = self._clocks.steady()
        if self._seen is None or self._seen[0] != found.version:
            self._seen = (found.version, now)
        lease = (record.lease if record is not None else None) or LEASE
        runs_out = self._seen[1] + lease
        if now >= runs_out:
            return None
        dead = record is None or _looks_dead(record, lease, self._clocks.now())
        return Busy(
            record=record,
            advice=self._advice(record),
            certain_in=runs_out - now if dead else None,
        )

    def _advice(self, record: LockRecord | None) -> str:
        breaking = how_to_break(record, self._environment)
        return f"wait for that run (--lock-timeout 5m) or stop it; nothing was sent{breaking}"


def _is_free(found: Stored) -> bool:
    return not found.data.strip()


def _record_in(found: Stored | None) -> LockRecord | None:
    return None if found is None else read_lock(found.data)


def _looks_dead(record: LockRecord, lease: float, now: str) -> bool:
    """Tell whether, if both clocks are right, the holder has not been heard of for longer than its lease."""
    try:
        age = datetime.fromisoformat(now) - datetime.fromisoformat(record.heartbeat or record.holder.since)
    except (ValueError, TypeError):  # no time, or one without a zone
        return True
    return age.total_seconds() >= lease


class _Term(Struct, frozen=True, kw_only=True):
    """The lock as it was last known to be ours."""

    version: str
    since: float
    """By the steady clock, before it was written."""


class LeaseHold:
    """The lock, held: renewed in the background until it is let go of or lost."""

    def __init__(
        self, place: Place, record: LockRecord, term: _Term, *, name: str, clocks: Clocks, over: LockRecord | None
    ) -> None:
        self.taken_over = over
        self.to_break: str | None = None
        self._place = place
        self._record = record
        self._term = term
        self._name = name
        self._clocks = clocks
        self._lease = record.lease or LEASE
        self._changed = threading.Condition()
        self._ended = False
        self._lost: LockLostError | None = None
        self._listeners: list[Callable[[LockLostError], None]] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._beat, self._count)]
        for thread in self._threads:
            thread.start()

    def require(self) -> None:
        """Return if the lock is certainly ours; see `lock.Hold`."""
        if self._lost is None and self._left() <= 0:
            self._lose("it could not be renewed in time")
        if self._lost is not None:
            raise self._lost

    def watch(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Call `on_lost` when it is lost; see `lock.Hold`."""
        with self._changed:
            self._listeners.append(on_lost)
            lost = self._lost
        if lost is not None:
            on_lost(lost)

    def release(self) -> None:
        """Let go, if it is still ours; see `lock.Hold`."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._threads[0].join(_LAST_BEAT)
        with contextlib.suppress(StateError):  # then it runs out by itself
            self._let_go()

    def _let_go(self) -> None:
        note = f"unlock after {self._record.holder.operation}"
        try:
            self._place.save(_FREE, expected=self._term.version, note=note)
        except StateConflictError:
            if self._is_ours():
                self._place.save(_FREE, expected=self._term.version, note=note)

    def _left(self) -> float:
        return self._term.since + self._lease * _SAFE - self._clocks.steady()

    def _pause(self, seconds: float) -> bool:
        """Wait, and return whether to go on."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._lost is not None, seconds)
            return not self._ended and self._lost is None

    def _beat(self) -> None:
        pause = self._lease / _BEATS
        while self._pause(pause):
            try:
                self._renew()
                pause = self._lease / _BEATS
            except StateError:
                pause = self._lease / _BEATS / 4

    def _renew(self) -> None:
        begun = self._clocks.steady()
        self._record = replace(self._record, heartbeat=self._clocks.now(), beat=self._record.beat + 1)
        try:
            version = self._place.save(write_lock(self._record), expected=self._term.version, note="heartbeat")
        except StateConflictError:
            if self._is_ours():  # an earlier renewal whose answer was lost
                raise
            self._lose("it was broken, or taken over by another run")
        else:
            self._term = _Term(version=version, since=begun)

    def _is_ours(self) -> bool:
        """Tell whether the lock is ours as it stands now, and remember its version if it is."""
        found = self._place.load()
        record = _record_in(found)
        if found is None or record is None or record.holder != self._record.holder:
            return False
        self._term = replace(self._term, version=found.version)
        return True

    def _count(self) -> None:
        while self._pause(min(1.0, max(0.0, self._left()))):
            if self._left() <= 0:
                self._lose("it could not be renewed in time")

    def _lose(self, why: str) -> None:
        with self._changed:
            if self._lost is not None or self._ended:
                return
            self._lost = LockLostError(
                f"the lock on {self._name} was lost: {why}; nothing more is sent",
                hint="what was acknowledged is recorded; see who holds the lock now, then apply again",
            )
            listeners = tuple(self._listeners)
            self._changed.notify_all()
        for tell in listeners:
            tell(self._lost)
