"""The state behind the HTTP protocol that GitLab-managed states and Terraform's HTTP servers speak.

Rules of this file: GET reads, POST (or what `update_method` says) with `?ID=` and the lock's id writes, LOCK and UNLOCK
carry the lock's JSON; 423 and 409 mean that somebody else holds it. DELETE is part of the protocol and is never sent: a
state is replaced, not removed.

The protocol knows neither a condition for a write nor a heartbeat, so this backend promises less than the others:

- a write is fenced by the lock's id, which the server holds it to, and by reading once more just before it. Only who
  breaks a lock while its holder is writing can come between the two;
- a lock never runs out by itself. That of a run that died is broken with `state unlock ID`;
- a holder whose lock was broken learns of it from the state, at its next look (see `http_watch`).

Versions are of what a state says, not of its bytes: a server may keep JSON in a form of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import orjson

from reconciler import __version__
from reconciler.errors import LockHeldError, StateConflictError, StateError, StateUnansweredError
from reconciler.model.printable import printable
from reconciler.model.states_away import HttpState
from reconciler.state.backend import Stored
from reconciler.state.backends.http_exchange import Exchange, Reply
from reconciler.state.backends.http_watch import WatchedHold
from reconciler.state.locks.lock import Busy, LockHolder, LockRecord, breaking, held_by_another, how_to_break, read_lock

_READ = frozenset({HTTPStatus.OK})
_NOTHING = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})
_DONE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})
_HELD = frozenset({HTTPStatus.LOCKED, HTTPStatus.CONFLICT})
LOOK = 15.0
"""Seconds between two looks of a holder at the state."""
_WAIT = "wait for that run (--lock-timeout 5m) or stop it; nothing was sent"
_FIELDS = {"ID": "id", "Who": "who", "Operation": "operation", "Created": "since"}


class HttpBackend:
    """The state and its lock on a server."""

    def __init__(
        self,
        exchange: Callable[[], Exchange],
        settings: HttpState,
        *,
        environment: str | None = None,
        pause: float = LOOK,
    ) -> None:
        """Remember where they are.

        Args:
            exchange: makes the connection when it is first needed.
            settings: where the state and its lock are.
            environment: the environment as the user names it, for the command in an advice.
            pause: seconds between two looks of a holder at the state.
        """
        self.name = settings.url
        self._make = exchange
        self._made: Exchange | None = None
        self._settings = settings
        self._environment = environment
        self._pause = pause
        self._held: WatchedHold | None = None

    def load(self) -> Stored | None:
        """Get the state; see `backend.Place`."""
        found = self._get(f"{self.name} cannot be read")
        if self._held is not None:
            self._held.saw(_version_of(found))
        return found

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Read once more, then post the state; see `backend.Place`. The protocol has no place for the `note`."""
        del note
        found = self._get(f"{self.name} cannot be written")
        if _version_of(found) != expected:
            raise StateConflictError(
                f"{self.name} was written by somebody else meanwhile; it was left as it is", hint="run again"
            )
        version = _version(data)
        if self._held is not None:
            self._held.expect(expected, version)  # either, should no answer come
        self._post(data)
        if self._held is not None:
            self._held.expect(version)
        return version

    def _post(self, data: bytes) -> None:
        reply = self._exchange().send(
            self._settings.update_method,
            self._settings.url,
            what=f"{self.name} cannot be written",
            body=data,
            parameters={} if self._held is None else {"ID": self._held.id},
            writing=True,
        )
        if reply.status in _HELD:
            raise StateConflictError(
                f"{self.name} cannot be written: the server says that the lock is not ours any more",
                hint="somebody has broken the lock; look who holds it now, then apply again",
            )
        if reply.status not in _DONE:
            raise reply.refused(f"{self.name} cannot be written")

    def lock(self) -> HttpLock:
        """Return the lock on the server."""
        return HttpLock(self._exchange, self._settings, self._hold, environment=self._environment)

    def _look(self) -> str | None:
        return _version_of(self._get(f"{self.name} cannot be read"))

    def _get(self, what: str) -> Stored | None:
        reply = self._exchange().send("GET", self._settings.url, what=what)
        if reply.status in _NOTHING or (reply.status in _READ and not reply.body):
            return None
        if reply.status not in _READ:
            raise reply.refused(what)
        return Stored(data=reply.body, version=_version(reply.body))

    def _hold(self, lock_id: str, let_go: Callable[[], bool]) -> WatchedHold:
        def release() -> bool:
            self._held = None
            return let_go()

        self._held = WatchedHold(
            lock_id,
            look=self._look,
            release=release,
            name=self.name,
            pause=self._pause,
            environment=self._environment,
        )
        return self._held

    def _exchange(self) -> Exchange:
        if self._made is None:
            self._made = self._make()
        return self._made


