"""A state as it is kept: the snapshot in its backend, and the journal that may go on from there.

Rules of this file: it reads both in the order that makes sense of them, and writes by compare and swap over what it
read. It knows nothing of locks and runs; whoever writes through it holds the lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from reconciler.errors import StateConflictError, StateError, StateUnansweredError
from reconciler.model.past import Ending
from reconciler.model.state import State, empty_state
from reconciler.state.backend import Backend
from reconciler.state.backups import Backups
from reconciler.state.document.codec import decode, encode
from reconciler.state.document.fields import MAX_SERIAL
from reconciler.state.document.quick_records import Tell
from reconciler.state.failures import translated
from reconciler.state.journal.run_journal import RunJournal
from reconciler.values import Struct, replace

_WRITES = 3
"""The most that a run writes: what an unfinished one has left, that it is open, and what it came to."""


class Kept(Struct, frozen=True, kw_only=True):
    """A snapshot as it was read or written, and its version."""

    state: State
    version: str | None
    """`None` as long as nothing was ever written."""
    drawn: str | None = None
    """The lineage that a first run, whose journal is there, has drawn for the state."""


class Keeping:
    """Snapshot and journal of one site's state, and what is kept beside them."""

    def __init__(
        self, backend: Backend, journal: RunJournal, backups: Backups, *, site: str, new_lineage: Callable[[], str]
    ) -> None:
        """Remember them; `new_lineage` gives a fresh UUID as text, for a state's first write."""
        self.backend = backend
        self.journal = journal
        self.backups = backups
        self._site = site
        self._new_lineage = new_lineage

    @property
    def name(self) -> str:
        """Where the state is, as the user would write it."""
        return self.backend.name

    def read(self, tell: Tell | None = None) -> tuple[Kept, State]:
        """Return the snapshot, and what is recorded once the journal is added to it.

        What is given as `tell` is called as `decode` does.

        Raises:
            StateError: one of them cannot be read or trusted.
        """
        # The journal first: whatever a writer does in between, it still fits the snapshot or counts for nothing.
        journal = self.journal.read()
        kept = self.load(tell)
        if journal is not None and kept.state.lineage is None:
            kept = replace(kept, drawn=journal.run.lineage)
        return kept, self.journal.recorded(journal, kept.state)

    def save(self, state: State, over: Kept, *, note: str) -> Kept:
        """Write `state` over the snapshot `over` and return it as kept.

        Raises:
            StateConflictError: something else is there now; it was left as it is.
            StateError: it cannot be written.
        """
        try:
            version = self.backend.save(encode(state), expected=over.version, note=note)
        except (StateConflictError, StateUnansweredError):
            # Perhaps it was written and only the answer was lost. If this fails too, the first error says more.
            found = self._version_of(state)
            if found is None:
                raise
            version = found
        return Kept(state=state, version=version)

    def _version_of(self, state: State) -> str | None:
        """Return the version of what is stored if it says the same as `state`, in whatever form a server keeps it."""
        with contextlib.suppress(StateError):
            stored = self.backend.load()
            if stored is not None and encode(decode(stored.data, site=state.site)) == encode(state):
                return stored.version
        return None

    def replace(self, state: State, over: Kept, *, recorded: State, note: str) -> str | None:
        """Write `state` over the snapshot and whatever the journal holds, once a copy of `recorded` is kept.

        Returns the name of the copy; `None` when nothing was recorded.

        Raises:
            StateError: as `save`; or the copy cannot be kept, or a journal not be removed that must be.
        """
        self._require_room(state.serial)
        self.journal.prepare()
        copy = None if recorded == empty_state(recorded.site) else self.backups.keep(recorded)
        if state.lineage != self.lineage_after(over):
            # A journal cannot be read beside a state of another lineage, so it must not outlive the old one.
            over = self.take_over()
        self.save(state, over, note=note)
        self.drop_journal(Ending.CUT_SHORT)
        return copy

    def lineage_after(self, snapshot: Kept) -> str:
        """Return the lineage of the next state after `snapshot`: its own, or for the first one a new one."""
        return snapshot.state.lineage or snapshot.drawn or self._new_lineage()

    def successor(self, records: State, snapshot: Kept) -> State:
        """Return `records` as the next state after `snapshot`; the first one is given its lineage."""
        return replace(records, lineage=self.lineage_after(snapshot), serial=snapshot.state.serial + 1)

    def take_over(self) -> Kept:
        """Make an unfinished run's records the state, move its journal into the history, and return the state.

        Raises:
            StateError: it cannot be read or written, or the journal cannot be removed.
        """
        kept, recorded = self.read()
        self._require_room(kept.state.serial + _WRITES)
        self.journal.sweep()
        self.backups.sweep()
        recorded = replace(recorded, open_run=None)
        if recorded.content != kept.state.content:
            kept = self.save(self.successor(recorded, kept), kept, note="what an unfinished run has left")
        with translated(self.journal.name, "removed"):
            self.journal.remove(Ending.CUT_SHORT)
        return kept

    def drop_journal(self, ending: Ending) -> None:
        """Remove the journal if that can be done. What it says is in the snapshot by now; the next run removes it."""
        with contextlib.suppress(OSError):
            self.journal.remove(ending)

    def end_run(self, run: str) -> None:
        """Remove the journal of the run with this id, likewise; a run that has overtaken it goes on with its own."""
        with contextlib.suppress(OSError, StateError):
            if self.journal.is_of(run):
                self.journal.remove(Ending.ENDED)

    def _require_room(self, serial: int) -> None:
        """Refuse before anything is done what could not be written at its end. Only a state made by hand is there."""
        if serial > MAX_SERIAL:
            raise StateError(
                f"{self.name} would reach serial {serial}, and {MAX_SERIAL} is the last there is; nothing was changed",
                hint="give a copy of it (`reconciler state pull`) a lower serial, and put that where the state is kept "
                "by the means of that place",
            )

    def load(self, tell: Tell | None = None) -> Kept:
        """Return the snapshot.

        Raises:
            StateError: it cannot be read or trusted.
        """
        stored = self.backend.load()
        if stored is None:
            return Kept(state=empty_state(self._site), version=None)
        try:
            return Kept(state=decode(stored.data, site=self._site, tell=tell), version=stored.version)
        except StateError as error:
            raise StateError(f"{self.name}: {error}", hint=error.hint) from None
