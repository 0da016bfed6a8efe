"""The lock of one machine: the kernel's `flock`, on a file of its own beside the state.

Rules of this file: the lock is on a file of its own, because a lock on a file that is replaced by renaming locks the
old file only. That file is never removed (a waiter could hold the removed one); its content is for people, `flock` is
what counts, and the kernel undoes it when the process dies, so it never runs out and never needs to be broken. Should
somebody else remove or replace it (`git clean` does), whoever locked the removed one has lost the lock.

On a shared file system the lock holds as far as `flock` does: on NFS since version 4 and on cluster file systems it
excludes other machines; where it is made local to a machine by a mount option (`nolock`, `local_lock`), it does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import LockLostError
from reconciler.state.failures import translated
from reconciler.state.files import Files, write_all
from reconciler.state.locks.lock import Busy, LockHolder, LockRecord, held_by_another, read_lock, write_lock

_WAIT = "wait until that run has ended (--lock-timeout), or stop it: its lock goes with its process; nothing was sent"
_TRIES = 3
"""How often a lock file that vanishes while it is locked is made anew."""
_ALIVE = "its process is alive, so there is nothing to break: wait for it, or stop it, and its lock goes with it"


class _Held:
    """The lock, held by this process: nobody else gets it before this process lets go or dies, or its file goes."""

    taken_over: LockRecord | None = None
    to_break: str | None = None

    def __init__(self, handle: int, path: Path, *, name: str, files: Files) -> None:
        self._handle = handle
        self._path = path
        self._name = name
        self._files = files

    def require(self) -> None:
        """Return if the locked file is still the one that others would lock."""
        with contextlib.suppress(OSError):  # who cannot look cannot be sure
            if self._files.is_at(self._handle, self._path):
                return
        raise LockLostError(
            f"the lock on {self._name} was lost: {self._path.name} was removed or replaced; nothing more is sent",
            hint="what was acknowledged is recorded; leave that file alone, look whether another run is under way, "
            "then apply again",
        )

    def watch(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Return: whoever is to send asks `require` first, and the file goes without a word."""

    def release(self) -> None:
        """Empty the file and let go."""
        try:
            with contextlib.suppress(OSError):  # a stale name misleads nobody: the next holder writes its own
                self._files.truncate(self._handle)
        finally:
            _let_go(self._files, self._handle)


def _let_go(files: Files, handle: int) -> None:
    with contextlib.suppress(OSError):
        files.unlock(handle)
    with contextlib.suppress(OSError):
        files.close(handle)


class FileLock:
    """The lock file of a state."""

    poll = 0.2

    def __init__(self, path: Path, *, name: str, files: Files) -> None:
        """Remember where it is; `name` is the state's, as the user wrote it."""
        self._path = path
        self._name = name
        self._files = files

    def take(self, holder: LockHolder) -> _Held | Busy:
        """Try once; see `lock.Lock`."""
        with translated(self._name, "locked"):
            handle = self._open()
            if handle is None:
                return Busy(record=self._record(), advice=_WAIT)
            held = _Held(handle, self._path, name=self._name, files=self._files)
            try:
                self._sign(handle, LockRecord(holder=holder, heartbeat=None, lease=None))
            except BaseException:
                held.release()
                raise
        return held

    def to_break(self, holder: LockHolder) -> None:
        """Return `None`: its lock goes with its process; see `lock.Lock`."""

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Refuse, if somebody holds it: with the process gone it would be free. See `lock.Lock`."""
        with translated(self._name, "unlocked"):
            handle = self._open()
            if handle is not None:
                _let_go(self._files, handle)
                return None
        record = self._record()
        mine = record is not None and record.holder.id == lock_id
        advice = _ALIVE if mine else f"{lock_id} is not the id of that lock; {_ALIVE}"
        raise held_by_another(Busy(record=record, advice=advice), self._name)

    def _open(self) -> int | None:
        """Return the file, locked, or `None` when another has locked it."""
        for _ in range(_TRIES):
            handle = self._files.open_lock(self._path)
            try:
                self._files.lock(handle)
                if self._files.is_at(handle, self._path):
                    return handle
            except BlockingIOError:
                self._files.close(handle)
                return None
            except BaseException:
                self._files.close(handle)
                raise
            _let_go(self._files, handle)
        return None

    def _sign(self, handle: int, record: LockRecord) -> None:
        self._files.truncate(handle)
        write_all(self._files, handle, write_lock(record))

    def _record(self) -> LockRecord | None:
        try:
            return read_lock(self._files.read(self._path))
        except OSError:
            return None
