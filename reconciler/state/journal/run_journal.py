"""Where the journal of a run stands, and how one that is found belongs to the state.

Rules of this file: a journal counts only with the state it was begun from.

- `JournalBeside` a local state: it belongs to the snapshot of the same lineage and serial, and goes on from there; with
  a snapshot of a higher serial it is in it already.
- `JournalAway` from a state that is kept elsewhere: before its first call the run has written there that it is open,
  with all it is about to send as in doubt. Its journal, which stays on its machine, knows better, and belongs to the
  state for as long as the state says that this very run is open. Beside it stands what was recorded before the run.
  On any other machine the state itself is the truth that is left.

Where a run's journal is said to be removed, it goes into the history (see `history`), which is the same to a reader.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

from reconciler.errors import StateError
from reconciler.model.past import Ending
from reconciler.model.state import OpenRun, State
from reconciler.state.atomic import replace_file, sweep
from reconciler.state.document.codec import decode, encode
from reconciler.state.failures import translated
from reconciler.state.files import OWNER_ONLY, Files
from reconciler.state.journal.entries import RunOpened
from reconciler.state.journal.history import History
from reconciler.state.journal.lines import Journal, is_compacted, read_journal, read_opening, replay
from reconciler.state.journal.recorder import OpenJournal
from reconciler.state.locks.lock import LockHolder
from reconciler.values import replace

_IGNORE = b"# What a run leaves here belongs to this machine.\n*\n"


class RunJournal(Protocol):
    """The journal of the run that is, or was, under way."""

    name: str
    """As the user would write it, for messages."""
    announced: bool
    """Whether the state must say that a run is open before its first call."""
    history: History
    """What is left of past runs on this machine."""

    def read(self) -> Journal | None:
        """Return the journal that is there, if there is one. To be read before the snapshot.

        Raises:
            StateError: it cannot be read or trusted.
        """
        ...

    def recorded(self, journal: Journal | None, snapshot: State) -> State:
        """Return what is recorded: `snapshot`, and `journal` on top of it if the two belong together.

        Raises:
            StateError: they should and do not, or the journal cannot have happened.
        """
        ...

    def prepare(self) -> None:
        """Make the place for whatever is to be left on this machine.

        Raises:
            StateError: it cannot be made.
        """
        ...

    def sweep(self) -> None:
        """Remove what a process that died has left of a file it was about to replace."""
        ...

    def open(self, run: RunOpened, before: State) -> OpenJournal:
        """Begin the journal of `run`, for which `before` is recorded; none may be there.

        Raises:
            StateError: it cannot be made durable.
        """
        ...

    def is_of(self, run: str) -> bool:
        """Tell whether the journal that is there is that of the run with this id.

        Raises:
            OSError: it cannot be read.
            StateError: its beginning cannot be trusted.
        """
        ...

    def remove(self, ending: Ending) -> None:
        """Take it out of the way into the history, if it is there; `ending` is how its run came to its end.

        Raises:
            OSError: it is still there.
        """
        ...


def run_of(holder: LockHolder, state: State, *, site: str, started: str, drawn: str | None = None) -> RunOpened:
    """Return the first entry of what `holder` does to `state` from the time `started` on.

    `drawn` is the lineage that the state is to have if it has none.
    """
    return RunOpened(
        site=site,
        lineage=state.lineage or drawn,
        serial=state.serial,
        run=holder.id,
        started_at=started,
        operation=holder.operation,
        who=holder.who,
        url=holder.url,
    )


def _read(path: Path, name: str, files: Files) -> Journal | None:
    with translated(name, "read"):
        try:
            data = files.read(path)
        except FileNotFoundError:
            return None
    return read_journal(data, name=name)


def _is_of(path: Path, run: str, name: str, files: Files) -> bool:
    try:
        opening = read_opening(files.read(path), name=name)
    except FileNotFoundError:
        return False
    return opening is not None and opening.run == run


def _open(path: Path, run: RunOpened, name: str, files: Files, mode: int = OWNER_ONLY) -> OpenJournal:
    # Imported here: it needs asyncio, and a plan that only reads the state should not pay for that.
    from reconciler.state.journal.commit import open_journal  # noqa: PLC0415

    return open_journal(path, run, name=name, files=files, mode=mode)


class JournalBeside:
    """The journal of a local state, in the same directory."""

    announced = False

    def __init__(self, path: Path, *, name: str, history: History, files: Files) -> None:
        """Remember where it is."""
        self.name = name
        self.history = history
        self._path = path
        self._state = path.with_suffix("")
        self._files = files

    def read(self) -> Journal | None:
        """Read it; see `RunJournal`."""
        return _read(self._path, self.name, self._files)

    def recorded(self, journal: Journal | None, snapshot: State) -> State:
        """Go on from the snapshot; see `RunJournal`."""
        return snapshot if journal is None or is_compacted(journal, snapshot) else replay(journal, snapshot)

    def prepare(self) -> None:
        """Do nothing: the place of the state is there already."""

    def sweep(self) -> None:
        """Remove what is left of the state's own replacement. See `RunJournal`."""
        sweep(self._state, files=self._files)

    def open(self, run: RunOpened, before: State) -> OpenJournal:
        """Begin it; the snapshot beside it is what was before. Who may read that may read it. See `RunJournal`."""
        del before
        with translated(self.name, "created"):
            mode = self._files.mode_of(self._state)
        return _open(self._path, run, self.name, self._files, OWNER_ONLY if mode is None else mode)

    def is_of(self, run: str) -> bool:
        """Look at its beginning; see `RunJournal`."""
        return _is_of(self._path, run, self.name, self._files)

    def remove(self, ending: Ending) -> None:
        """Remove it; see `RunJournal`."""
        self.history.take(self._path, ending)


