"""Who may write: one holder at a time, named in the lock; and waiting for one's turn.

Rules of this file: what every kind of lock shares. How the exclusion itself is done is told in `flock` (one machine)
and `lease` (anywhere). What a lock says of its holder comes from elsewhere and is shown to people, so it is read with
care; a holder who cannot be named still holds.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Protocol

import orjson

from reconciler.errors import LockHeldError, LockLostError
from reconciler.values import Struct

LEASE = 60.0
"""Seconds without a sign of life after which a lease is free. Its holder stops sending at three quarters of it."""
MAX_LOCK_BYTES = 16 * 1024
_MAX_LEASE = 3600.0
_SHOWN = 300
_TEXTS = ("id", "who", "operation", "since")


class LockHolder(Struct, frozen=True, kw_only=True):
    """Who holds the lock, for whoever waits."""

    id: str
    """The id of the run, unlike any other's; the journal carries it too, and `state unlock` asks for it."""
    who: str
    """`user@host`."""
    operation: str
    """The command, such as `apply`."""
    since: str
    """RFC 3339, UTC."""
    url: str | None = None
    """The page of the CI job, if it is one."""

    def __str__(self) -> str:
        """Name the holder as a sentence does."""
        if not self.id:
            return self.who
        where = "" if self.url is None else f", {self.url}"
        return f"{self.who} ({self.operation}, since {self.since}, lock {self.id}{where})"


class LockRecord(Struct, frozen=True, kw_only=True):
    """What a lock says of itself while it is held."""

    holder: LockHolder
    heartbeat: str | None
    """When the holder last said to be alive, by its own clock: RFC 3339, UTC."""
    lease: float | None
    """Seconds without a heartbeat after which the lock is free; `None` where that is not how it becomes free."""
    beat: int = 0
    """Counts the heartbeats, so that two records never are the same, whatever the holder's clock does."""


UNREADABLE = LockRecord(
    holder=LockHolder(id="", who="a holder who cannot be named", operation="", since=""), heartbeat=None, lease=None
)
"""What stands for a lock whose record cannot be read, where it is told of."""


class Busy(Struct, frozen=True, kw_only=True):
    """Somebody else holds the lock."""

    record: LockRecord | None
    """`None` when the holder is just taking it or letting go, or cannot be named."""
    advice: str
    """What to do but wait."""
    certain_in: float | None = None
    """The holder looks dead, and so many seconds from now it will be certain."""


