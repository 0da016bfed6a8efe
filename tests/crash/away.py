"""A state kept on another machine: bytes with a version that are swapped in one step, each access an operation.

Rules of this file: the real store for states that are kept elsewhere and the real lock with a lease, on the simplest
place that keeps its promise. A save can be cut in the middle, which here means done and not answered. No clock is
looked at: whoever finds the lock held sees a lease pass, so a run that died holding it is taken over from at once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from crash.disk import ModelDisk, Remote
from crash.runs import ROOT
from crash.world import World
from support.fleets import LINEAGE, NOW, SITE

from reconciler.errors import StateConflictError, StateUnansweredError
from reconciler.state import Files, LockHolder, Setting, StateStore
from reconciler.state.backend import Stored
from reconciler.state.backends.lease import Clocks, LeaseLock
from reconciler.state.locks.lock import LEASE, Busy, Hold
from reconciler.state.opening_away import open_away_store

JOURNAL = ROOT / "runs" / SITE / "journal"
NAME = "elsewhere"


class _Kept:
    """See `reconciler.state.backend.Place`; `what` is its name there, and `suffix` ends the names of its operations."""

    name = NAME

    def __init__(self, world: World, what: str, *, suffix: str = "") -> None:
        self._world = world
        self._what = what
        self._suffix = suffix

    def load(self) -> Stored | None:
        return self._world.do(
            f"load{self._suffix}", lambda: self._world.disk.remote.kept.get(self._what), refuse=_unanswered
        )

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        del note
        new = Stored(data=data, version=hashlib.sha256(data).hexdigest())

        def put(disk: ModelDisk) -> str:
            now = disk.remote.kept.get(self._what)
            if (None if now is None else now.version) != expected:
                raise StateConflictError(f"{NAME} was written by somebody else meanwhile")
            disk.remote.kept[self._what] = new
            return new.version

        return self._world.do(f"save{self._suffix}", lambda: put(self._world.disk), torn=put, refuse=_unanswered)


class Elsewhere(_Kept):
    """See `reconciler.state.backend.Backend`."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "state")

    def lock(self) -> _Lease:
        return _Lease(_Kept(self._world, "lock", suffix="_lock"), self._world.disk.remote)


class _Lease:
    """See `reconciler.state.locks.lock.Lock` and the rules of this file."""

    poll = 0.0

    def __init__(self, place: _Kept, remote: Remote) -> None:
        clocks = Clocks(now=lambda: NOW, steady=lambda: remote.waited)
        self._lock = LeaseLock(place, name=NAME, clocks=clocks)
        self._remote = remote

    def take(self, holder: LockHolder) -> Hold | Busy:
        found = self._lock.take(holder)
        if isinstance(found, Busy):
            self._remote.waited += LEASE
        return found

    def to_break(self, holder: LockHolder) -> None:
        return self._lock.to_break(holder)

    def unlock(self, lock_id: str) -> LockHolder | None:
        return self._lock.unlock(lock_id)


def _unanswered(refusal: OSError) -> None:
    raise StateUnansweredError(f"{NAME} gave no answer: {refusal.strerror}") from refusal


def open_away(files: Files) -> StateStore:
    """Return the store of a state that is kept on another machine than the disk of `files`."""
    around = Setting(
        root=ROOT,
        site=SITE,
        environ={},
        resolve=lambda *_: "",
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        environment="demo",
    )
    return open_away_store(Elsewhere(cast(World, files)), journal=str(Path("runs")), around=around, files=files)