class JournalAway:
    """The journal of a state that is kept elsewhere, in a directory of this machine."""

    announced = True

    def __init__(self, directory: Path, *, display: str, files: Files) -> None:
        """Remember the directory, which is made when the first run begins; `display` is how to name it."""
        self.name = f"{display}/journal"
        self.history = History(directory / "history", display=f"{display}/history", files=files)
        self._before_name = f"{display}/before.json"
        self._directory = directory
        self._path = directory / "journal"
        self._before = directory / "before.json"
        self._files = files

    def read(self) -> Journal | None:
        """Read it; see `RunJournal`."""
        return _read(self._path, self.name, self._files)

    def recorded(self, journal: Journal | None, snapshot: State) -> State:
        """Go on from what was before the run, if it is still the one that is open; see `RunJournal`."""
        open_run = snapshot.open_run
        if journal is None or open_run is None or journal.run.run != open_run.run:
            return snapshot
        before = self._load_before(snapshot.site)
        if before is None or before.open_run is None or before.open_run.run != open_run.run:
            return snapshot
        told = replay(journal, replace(before, open_run=None))
        return replace(told, lineage=snapshot.lineage, serial=snapshot.serial)

    def prepare(self) -> None:
        """Make the directory, and keep it out of Git; see `RunJournal`."""
        ignored = self._directory / ".gitignore"
        with translated(self._before_name, "written"):
            self._files.make_directory(self._directory)
            if self._files.mode_of(ignored) is None:
                replace_file(ignored, _IGNORE, files=self._files)

    def sweep(self) -> None:
        """Remove what is left of the copy of what was before. See `RunJournal`."""
        sweep(self._before, files=self._files)

    def open(self, run: RunOpened, before: State) -> OpenJournal:
        """Begin it, and beside it what was before; see `RunJournal`."""
        # The copy says of which run it is, as the state will: two files that are made one after the other can be found
        # in any combination.
        marked = replace(before, open_run=OpenRun(run=run.run, since=run.started_at, who="this machine"))
        self.prepare()
        with translated(self._before_name, "written"):
            replace_file(self._before, encode(marked), files=self._files)
        return _open(self._path, run, self.name, self._files)

    def is_of(self, run: str) -> bool:
        """Look at its beginning; see `RunJournal`."""
        return _is_of(self._path, run, self.name, self._files)

    def remove(self, ending: Ending) -> None:
        """Remove it, and what was before; see `RunJournal`."""
        self.history.take(self._path, ending)
        with contextlib.suppress(FileNotFoundError):
            self._files.unlink(self._before)
            self._files.sync_directory(self._directory)

    def _load_before(self, site: str) -> State | None:
        with translated(self._before_name, "read"):
            try:
                data = self._files.read(self._before)
            except FileNotFoundError:
                return None
        try:
            return decode(data, site=site)
        except StateError as error:
            hint = "move it away: whoever the run that was cut short may have called is then in doubt, and sent again"
            raise StateError(f"{self._before_name}: {error}", hint=hint) from None
