"""A disk to watch, to refuse and to die at: every call of `Files` on a real directory, one by one.

Only syncing is counted and left undone: it is waiting, and a process that dies does not take away what was written.
Who wants to see what a power cut takes away finds that in tests/crash.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from reconciler.state import OsFiles

Moment = Literal["before", "halfway", "after"]
T = TypeVar("T")


class Died(BaseException):
    """The process is gone: nothing runs any more, no clean-up either."""


class Disk:
    """The files of this machine, through calls that are counted and can be made to fail."""

    def __init__(self, *, die_at: int | None = None, moment: Moment = "before") -> None:
        self.calls: list[str] = []
        self.refusals: dict[str, BaseException] = {}
        self.chunk: int | None = None
        self.before_fsync: Callable[[], None] = lambda: None
        self._die_at = die_at
        self._moment = moment
        self._real = OsFiles()
        self._open: set[int] = set()
        self.dead = False

    def count(self, name: str) -> int:
        return self.calls.count(name)

    def _do(self, name: str, call: Callable[[], T]) -> T:
        if self.dead:
            raise Died
        self.calls.append(name)
        dying = len(self.calls) - 1 == self._die_at
        if name in self.refusals:
            raise self.refusals[name]
        if dying and (self._moment == "before" or (self._moment == "halfway" and name != "write")):
            self._die()
        try:
            return call()
        finally:
            if dying:
                self._die()

    def _die(self) -> None:
        self.dead = True
        for handle in self._open:
            fcntl.flock(handle, fcntl.LOCK_UN)  # a child that another thread is just beginning may have a copy of it
            os.close(handle)
        raise Died

    def _opened(self, handle: int) -> int:
        self._open.add(handle)
        return handle

    def make_directory(self, path: Path) -> None:
        self._do("make_directory", lambda: self._real.make_directory(path))

    def real_path(self, path: Path) -> Path:
        return self._do("real_path", lambda: self._real.real_path(path))

    def mode_of(self, path: Path) -> int | None:
        return self._do("mode_of", lambda: self._real.mode_of(path))

    def read(self, path: Path) -> bytes:
        return self._do("read", lambda: self._real.read(path))

    def sizes_in(self, path: Path) -> dict[str, int]:
        return self._do("sizes_in", lambda: self._real.sizes_in(path))

    def open_fresh(self, path: Path) -> int:
        return self._do("open_fresh", lambda: self._opened(self._real.open_fresh(path)))

    def open_append(self, path: Path) -> int:
        return self._do("open_append", lambda: self._opened(self._real.open_append(path)))

    def open_lock(self, path: Path) -> int:
        return self._do("open_lock", lambda: self._opened(self._real.open_lock(path)))

    def lock(self, handle: int) -> None:
        self._do("lock", lambda: self._real.lock(handle))

    def unlock(self, handle: int) -> None:
        self._real.unlock(handle)  # what closing it does anyway

    def is_at(self, handle: int, path: Path) -> bool:
        if "is_at" in self.refusals:
            raise self.refusals["is_at"]
        return self._real.is_at(handle, path)  # asked before each call; it changes nothing

    def set_mode(self, handle: int, mode: int) -> None:
        self._do("set_mode", lambda: self._real.set_mode(handle, mode))

    def write(self, handle: int, data: bytes) -> int:
        dying = len(self.calls) == self._die_at and self._moment == "halfway"
        size = len(data) // 2 if dying else self.chunk
        return self._do("write", lambda: self._real.write(handle, data[:size]))

    def truncate(self, handle: int) -> None:
        self._do("truncate", lambda: self._real.truncate(handle))

    def fsync(self, handle: int) -> None:
        del handle
        self.before_fsync()
        self._do("fsync", lambda: None)

    def close(self, handle: int) -> None:
        def call() -> None:
            self._open.discard(handle)
            self._real.close(handle)

        self._do("close", call)

    def replace(self, source: Path, target: Path) -> None:
        self._do("replace", lambda: self._real.replace(source, target))

    def unlink(self, path: Path) -> None:
        self._do("unlink", lambda: self._real.unlink(path))

    def sync_directory(self, path: Path) -> None:
        del path
        self._do("sync_directory", lambda: None)


class SlowDisk(Disk):
    """A disk whose fsync waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self.before_fsync = self._wait

    def _wait(self) -> None:
        self.busy.set()
        self.go_on.wait(timeout=30)
