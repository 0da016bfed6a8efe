"""The state in a file of this machine: snapshot, journal and lock side by side.

Rules of this file: `read` takes no lock and writes nothing. Only the holder of the lock writes, and in this order, so
that a crash between any two steps leaves the truth:

 1. a run's journal is durable before its first call is sent, and every outcome before the next step relies on it;
 2. the new snapshot replaces the old one, with a higher serial than the journal was begun from;
 3. the journal is removed. One that is still there with a lower serial than the snapshot's is already in it.

A reader therefore takes the journal first and the snapshot second: whatever the writer does in between, the journal
either still fits the snapshot or is older than it and counts for nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.errors import StateError
from reconciler.model.state import State
from reconciler.state.entries import RunOpened
from reconciler.state.failures import translated
from reconciler.state.files import OS_FILES, Files
from reconciler.state.journal import is_compacted, read_journal, replay
from reconciler.state.lock import LockHolder, hold_lock
from reconciler.state.recorder import Recorder
from reconciler.state.snapshot import load_snapshot, rescue_state, save_snapshot


class StateStore:
    """The state of one site in a local file."""

    def __init__(
        self,
        path: Path,
        *,
        site: str,
        clock: Callable[[], str],
        new_lineage: Callable[[], str],
        files: Files = OS_FILES,
        display: str | None = None,
    ) -> None:
        """Remember where the state is; nothing is opened yet.

        Args:
            path: the state's file, or a link to it; journal and lock stand beside the real file.
            site: the site whose state it is.
            clock: gives the time as RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
            new_lineage: gives a fresh UUID as text, for a state's first write.
            files: the file system.
            display: the path as the user wrote it, for messages; `path` itself if not given.
        """
        self._path = files.real_path(path)
        self._journal_path = self._path.with_name(f"{self._path.name}.journal")
        self._name = display if display is not None else str(path)
        self._site = site
        self._clock = clock
        self._new_lineage = new_lineage
        self._files = files
        self._holder: LockHolder | None = None
        self._recorder: Recorder | None = None

    def read(self) -> State:
        """Return what is recorded, an unfinished run included, without a lock and without a write.

        Raises:
            StateError: the state or its journal cannot be read or trusted.
        """
        return self._read()[1]

    @contextlib.contextmanager
    def lock(self, holder: LockHolder) -> Iterator[None]:
        """Hold the lock during the block; only inside it may `begin_run` and `write` be called.

        Raises:
            LockHeldError: another holds it; the text names them.
            StateError: the lock's file cannot be made.
        """
        path = self._path.with_name(f"{self._path.name}.lock")
        with hold_lock(path, holder, name=self._name, files=self._files):
            self._holder = holder
            try:
                yield
            finally:
                self._holder = None
                self._let_go()

    def begin_run(self) -> Recorder:
        """Return the recorder of a new run, after taking over whatever an unfinished run has left.

        Raises:
            StateError: the state cannot be read, or the journal cannot be begun.
        """
        # Imported here: it needs asyncio, and a plan that only reads the state should not pay for that.
        from reconciler.state.commit import open_journal  # noqa: PLC0415

        holder = self._require_lock()
        self._let_go()
        state = self._take_over()
        run = RunOpened(
            site=self._site, lineage=state.lineage, serial=state.serial, run=holder.id, started_at=self._clock()
        )
        journal = open_journal(self._journal_path, run, name=f"{self._name}.journal", files=self._files)

        def settle(records: State, rescue_directory: Path, whole: bool) -> State:  # noqa: FBT001 - a callback
            return self._settle(records, state, rescue_directory, whole=whole)

        self._recorder = Recorder(state, journal=journal, settle=settle)
        return self._recorder

    def write(self, state: State) -> State:
        """Make the records of `state` the recorded ones and return the state as saved.

        Args:
            state: what `read` returned under this lock, with other agents. Equal content is not written again.

        Raises:
            StateError: `state` was not made from what is recorded now, or it cannot be written.
        """
        self._require_lock()
        snapshot, recorded = self._read()
        if (state.site, state.lineage, state.serial) != (recorded.site, recorded.lineage, recorded.serial):
            raise StateError(
                f"{self._name} is serial {recorded.serial} of lineage {recorded.lineage}, site {recorded.site!r}; what "
                f"is to be written was made from serial {state.serial} of lineage {state.lineage}, site {state.site!r}",
                hint="read the state again and repeat the change on it",
            )
        if state.agents == recorded.agents:
            return recorded
        saved = self._successor(state, snapshot)
        save_snapshot(self._path, saved, name=self._name, files=self._files)
        with contextlib.suppress(OSError):  # it is older than the snapshot now, and counts for nothing
            self._remove_journal()
        return saved

    def _read(self) -> tuple[State, State]:
        """Return the snapshot, and what is recorded once the journal is added to it."""
        name = f"{self._name}.journal"
        with translated(name, "read"):
            try:
                data = self._files.read(self._journal_path)
            except FileNotFoundError:
                data = b""
        snapshot = load_snapshot(self._path, site=self._site, name=self._name, files=self._files)
        journal = read_journal(data, name=name)
        if journal is None or is_compacted(journal, snapshot):
            return snapshot, snapshot
        return snapshot, replay(journal, snapshot)

    def _successor(self, records: State, snapshot: State) -> State:
        """Return `records` as the next state after `snapshot`; the first one is given its lineage."""
        lineage = snapshot.lineage if snapshot.lineage is not None else self._new_lineage()
        return replace(records, lineage=lineage, serial=snapshot.serial + 1)

    def _take_over(self) -> State:
        """Make an unfinished run's records the state, remove its journal, and return the state."""
        snapshot, recorded = self._read()
        state = snapshot
        if recorded.agents != snapshot.agents:
            state = self._successor(recorded, snapshot)
            save_snapshot(self._path, state, name=self._name, files=self._files)
        with translated(f"{self._name}.journal", "removed"):
            self._remove_journal()
        return state

    def _settle(self, records: State, opened: State, rescue_directory: Path, *, whole: bool) -> State:
        """Make the records of a run the state; `opened` is what it began from, `whole` is said of its journal."""
        state = opened
        if records.agents != opened.agents:
            state = self._successor(records, opened)
            try:
                save_snapshot(self._path, state, name=self._name, files=self._files)
            except StateError as error:
                place = rescue_state(state, rescue_directory, files=self._files)
                raise StateError(str(error), hint=self._advise(place, whole=whole)) from error
        with contextlib.suppress(OSError):  # what it says is in the snapshot now; the next run removes it
            self._remove_journal()
        return state

    def _advise(self, place: Path | None, *, whole: bool) -> str:
        """Say where the records of a run are whose state could not be written."""
        if not whole:
            return self._advise_without_journal(place)
        taken_over = (
            f"nothing is lost: {self._name}.journal holds the run, and once the state can be written the next apply "
            "takes it over from there"
        )
        if place is None:
            return taken_over
        return (
            f"{taken_over}; until then {place}, a full copy of the state, can be put in the place of {self._name} by "
            "hand while no run is going on"
        )

    def _advise_without_journal(self, place: Path | None) -> str:
        """Say the same when the journal failed before: each call's intent is in it, the last answers may not be."""
        cut = f"{self._name}.journal could not be written to its end either: the last answers may be missing from it"
        if place is None:
            return f"{cut}, and the next plan then shows those agents as in doubt; make the disk writable, then plan"
        return (
            f"{cut}; {place} is a full copy of the state: put it in the place of {self._name} by hand, while no run is "
            "going on and before the next apply"
        )

    def _remove_journal(self) -> None:
        try:
            self._files.unlink(self._journal_path)
        except FileNotFoundError:
            return
        self._files.sync_directory(self._journal_path.parent)

    def _let_go(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    def _require_lock(self) -> LockHolder:
        if self._holder is None:
            raise RuntimeError("the state is written only under its lock")
        return self._holder
