"""The world around one run, whose every operation has a number, and in which the process can die at any of them.

Rules of this file: what a run does to the world, it does through here: each method of `Files`, each step of a call on
the wire, each look at the sessions. After a death nothing more happens, whatever `finally` blocks still try. The
operations come one at a time, so that the same run is the same list of operations every time (see `runs.OnLoop`).
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from crash.disk import ModelDisk
from state.disk import Died

T = TypeVar("T")
Moment = Literal["before", "torn", "after"]

TEARABLE = frozenset({"write", "send", "receive", "save", "save_lock"})
"""Operations of which a part can have happened: half of the bytes, or all of it but the answer."""
STATE_FILE = Path("/site/state.json")


@dataclass(frozen=True, slots=True)
class Death:
    """The process dies at operation `at`, counted from 0."""

    at: int
    moment: Moment = "before"

    def __str__(self) -> str:
        return f"{self.moment}-{self.at}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The system refuses operation `at`, and those of the same name that follow if it is `lasting`."""

    at: int
    error: int
    """Of `errno`."""
    lasting: bool = False

    def __str__(self) -> str:
        return f"{errno.errorcode[self.error]}{'-lasting' if self.lasting else ''}-{self.at}"


@dataclass(frozen=True, slots=True)
class ShortWrite:
    """The write at `at` takes no more than so many bytes; at `None`, every write."""

    at: int | None
    size: int


Fate = Death | Refusal | ShortWrite


def _nothing(_: ModelDisk) -> None:
    """Leave the disk as it is."""


def _see_nothing(_: Death, __: Callable[[ModelDisk], object]) -> None:
    """Watch nothing."""


class World:
    """See `reconciler.state.Files`; and the wire asks it before each step."""

    def __init__(self, disk: ModelDisk, fate: Fate | None = None) -> None:
        self.disk = disk
        self.operations: list[str] = []
        self.touched: list[Path | None] = []
        """The file that each operation was done to, if it was an open one."""
        self.dead = False
        self.refused_at: int | None = None
        """The first operation that the system refused."""
        self.watch: Callable[[Death, Callable[[ModelDisk], object]], None] = _see_nothing
        """Told each point at which the process could die, and what would have happened to the disk by then."""
        self._fate = fate
        self._guard = threading.RLock()

    @property
    def refused(self) -> str | None:
        """The name of the first operation that the system refused."""
        return None if self.refused_at is None else self.operations[self.refused_at]

    def do(
        self,
        name: str,
        act: Callable[[], T],
        *,
        torn: Callable[[ModelDisk], object] = lambda _: None,
        refuse: Callable[[OSError], object] = lambda _: None,
        handle: int | None = None,
    ) -> T:
        """Let one operation happen, unless the run's fate has it otherwise.

        `torn` does to a disk the part of it that has happened when the process dies in its midst; `refuse` is told an
        error before it is raised.
        """
        with self._guard:
            if self.dead:
                raise Died
            number = len(self.operations)
            self.operations.append(name)
            self.touched.append(None if handle is None else self.disk.path_of(handle))
            match self._fate:
                case Death(at=at, moment=moment) if at == number:
                    self._die(moment, act, torn)
                case Refusal(at=at, error=error, lasting=lasting) if at == number or (lasting and name == self.refused):
                    self.refused_at = number if self.refused_at is None else self.refused_at
                    refusal = OSError(error, os.strerror(error))
                    refuse(refusal)
                    raise refusal
            self.watch(Death(number), _nothing)
            if name in TEARABLE:
                self.watch(Death(number, "torn"), torn)
            result = act()
            self.watch(Death(number, "after"), _nothing)
            return result

    def _die(self, moment: Moment, act: Callable[[], object], torn: Callable[[ModelDisk], object]) -> NoReturn:
        self.dead = True
        try:
            if moment == "after":
                act()
            elif moment == "torn":
                torn(self.disk)
        finally:
            self.disk.kill()
        raise Died

    def make_directory(self, path: Path) -> None:
        self.do("make_directory", lambda: self.disk.make_directory(path))

    def sizes_in(self, path: Path) -> dict[str, int]:
        return self.do("sizes_in", lambda: self.disk.sizes_in(path))

    def real_path(self, path: Path) -> Path:
        return self.disk.real_path(path)  # asked when a store is made, before there is a run; it changes nothing

    def mode_of(self, path: Path) -> int | None:
        return self.do("mode_of", lambda: self.disk.mode_of(path))

    def read(self, path: Path) -> bytes:
        return self.do("read", lambda: self.disk.read(path))

    def open_fresh(self, path: Path) -> int:
        return self.do("open_fresh", lambda: self.disk.open_fresh(path))

    def open_append(self, path: Path) -> int:
        return self.do("open_append", lambda: self.disk.open_append(path))

    def open_lock(self, path: Path) -> int:
        return self.do("open_lock", lambda: self.disk.open_lock(path))

    def lock(self, handle: int) -> None:
        self.do("lock", handle=handle, act=lambda: self.disk.lock(handle))

    def unlock(self, handle: int) -> None:
        if not self.dead:
            self.disk.unlock(handle)  # what closing it does anyway

    def is_at(self, handle: int, path: Path) -> bool:
        return self.dead or self.disk.is_at(handle, path)  # asked before each call; it changes nothing

    def set_mode(self, handle: int, mode: int) -> None:
        self.do("set_mode", handle=handle, act=lambda: self.disk.set_mode(handle, mode))

    def write(self, handle: int, data: bytes) -> int:
        taken = self._taken(data)
        return self.do(
            "write",
            lambda: self.disk.write(handle, taken),
            torn=lambda disk: disk.write(handle, data[: len(data) // 2]),
            # A disk that is full takes what still fits.
            refuse=lambda _: self.disk.write(handle, data[: len(data) // 2]),
            handle=handle,
        )

    def truncate(self, handle: int) -> None:
        self.do("truncate", handle=handle, act=lambda: self.disk.truncate(handle))

    def fsync(self, handle: int) -> None:
        self.do(
            "fsync",
            lambda: self.disk.fsync(handle),
            refuse=lambda _: self.disk.fail_sync(handle),
            handle=handle,
        )

    def close(self, handle: int) -> None:
        # Linux closes a file whatever `close` says.
        self.do("close", handle=handle, act=lambda: self.disk.close(handle), refuse=lambda _: self.disk.close(handle))

    def replace(self, source: Path, target: Path) -> None:
        self.do("replace", lambda: self.disk.replace(source, target))

    def unlink(self, path: Path) -> None:
        self.do("unlink", lambda: self.disk.unlink(path))

    def sync_directory(self, path: Path) -> None:
        self.do("sync_directory", lambda: self.disk.sync_directory(path))

    def _taken(self, data: bytes) -> bytes:
        match self._fate:
            case ShortWrite(at=at, size=size) if at in (None, len(self.operations)):
                return data[:size]
            case _:
                return data
