"""Who may write: one holder at a time, named in the lock.

Rules of this file: the lock is on a file of its own beside the state, because a lock on a file that is replaced by
renaming locks the old file only. That file is never removed (a waiter could hold the removed one); its content is
advice for people, the kernel's `flock` is what counts, and the kernel undoes it when the process dies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from reconciler.errors import LockHeldError
from reconciler.state.failures import translated
from reconciler.state.files import Files, write_all


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """Who holds the lock, for whoever waits."""

    id: str
    """The id of the run; the journal carries it too."""
    who: str
    """`user@host`."""
    operation: str
    """The command, such as `apply`."""
    since: str
    """RFC 3339, UTC."""

    def __str__(self) -> str:
        """Name the holder as a sentence does."""
        return f"{self.who} ({self.operation}, since {self.since}, lock {self.id})"


def _read_holder(path: Path, files: Files) -> LockHolder | None:
    """Return who says to hold the lock; `None` when it is just being taken or let go."""
    try:
        fields = orjson.loads(files.read(path))
        holder = LockHolder(**{name: fields[name] for name in LockHolder.__dataclass_fields__})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return holder if all(type(text) is str and text.isprintable() for text in asdict(holder).values()) else None


def _take(path: Path, name: str, files: Files) -> int:
    with translated(name, "locked"):
        handle = files.open_lock(path)
        try:
            files.lock(handle)
        except BlockingIOError:
            files.close(handle)
        except BaseException:
            files.close(handle)
            raise
        else:
            return handle
    raise LockHeldError(
        f"{name} is locked by {_read_holder(path, files) or 'another run'}",
        hint="wait until that run has ended, or stop it: its lock goes with its process; nothing was sent",
    )


@contextlib.contextmanager
def hold_lock(path: Path, holder: LockHolder, *, name: str, files: Files) -> Iterator[None]:
    """Hold the lock at `path` during the block.

    Args:
        path: the lock's own file.
        holder: who to name to others.
        name: the state's name as the user wrote it.
        files: the file system.

    Raises:
        LockHeldError: another holds it.
        StateError: the lock's file cannot be made or locked.
    """
    handle = _take(path, name, files)
    try:
        with translated(name, "locked"):
            files.truncate(handle)
            write_all(files, handle, orjson.dumps(asdict(holder)) + b"\n")
        yield
    finally:
        try:
            with contextlib.suppress(OSError):  # a stale name misleads nobody: the next holder writes its own
                files.truncate(handle)
        finally:
            files.close(handle)
