"""The state in a file of this machine: the file, its journal and its lock side by side.

Rules of this file: a missing file is a state of which nothing was recorded yet, a missing directory is a mistake.
Compare and swap is done under the lock of `flock`, by reading once more before the file is replaced as a whole.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from reconciler.errors import StateConflictError
from reconciler.state.atomic import replace_file
from reconciler.state.backend import Stored
from reconciler.state.failures import translated
from reconciler.state.files import Files
from reconciler.state.locks.flock import FileLock


class LocalBackend:
    """A state's file."""

    def __init__(self, path: Path, *, display: str | None = None, files: Files) -> None:
        """Remember where it is.

        Args:
            path: the file, or a link to it; journal and lock stand beside the real file.
            display: the path as the user wrote it, for messages; `path` itself if not given.
            files: the file system.
        """
        self.path = files.real_path(path)
        self.name = display if display is not None else str(path)
        self._files = files

    def beside(self, suffix: str) -> Path:
        """Return the path of what belongs to the state, such as `.journal`."""
        return self.path.parent / f"{self.path.name}{suffix}"  # also of "/", which has no name

    def lock(self) -> FileLock:
        """Return the lock beside the file."""
        return FileLock(self.beside(".lock"), name=self.name, files=self._files)

    def load(self) -> Stored | None:
        """Read the file; see `backend.Place`."""
        data = self._read()
        return None if data is None else Stored(data=data, version=_version(data))

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Replace the file; see `backend.Place`. A file keeps no history, so `note` is not used."""
        del note
        found = self.load()
        if (None if found is None else found.version) != expected:
            raise StateConflictError(
                f"{self.name} was changed by something else while this run had it locked; it was left as it is",
                hint="look at what it holds now, then apply again",
            )
        with translated(self.name, "written"):
            replace_file(self.path, data, files=self._files)
        return _version(data)

    def _read(self) -> bytes | None:
        with translated(self.name, "read"):
            try:
                return self._files.read(self.path)
            except FileNotFoundError:
                if self._files.mode_of(self.path.parent) is None:
                    raise
                return None


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
