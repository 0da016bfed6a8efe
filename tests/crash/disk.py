"""A disk in memory that knows what of it survives a power cut, and can be copied at any moment.

Rules of this file: it does what POSIX promises and not a bit more. Content is durable once its file was synced, a name
once its directory was; until then each write, creation, renaming and removal may survive a power cut or not, alone and
in any order, and half of a write may. `test_disk.py` holds it against the machine's own disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Self

from reconciler.state.backend import Stored

_FULLY_ENUMERATED = 5
"""So many of the last unsynced changes survive in every combination; those before them all together or not at all."""


@dataclass(eq=False)
class _Inode:
    """A file, whatever its names are."""

    data: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    mode: int = 0o600
    doubtful: bool = False
    """A sync of it failed: whatever a later sync says, nothing more is sure to reach the platter."""


@dataclass(frozen=True, eq=False)
class _Write:
    """Bytes that were written and not synced; with `size`, the file was cut to it instead."""

    inode: _Inode
    offset: int
    data: bytes = b""
    size: int | None = None

    def survive(self, *, part: float = 1.0) -> None:
        """Let it reach the platter, or the first part of it."""
        if self.size is not None:
            self.inode.data = self.inode.data[: self.size]
            return
        kept = self.data[: int(len(self.data) * part)]
        end = self.offset + len(kept)
        self.inode.data.extend(bytes(max(0, end - len(self.inode.data))))
        self.inode.data[self.offset : end] = kept

    def grow(self) -> None:
        """Let the file be as long as if it had reached the platter, with zeros for its content."""
        if self.size is None:
            self.inode.data.extend(bytes(max(0, self.offset + len(self.data) - len(self.inode.data))))


@dataclass(frozen=True, eq=False)
class _Naming:
    """Names that were given (or taken away, where there is no inode) and not synced: one renaming is one step."""

    names: tuple[tuple[Path, _Inode | None], ...]

    def is_in(self, directory: Path) -> bool:
        return any(path.parent == directory for path, _ in self.names)


_Change = _Write | _Naming


@dataclass
class Remote:
    """Another machine, which no power cut here reaches."""

    kept: dict[str, Stored] = field(default_factory=dict)
    """What is kept there, by name."""
    waited: float = 0.0
    """Seconds that whoever waits for a lock there has seen pass: the one clock that counts for it."""


@dataclass
class _Handle:
    inode: _Inode
    append: bool = False
    offset: int = 0


class ModelDisk:
    """See `reconciler.state.Files`."""

    def __init__(self, *directories: Path) -> None:
        self.directories = set(directories)
        self.remote = Remote()
        """What is kept on another machine."""
        self._names: dict[Path, _Inode] = {}
        self._durable_names: dict[Path, _Inode] = {}
        self._unsynced: list[_Change] = []
        self._handles: dict[int, _Handle] = {}
        self._locks: dict[int, _Inode] = {}
        self._next_handle = 3

    # What a test asks of it

    def files(self) -> dict[str, bytes]:
        """The content of every file by its name, as a process sees it."""
        return {path.name: bytes(inode.data) for path, inode in sorted(self._names.items())}

    def survives(self, path: Path) -> bytes | None:
        """What a power cut leaves of the file at least; `None` when not even its name."""
        inode = self._durable_names.get(path)
        return None if inode is None else inode.durable

    def put(self, path: Path, data: bytes) -> None:
        """Place a file, durably."""
        self._names[path] = self._durable_names[path] = _Inode(data=bytearray(data), durable=data)

    def path_of(self, handle: int) -> Path | None:
        """The name of an open file."""
        inode = self._handles[handle].inode if handle in self._handles else None
        return next((path for path, each in self._names.items() if each is inode), None)

    @property
    def open_handles(self) -> int:
        return len(self._handles)

    def copy(self) -> Self:
        return deepcopy(self)

    def kill(self) -> None:
        """The process dies: its files are closed and its locks are gone; what it wrote is with the system."""
        self._handles.clear()
        self._locks.clear()

    def fail_sync(self, handle: int) -> None:
        """A sync fails as on Linux: what was to be synced counts as clean and never reaches the platter."""
        inode = self._handles[handle].inode
        inode.doubtful = True
        self._drop_writes(inode)

    def power_cuts(self) -> Iterator[Self]:
        """Yield every disk that may be found when the power goes now, as far as `_FULLY_ENUMERATED` has it."""
        pending = range(len(self._unsynced))
        early, late = pending[:-_FULLY_ENUMERATED], pending[-_FULLY_ENUMERATED:]
        for before in ([], list(early)) if early else ([],):
            for count in range(len(late) + 1):
                for chosen in combinations(late, count):
                    yield self._cut([*before, *chosen])
        for number in late:
            if isinstance(self._unsynced[number], _Write):
                yield self._cut(list(pending[:number]), torn=number)
                yield self._cut(list(pending[:number]), grown=number)

    def _cut(self, chosen: Sequence[int], *, torn: int = -1, grown: int = -1) -> Self:
        disk = self.copy()
        written = (change.inode for change in disk._unsynced if isinstance(change, _Write))
        for inode in (*disk._names.values(), *disk._durable_names.values(), *written):
            inode.data = bytearray(inode.durable)
        disk._names = dict(disk._durable_names)
        for number, change in enumerate(disk._unsynced):
            if number in chosen:
                disk._survive(change)
            elif isinstance(change, _Write) and number == torn:
                change.survive(part=0.5)
            elif isinstance(change, _Write) and number == grown:
                change.grow()
        disk._settle()
        return disk

    def _survive(self, change: _Change) -> None:
        if isinstance(change, _Write):
            change.survive()
        else:
            _name(self._names, change)

    def _settle(self) -> None:
        """What is found after a power cut is what is on the platter."""
        for inode in self._names.values():
            inode.durable = bytes(inode.data)
        self._durable_names = dict(self._names)
        self._unsynced.clear()
        self.kill()

    # `Files`

    def make_directory(self, path: Path) -> None:
        self.directories.update(each for each in (path, *path.parents))

    def sizes_in(self, path: Path) -> dict[str, int]:
        if path not in self.directories:
            raise _refusal(errno.ENOENT)
        return {each.name: len(inode.data) for each, inode in self._names.items() if each.parent == path}

    def real_path(self, path: Path) -> Path:
        return path

    def mode_of(self, path: Path) -> int | None:
        if path in self.directories:
            return 0o700
        return self._names[path].mode if path in self._names else None

    def read(self, path: Path) -> bytes:
        if path in self.directories:
            raise _refusal(errno.EISDIR)
        return bytes(self._find(path).data)

    def open_fresh(self, path: Path) -> int:
        inode = self._create(path)
        if inode.data:
            self._unsynced.append(_Write(inode, 0, size=0))
            inode.data.clear()
        return self._open(_Handle(inode))

    def open_append(self, path: Path) -> int:
        if path in self._names:
            raise _refusal(errno.EEXIST)
        return self._open(_Handle(self._create(path), append=True))

    def open_lock(self, path: Path) -> int:
        return self._open(_Handle(self._create(path)))

    def lock(self, handle: int) -> None:
        inode = self._handles[handle].inode
        if any(each is inode for number, each in self._locks.items() if number != handle):
            raise _refusal(errno.EAGAIN)
        self._locks[handle] = inode

    def unlock(self, handle: int) -> None:
        self._locks.pop(handle, None)

    def is_at(self, handle: int, path: Path) -> bool:
        return self._names.get(path) is self._handles[handle].inode

    def set_mode(self, handle: int, mode: int) -> None:
        self._handles[handle].inode.mode = mode

    def write(self, handle: int, data: bytes) -> int:
        opened = self._handles[handle]
        inode, offset = opened.inode, len(opened.inode.data) if opened.append else opened.offset
        self._note(_Write(inode, offset, bytes(data)))
        inode.data.extend(bytes(max(0, offset - len(inode.data))))
        inode.data[offset : offset + len(data)] = data
        opened.offset = offset + len(data)
        return len(data)

    def truncate(self, handle: int) -> None:
        inode = self._handles[handle].inode
        self._note(_Write(inode, 0, size=0))
        inode.data.clear()

    def fsync(self, handle: int) -> None:
        inode = self._handles[handle].inode
        if not inode.doubtful:
            inode.durable = bytes(inode.data)
        self._drop_writes(inode)

    def close(self, handle: int) -> None:
        del self._handles[handle]
        self._locks.pop(handle, None)

    def replace(self, source: Path, target: Path) -> None:
        inode = self._find(source)
        self._change_names((source, None), (target, inode))

    def unlink(self, path: Path) -> None:
        self._find(path)
        self._change_names((path, None))

    def sync_directory(self, path: Path) -> None:
        if path not in self.directories:
            raise _refusal(errno.ENOENT)
        for change in self._unsynced:
            if isinstance(change, _Naming) and change.is_in(path):
                _name(self._durable_names, change)
        self._unsynced = [each for each in self._unsynced if not (isinstance(each, _Naming) and each.is_in(path))]

    def _note(self, write: _Write) -> None:
        # What stands in a lock is for people: it is never synced, and its every combination would drown the others.
        if all(each is not write.inode for each in self._locks.values()):
            self._unsynced.append(write)

    def _drop_writes(self, inode: _Inode) -> None:
        self._unsynced = [each for each in self._unsynced if not (isinstance(each, _Write) and each.inode is inode)]

    def _create(self, path: Path) -> _Inode:
        if path.parent not in self.directories:
            raise _refusal(errno.ENOENT)
        if path not in self._names:
            self._change_names((path, _Inode()))
        return self._names[path]

    def _find(self, path: Path) -> _Inode:
        if path not in self._names:
            raise _refusal(errno.ENOENT)
        return self._names[path]

    def _open(self, handle: _Handle) -> int:
        number, self._next_handle = self._next_handle, self._next_handle + 1
        self._handles[number] = handle
        return number

    def _change_names(self, *names: tuple[Path, _Inode | None]) -> None:
        change = _Naming(names)
        _name(self._names, change)
        self._unsynced.append(change)


def _name(names: dict[Path, _Inode], change: _Naming) -> None:
    for path, inode in change.names:
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode


def _refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))
