"""A state kept on another machine: bytes with a version that are swapped in one step, each access an operation.

Rules of this file: the real store for states that are kept elsewhere, on the simplest backend that keeps its promise.
A save can be cut in the middle, which here means done and not answered; the lock dies with the process, so that no run
has to wait for a lease (leases have tests of their own, in tests/state).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from crash.disk import ModelDisk
from crash.runs import ROOT
from crash.world import World
from support.fleets import LINEAGE, NOW, SITE

from reconciler.errors import StateConflictError, StateUnansweredError
from reconciler.state import Files, Setting, StateStore
from reconciler.state.backend import Stored
from reconciler.state.flock import FileLock
from reconciler.state.opening import open_away_store

JOURNAL = ROOT / "runs" / SITE / "journal"


class Elsewhere:
    """See `reconciler.state.backend.Backend`."""

    name = "elsewhere"

    def __init__(self, world: World) -> None:
        self._world = world

    def load(self) -> Stored | None:
        def look() -> Stored | None:
            kept = self._world.disk.elsewhere
            return None if kept is None else Stored(data=kept[0], version=kept[1])

        return self._world.do("load", look, refuse=_unanswered)

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        del note
        version = hashlib.sha256(data).hexdigest()

        def put(disk: ModelDisk) -> str:
            if (None if disk.elsewhere is None else disk.elsewhere[1]) != expected:
                raise StateConflictError("elsewhere was written by somebody else meanwhile")
            disk.elsewhere = data, version
            return version

        return self._world.do("save", lambda: put(self._world.disk), torn=put, refuse=_unanswered)

    def lock(self) -> FileLock:
        return FileLock(ROOT / "state.json.lock", name=self.name, files=self._world)


def _unanswered(refusal: OSError) -> None:
    raise StateUnansweredError(f"elsewhere gave no answer: {refusal.strerror}") from refusal


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