class HttpLock:
    """The lock of a state on a server; see `lock.Lock`."""

    poll = 2.0

    def __init__(
        self,
        exchange: Callable[[], Exchange],
        settings: HttpState,
        hold: Callable[[str, Callable[[], bool]], WatchedHold],
        *,
        environment: str | None,
    ) -> None:
        """Remember where it is; `hold` takes the id under which the state may be written, and how to let go of it."""
        self._environment = environment
        self._exchange = exchange
        self._name = settings.url
        self._lock_url = settings.lock_url or settings.url
        self._unlock_url = settings.unlock_url or self._lock_url
        self._methods = (settings.lock_method, settings.unlock_method)
        self._hold = hold
        self._unanswered = False  # whether a try to take it may have got through without our knowing

    def take(self, holder: LockHolder) -> WatchedHold | Busy:
        """Try once; see `lock.Lock`."""
        try:
            reply = self._lock(holder)
        except StateUnansweredError as error:
            raise self._withdrawn(error, holder) from None
        if reply.status in _HELD:
            record = _record(reply.body)
            if record is None or record.holder.id != holder.id:  # else only the answer to our first try was lost
                self._unanswered |= reply.again
                perhaps = self._perhaps_ours(holder) if record is None and self._unanswered else ""
                return Busy(record=record, advice=f"{_WAIT}{how_to_break(record, self._environment)}{perhaps}")
        elif reply.status not in _DONE:
            refusal = reply.refused(f"{self._name} cannot be locked")
            raise self._withdrawn(refusal, holder) if reply.unsure else refusal
        return self._hold(holder.id, partial(self._let_go, holder))

    def to_break(self, holder: LockHolder) -> str:
        """Return the command that breaks the lock of `holder`; see `lock.Lock`."""
        return breaking(holder.id, self._environment)

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Break the lock; see `lock.Lock`. Who holds it is known only from trying to lock."""
        unlike = f"unlock-{lock_id}-{secrets.token_hex(4)}"  # two who look at once are not one
        probe = LockHolder(id=unlike, who="state unlock", operation="state unlock", since=_EPOCH)
        reply = self._lock(probe)
        record = _record(reply.body) if reply.status in _HELD else None
        if reply.status in _DONE or (record is not None and record.holder.id == probe.id):
            self._undo(probe)  # perhaps only the answer to the first try was lost
            return None
        if reply.status not in _HELD:
            raise reply.refused(f"{self._name} cannot be unlocked")
        if record is not None and record.holder.id != lock_id:
            raise held_by_another(Busy(record=record, advice=f"{lock_id} is not the id of that lock"), self._name)
        holder = record.holder if record is not None else LockHolder(id=lock_id, who="?", operation="?", since=_EPOCH)
        done = self._unlock(holder)
        if done.status in _HELD and record is None and self._unlock(probe).status in _DONE:
            return None  # it was free, and nameless only because the probe's own answer was lost
        if done.status in _HELD:
            raise LockHeldError(f"{self._name} is locked, and not by {lock_id}", hint="look who holds it on the server")
        if done.status not in _DONE:
            raise done.refused(f"{self._name} cannot be unlocked")
        return holder

    def _undo(self, probe: LockHolder) -> None:
        """Let go of what was taken only to see whether it is free."""
        reply = self._unlock(probe)
        if reply.status not in _DONE | _NOTHING:
            raise StateError(
                f"{self._name} was free, and is locked as {probe.id} now: the server answered {reply.status} to UNLOCK",
                hint="look at state.unlock_url and state.unlock_method, and at the server; then "
                + self.to_break(probe),
            )

    def _withdrawn(self, error: StateError, holder: LockHolder) -> StateError:
        """Let go of what may have been taken without our knowing; return `error`, with the remedy if that is open."""
        with contextlib.suppress(StateError):
            if self._unlock(holder).status in _DONE | _HELD:
                return error
        # Even an answer that nothing is locked leaves it open: the server may still be busy with the request to lock.
        own = f"if it is locked afterwards, that may be this run's own: {self.to_break(holder)}"
        return StateError(str(error), hint=f"{error.hint}; {own}")

    def _perhaps_ours(self, holder: LockHolder) -> str:
        own = "the server answered only when asked again, so it may be this run's own"
        return f"; {own}: {self.to_break(holder)}"

    def _lock(self, holder: LockHolder) -> Reply:
        what = f"{self._name} cannot be locked"
        return self._exchange().send(self._methods[0], self._lock_url, what=what, body=_lock_info(holder), writing=True)

    def _unlock(self, holder: LockHolder) -> Reply:
        what = f"{self._name} cannot be unlocked"
        return self._exchange().send(self._methods[1], self._unlock_url, what=what, body=_lock_info(holder))

    def _let_go(self, holder: LockHolder) -> bool:
        """Unlock, and return whether the lock is not ours any more; whoever else has it by now keeps it."""
        try:
            return self._unlock(holder).status in _DONE | _NOTHING | _HELD
        except StateError:
            return False


_EPOCH = "1970-01-01T00:00:00Z"


def _version_of(found: Stored | None) -> str | None:
    return None if found is None else found.version


def _version(data: bytes) -> str:
    """Return what tells one state from another, however it is spaced and in whatever order."""
    with contextlib.suppress(ValueError, TypeError):  # what is no JSON, or too deep to be a state, has only its bytes
        data = orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(data).hexdigest()


def _lock_info(holder: LockHolder) -> bytes:
    """Return the lock as the protocol writes it."""
    return orjson.dumps(
        {
            "ID": holder.id,
            "Operation": holder.operation,
            "Info": holder.url or "",
            "Who": holder.who,
            "Version": __version__,
            "Created": holder.since,
            "Path": "",
        }
    )


def _record(body: bytes) -> LockRecord | None:
    """Return who holds the lock, as the server says; other tools' locks are named as well as they can be."""
    try:
        fields: object = orjson.loads(body)
    except ValueError:
        return None
    if type(fields) is not dict or not fields.get("ID"):
        return None
    known = {ours: _word(fields.get(theirs)) for theirs, ours in _FIELDS.items()}
    url = fields.get("Info")
    return read_lock(orjson.dumps(known | ({"url": url} if type(url) is str and url else {})))


def _word(value: object) -> str:
    """Return a text or a number as it may be shown; what holds other values is not looked into."""
    return printable(str(value), limit=300) if isinstance(value, str | int | float) and value else "?"