class Hold(Protocol):
    """The lock, held."""

    @property
    def taken_over(self) -> LockRecord | None:
        """Whose lock it was until its lease ran out; `None` when it was free."""
        ...

    @property
    def to_break(self) -> str | None:
        """The command that breaks it, as long as it is held; `None` where it runs out, or dies with the process."""
        ...

    def require(self) -> None:
        """Return if it is certain that nobody else can hold the lock now.

        Raises:
            LockLostError: it is not.
        """
        ...

    def watch(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Call `on_lost`, from another thread perhaps, when the lock is lost; at once if it is already."""
        ...

    def release(self) -> None:
        """Let go. Never raises: what cannot be let go of runs out, dies with the process, or still has `to_break`."""
        ...


class Lock(Protocol):
    """A lock that can be tried, and broken by whoever knows its id."""

    poll: float
    """Seconds between two tries."""

    def take(self, holder: LockHolder) -> Hold | Busy:
        """Try once, at once.

        Raises:
            StateError: the lock cannot be read or made.
        """
        ...

    def to_break(self, holder: LockHolder) -> str | None:
        """Return the command that breaks the lock of `holder`; `None` where it runs out, or dies with the process."""
        ...

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Break the lock `lock_id` and return who held it; `None` when nobody holds it.

        Raises:
            LockHeldError: it is another lock, or one that must not be broken; the text names its holder.
            StateError: the lock cannot be read or written.
        """
        ...


def write_lock(record: LockRecord) -> bytes:
    """Return `record` as one line of JSON."""
    holder = record.holder
    fields: dict[str, object] = {name: getattr(holder, name) for name in _TEXTS}
    beat = record.beat if record.lease is not None else None
    optional = {"url": holder.url, "heartbeat": record.heartbeat, "lease": record.lease, "beat": beat}
    fields |= {name: value for name, value in optional.items() if value is not None}
    return orjson.dumps(fields) + b"\n"


def read_lock(data: bytes) -> LockRecord | None:
    """Return what a lock says; `None` when that is nothing, or nothing to be shown to people."""
    try:
        fields: object = orjson.loads(data[:MAX_LOCK_BYTES])
    except ValueError:
        return None
    if type(fields) is not dict:
        return None
    texts = {name: _shown(fields.get(name)) for name in (*_TEXTS, "url", "heartbeat")}
    named = {name: text for name, text in texts.items() if text is not None}
    if not named.keys() >= set(_TEXTS):
        return None
    heartbeat = named.pop("heartbeat", None)
    beat = fields.get("beat")
    return LockRecord(
        holder=LockHolder(**named),
        heartbeat=heartbeat,
        lease=_lease_of(fields.get("lease")),
        beat=beat if type(beat) is int else 0,
    )


def _shown(value: object) -> str | None:
    """Return a text that may be shown, cut where it is too long."""
    return value[:_SHOWN] if type(value) is str and value and value.isprintable() else None


def _lease_of(value: object) -> float | None:
    """Return a lease as seconds. One without end would never let anybody in, so there is an upper one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return min(float(value), _MAX_LEASE)


def how_to_break(record: LockRecord | None, environment: str | None) -> str:
    """Return the command that breaks the lock of a holder who is known to be dead, as the end of an advice.

    Args:
        record: what the lock says; nothing is advised where nobody is named.
        environment: the environment as the user names it, if it is known.
    """
    if record is None:
        return ""
    return f"; if you know that it is dead: {breaking(record.holder.id, environment)}"


def breaking(lock_id: str, environment: str | None) -> str:
    """Return the command that breaks the lock `lock_id`, quoted: the id is whatever the place of the lock says."""
    return shlex.join(["reconciler", "state", "unlock", lock_id, *([environment] if environment else [])])


def held_by_another(busy: Busy, name: str) -> LockHeldError:
    """Return the error that says who holds the lock on `name`, and since when there is no sign of them."""
    if busy.record is None:
        return LockHeldError(f"{name} is locked by another run", hint=busy.advice)
    seen = "" if busy.record.heartbeat is None else f", last heartbeat {busy.record.heartbeat}"
    return LockHeldError(f"{name} is locked by {busy.record.holder}{seen}", hint=busy.advice)


class Waiting(Struct, frozen=True, kw_only=True):
    """How to wait for a lock."""

    patience: float
    """Seconds to wait while another holds it; 0 refuses at once. A holder who looks dead is watched all the same."""
    tell: Callable[[str], None]
    """Told each time there is somebody else to wait for, whose lock was taken over, and what was left behind."""
    steady: Callable[[], float]
    """Seconds on a clock that never jumps."""
    sleep: Callable[[float], object]


class _Turn:
    """Our turn at the lock on `name`, while another holds it."""

    def __init__(self, waiting: Waiting, name: str) -> None:
        self._waiting = waiting
        self._name = name
        self._end = waiting.steady() + waiting.patience
        self._told: str | None = None
        self._last: str | None = None

    def wait(self, found: Busy, poll: float) -> None:
        """Tell whom we wait for, and sleep until the next look.

        Raises:
            LockHeldError: patience has ended.
        """
        left = max(self._end - self._waiting.steady(), found.certain_in or 0.0)
        if left <= 0:
            raise held_by_another(found, self._name)
        who = "" if found.record is None else found.record.holder.id
        # Who cannot be named may only be about to come or to go.
        if who != self._told and (who or self._last == who):
            self._told = who
            self._waiting.tell(f"{held_by_another(found, self._name)}; {_what_for(found, left)}")
        self._last = who
        self._waiting.sleep(min(poll, left))


def take_when_free(lock: Lock, holder: LockHolder, waiting: Waiting, *, name: str) -> Hold:
    """Take the lock on `name`, after others if need be; whoever is interrupted meanwhile does not hold it.

    Raises:
        LockHeldError: another still holds it at the end of patience; the text names them.
        StateError: the lock cannot be read or made.
    """
    turn = _Turn(waiting, name)
    found: Hold | Busy | None = None
    try:
        while isinstance(found := lock.take(holder), Busy):
            turn.wait(found, lock.poll)
        if found.taken_over is not None:
            waiting.tell(f"took over the lock on {name} of {found.taken_over.holder}: it gave no sign of life any more")
    except BaseException:
        if found is not None and not isinstance(found, Busy):
            found.release()
        raise
    return found


def _what_for(busy: Busy, seconds: float) -> str:
    if busy.certain_in is None:
        return f"waiting for up to {seconds:.0f} s (--lock-timeout)"
    breaking = "" if busy.record is None else " (or break it: state unlock)"
    return f"watching it for {seconds:.0f} s, to be sure that it has run out{breaking}"
