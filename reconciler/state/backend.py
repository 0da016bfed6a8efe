"""What a state is kept in: bytes that carry a version, and the lock beside them.

Rules of this file: protocols and values only; no I/O. Whoever keeps states somewhere else writes a `Backend` and joins
the contract suite in tests/state/backends. A backend knows nothing of what the bytes mean. It writes only over the
version it was told to expect, in one step where the place it writes to can do that, so that a writer who is out of date
can overwrite nothing; a backend whose place cannot says in its header what holds instead.
"""

from __future__ import annotations

from typing import Protocol

from reconciler.state.locks.lock import Lock
from reconciler.values import Struct


class Stored(Struct, frozen=True, kw_only=True):
    """What is kept somewhere, at one moment."""

    data: bytes
    version: str
    """Opaque; differs whenever the bytes differ, and is only ever compared and handed back."""


class Place(Protocol):
    """Bytes under one name, replaced as a whole by whoever knows what is there."""

    @property
    def name(self) -> str:
        """As the user would write it, for messages."""
        ...

    def load(self) -> Stored | None:
        """Return what is there, or `None` when nothing is.

        Raises:
            StateError: it cannot be read.
        """
        ...

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Put `data` there if `expected` is what is there now, and return its version once it is durable.

        Args:
            data: all of it.
            expected: the version to write over; `None` when nothing may be there.
            note: one line about this write, for places that keep a history.

        Raises:
            StateConflictError: something else is there; nothing was written.
            StateUnansweredError: it was sent, and whether it was written is not known.
            StateError: it cannot be written.
        """
        ...


class Backend(Place, Protocol):
    """The place of a state, and the lock that goes with it."""

    def lock(self) -> Lock:
        """Return the lock on the state. Nothing is taken yet."""
        ...
