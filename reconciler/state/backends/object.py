"""The state as an object in a bucket, and its lock as another: S3 and what speaks like it, Google's, Azure's.

Rules of this file: every write is conditional: created only if nothing is there, replaced only if what is there has the
entity tag (or, at Google, the generation) that was read. A store that takes a write whatever its conditions say would
let two runs overwrite each other; so where a lock is made for the first time, the store has to show that it refuses
what it must. What the library says of an error holds requests and replies, so only a part of it is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from reconciler.errors import StateConflictError, StateError, StateUnansweredError
from reconciler.model.printable import printable
from reconciler.state.backend import Stored
from reconciler.state.backends.lease import Clocks
from reconciler.state.backends.leased import LeasedBackend
from reconciler.state.files import MAX_READ
from reconciler.state.locks.lock import LEASE

_HINT = "look at the credentials, the bucket and the network, then run again"
_UNHONOURED = (
    "two runs could overwrite each other's state there; keep it in a store that honours If-Match and If-None-Match, or "
    "with backend git or http"
)
_UNPROVEN, _FREE = b" \n", b"\n"
"""Both say that nobody holds the lock; the first also that the store has not shown yet that it honours conditions."""
_NO_CONDITIONS = re.compile(
    r"status code: (501\b|400\b[^<]*(<\?xml[^>]*>\s*)?<Error>.*?"
    r"<Code>(NotImplemented|InvalidArgument|InvalidRequest)</Code>)",
    re.DOTALL,
)
"""What stores answer that know S3 without its conditions. The headers of such a write are all well-formed otherwise."""
_QUERY = re.compile(r"\?\S+")
_BODY = re.compile(r"\s*(<[?!a-z]|\n).*", re.DOTALL | re.IGNORECASE)
_MAX_WORDS = 300


class ObjectPlace:
    """One object."""

    def __init__(self, store: Callable[[], Any], *, key: str, name: str) -> None:
        """Remember where it is; `store` makes the connection when it is first needed."""
        self.name = name
        self._store = store
        self._key = key
        self._opened: Any = None

    def load(self) -> Stored | None:
        """Get the object; see `backend.Place`."""
        with self._translated("read"):
            try:
                found = obstore.get(self._open(), self._key)
            except FileNotFoundError:
                return None
            if found.meta["size"] > MAX_READ:
                raise StateError(f"{self.name} is larger than {MAX_READ // 1024**3} GiB", hint="look what it is")
            return Stored(data=bytes(found.bytes()), version=_token(found.meta))

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Put the object under its condition; see `backend.Place`. A bucket has no place for the `note`."""
        del note
        mode: Any = "create" if expected is None else json.loads(expected)
        with self._translated("written", unanswered=StateUnansweredError):
            try:
                return _token(obstore.put(self._open(), self._key, data, mode=mode, use_multipart=False))
            except (AlreadyExistsError, PreconditionError, FileNotFoundError):
                raise StateConflictError(
                    f"{self.name} was written by somebody else meanwhile; it was left as it is", hint="run again"
                ) from None
            except GenericError as error:
                if not _NO_CONDITIONS.search(str(error)):
                    raise
                raise StateError(
                    f"{self.name} cannot be written: the store does not take writes under a condition: {_words(error)}",
                    hint=_UNHONOURED,
                ) from None

    def _open(self) -> Any:
        if self._opened is None:
            self._opened = self._store()
        return self._opened

    @contextmanager
    def _translated(self, doing: str, *, unanswered: type[StateError] = StateError) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StateError(f"{self.name} cannot be {doing}: {_words(error)}", hint=_HINT) from None
        except BaseError as error:
            raise unanswered(f"{self.name} cannot be {doing}: {_words(error)}", hint=_HINT) from None


class _LockObject:
    """The object of a lock, which is made only in a store that honours conditions."""

    def __init__(self, place: ObjectPlace) -> None:
        self.name = place.name
        self._place = place
        self._unproven: str | None = None

    def load(self) -> Stored | None:
        found = self._place.load()
        self._unproven = found.version if found is not None and found.data == _UNPROVEN else None
        return found

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        over = self._proven(expected) if expected is None or expected == self._unproven else expected
        return self._place.save(data, expected=over, note=note)

    def _proven(self, unproven: str | None) -> str:
        """Make the object if it is not there, hold the store to its word, and return the version that says so."""
        first = self._place.save(_UNPROVEN, expected=None) if unproven is None else unproven
        self._must_refuse(_UNPROVEN, None)
        second = self._place.save(_FREE, expected=first)
        self._must_refuse(_UNPROVEN, first)
        return second

    def _must_refuse(self, data: bytes, expected: str | None) -> None:
        try:
            self._place.save(data, expected=expected)
        except StateConflictError:
            return
        raise StateError(f"the store of {self.name} does not honour conditional writes", hint=_UNHONOURED)


def object_backend(
    store: Callable[[], Any], *, key: str, name: str, clocks: Clocks, lease: float = LEASE
) -> LeasedBackend:
    """Return the backend of the state in the object `key`, whose lock is in the object beside it, `.lock` behind it.

    Args:
        store: makes a connection; asked once for the state and once for the lock.
        key: the name of the state's object.
        name: how to name the state in messages.
        clocks: for the lock.
        lease: seconds without a sign of life after which the lock is free.
    """
    state = ObjectPlace(store, key=key, name=name)
    lock = ObjectPlace(store, key=f"{key}.lock", name=f"the lock on {name}")
    return LeasedBackend(state, _LockObject(lock), clocks=clocks, lease=lease)


def _token(meta: Any) -> str:
    """Return what the store tells versions apart by, as text."""
    return json.dumps({name: meta[name] for name in ("e_tag", "version") if meta.get(name)}, sort_keys=True)


def _words(error: BaseException) -> str:
    """Return what the library says, without queries (which may be signed) and without what the store sent."""
    return printable(_QUERY.sub("?…", _BODY.sub("", str(error))), limit=_MAX_WORDS)
