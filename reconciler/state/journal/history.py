"""The history of a state: what is left of past runs on this machine, in a directory beside their journals.

Rules of this file: a journal whose run is over is moved here instead of being removed, as it is. To whoever reads the
state that is the same thing, and it is as durable. The history says what was done and by whom, and nothing depends on
it: what goes wrong with it is a warning, and never the end of a run; a journal that cannot be moved is removed. It is
bounded, and the oldest goes first. Who writes here holds the lock of the state.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.errors import JournalError, StateError
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.past import Ending
from reconciler.state.atomic import replace_file
from reconciler.state.document.fields import UPGRADE
from reconciler.state.failures import explain, translated
from reconciler.state.files import Files
from reconciler.state.journal.entries import Entry, RunOpened
from reconciler.state.journal.lines import Journal, frame, read_journal
from reconciler.values import Struct

MAX_RUNS = 200
"""How many runs are kept at most."""
MAX_BYTES = 64 * 1024**2
"""How many bytes they may take together; the newest is kept whatever it takes."""

LEFT_OUT = "this run is left out; the state does not depend on it, and the file may be removed"

_DIGITS = 8
_SUFFIX = ".journal"
_NAME = re.compile(r"[0-9]{8}-(ended|cut-short|by-hand)\.journal", re.ASCII)
_STRAY = re.compile(r"\.[0-9]{8}-by-hand\.journal\.tmp", re.ASCII)
"""How `replace_file` calls what it has not finished."""


class Remains(Struct, frozen=True, kw_only=True):
    """What is left of one run."""

    journal: Journal
    ending: Ending


class History:
    """The directory. It is made when there is something to keep."""

    def __init__(self, directory: Path, *, display: str, files: Files) -> None:
        """Remember where it is; `display` is how to name it."""
        self.name = display
        self.warnings: list[Diagnostic] = []
        """What could not be kept since this object was made."""
        self._directory = directory
        self._files = files

    def take(self, journal: Path, ending: Ending) -> None:
        """Move the journal of a run that is over here, if it is there; one that tells of nothing is removed.

        Raises:
            OSError: it is still where it was, or may be after a power cut.
        """
        self._sweep()
        try:
            worth_it = not _tells_nothing(self._files.read(journal))
        except FileNotFoundError:
            return
        except OSError as error:
            self._warn(error)
            worth_it = False
        if not (worth_it and self._moved(journal, ending)):
            with contextlib.suppress(FileNotFoundError):
                self._files.unlink(journal)
        self._files.sync_directory(journal.parent)

    def add(self, run: RunOpened, entries: Iterable[Entry]) -> None:
        """Keep what was done by hand."""
        with self._warned():
            self._files.make_directory(self._directory)
            replace_file(self._next(Ending.BY_HAND), b"".join(map(frame, (run, *entries))), files=self._files)
            self._shorten()

    def follow(self, other: History) -> None:
        """Go on from where `other` ends: it becomes this history, if this one has not begun."""
        with self._warned():
            if self._files.mode_of(other._directory) is None or self._files.mode_of(self._directory) is not None:
                return
            self._files.make_directory(self._directory.parent)
            self._files.replace(other._directory, self._directory)
            self._files.sync_directory(self._directory.parent)

    def read(self) -> tuple[tuple[Remains, ...], tuple[StateError, ...]]:
        """Return what is left, the oldest run first, and why some of it cannot be read. Nothing is written."""
        remains: list[Remains] = []
        flaws: list[StateError] = []
        try:
            with translated(self.name, "read"):
                found = self._found()
        except StateError as error:
            return (), (error,)
        for name in found:
            try:
                remains.extend(self._read(name))
            except StateError as error:
                flaws.append(error)
        return tuple(remains), tuple(flaws)

    def _read(self, name: str) -> Iterator[Remains]:
        """Yield what is left of one run: nothing when it has just gone, or had not even begun."""
        shown = f"{self.name}/{name}"
        with translated(shown, "read"):
            try:
                data = self._files.read(self._directory / name)
            except FileNotFoundError:
                return
        try:
            journal = read_journal(data, name=shown)
        except JournalError as error:
            raise JournalError(str(error), hint=UPGRADE if error.hint == UPGRADE else LEFT_OUT) from None
        if journal is not None:
            yield Remains(journal=journal, ending=Ending(name.partition("-")[2].removesuffix(_SUFFIX)))

    def _moved(self, journal: Path, ending: Ending) -> bool:
        moved = False
        with self._warned():
            self._files.make_directory(self._directory)
            self._files.replace(journal, self._next(ending))
            moved = True
            self._files.sync_directory(self._directory)
            self._shorten()
        return moved

    def _next(self, ending: Ending) -> Path:
        newest = max((int(name[:_DIGITS]) for name in self._found()), default=0)
        return self._directory / f"{newest + 1:0{_DIGITS}}-{ending}{_SUFFIX}"

    def _shorten(self) -> None:
        """Remove the oldest where there are too many, or too much."""
        runs = bytes_taken = 0
        gone = 0
        for name, size in reversed(self._found().items()):
            runs, bytes_taken = runs + 1, bytes_taken + size
            if runs > 1 and (runs > MAX_RUNS or bytes_taken > MAX_BYTES):
                self._files.unlink(self._directory / name)
                gone += 1
        if gone:
            self._files.sync_directory(self._directory)

    def _sweep(self) -> None:
        """Remove what is left of a file whose making was cut short; a stray harms nobody."""
        with contextlib.suppress(OSError):
            for name in self._files.sizes_in(self._directory):
                if _STRAY.fullmatch(name):
                    self._files.unlink(self._directory / name)

    def _found(self) -> dict[str, int]:
        """Return the names of what is kept and their sizes, the oldest first."""
        try:
            sizes = self._files.sizes_in(self._directory)
        except FileNotFoundError:
            return {}
        return {name: sizes[name] for name in sorted(sizes) if _NAME.fullmatch(name)}

    @contextlib.contextmanager
    def _warned(self) -> Iterator[None]:
        """Turn what the system refuses into a warning."""
        try:
            yield
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        summary = f"{self.name} cannot be kept up to date: {explain(error)}"
        if all(each.summary != summary for each in self.warnings):
            self.warnings.append(
                Diagnostic(
                    severity=Severity.WARNING,
                    code="history-not-kept",
                    summary=summary,
                    detail="the state is not touched by that; `state history` will not tell of every run",
                )
            )


def _tells_nothing(data: bytes) -> bool:
    """Tell whether a journal has no more than its opening record: nothing was done in that run."""
    return data.find(b"\n") in (-1, len(data) - 1)
