"""Copies of what was recorded before somebody replaced it by hand: the last few, newest first.

Rules of this file: number 1 is the newest; those before move up by one, each in one step, and the last one falls off.
A crash in between leaves a gap, which the next turn closes, and loses none that was not to fall off anyway. A copy is
durable before the state is touched, so a copy that cannot be made refuses the change. Runs make none: they leave a
rollback file and a history, and five quiet runs would push out the copy that matters.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.model.state import State
from reconciler.state.atomic import replace_file, sweep
from reconciler.state.document.codec import encode
from reconciler.state.failures import translated
from reconciler.state.files import Files

KEPT = 5
"""How many copies there are at most."""


class Backups:
    """The copies of one state. Whoever makes one holds its lock."""

    def __init__(self, stem: Path, *, display: str, files: Files) -> None:
        """Remember where they are.

        Args:
            stem: the path to which `.backup-1` and so on are added.
            display: `stem` as the user can name it on the command line.
            files: the file system.
        """
        self._stem = stem
        self._display = display
        self._files = files

    @property
    def newest(self) -> str:
        """The newest copy, as the user can name it."""
        return f"{self._display}.backup-1"

    def keep(self, recorded: State) -> str:
        """Keep a copy of what is recorded and return its name; the same content is not kept twice in a row.

        Raises:
            StateError: it cannot be kept.
        """
        data = encode(recorded)
        with translated(self.newest, "written"):
            self._files.make_directory(self._stem.parent)
            if self._read_newest() != data:
                self._move_up()
                replace_file(self._path(1), data, files=self._files)
        return self.newest

    def sweep(self) -> None:
        """Remove what is left of a copy whose making was cut short."""
        sweep(self._path(1), files=self._files)

    def _read_newest(self) -> bytes | None:
        try:
            return self._files.read(self._path(1))
        except FileNotFoundError:
            return None

    def _move_up(self) -> None:
        taken = 0
        while taken < KEPT - 1 and self._files.mode_of(self._path(taken + 1)) is not None:
            taken += 1
        for number in range(taken, 0, -1):
            self._files.replace(self._path(number), self._path(number + 1))

    def _path(self, number: int) -> Path:
        return self._stem.with_name(f"{self._stem.name}.backup-{number}")
