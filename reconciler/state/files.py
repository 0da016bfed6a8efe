"""The file-system calls of this room, each behind one name.

Rules of this file: one method is one thing that can fail or be interrupted, so that a test can count them, refuse them
or die at any of them; no method decides anything. Errors come out as the `OSError` they are: whoever knows the name
the user wrote translates them (see `failures`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Protocol

OWNER_ONLY = 0o600
OWNER_ONLY_DIRECTORY = 0o700
MAX_READ = 1024**3
"""The largest file that is read, in bytes: far above any state, and far below what would exhaust a machine."""


class Files(Protocol):
    """What this room asks of a file system."""

    def make_directory(self, path: Path) -> None:
        """Make the directory, and those above it that are missing, for the owner only; one that is there is kept."""
        ...

    def real_path(self, path: Path) -> Path:
        """Return `path` with every symbolic link followed."""
        ...

    def mode_of(self, path: Path) -> int | None:
        """Return the permission bits of `path`, or `None` when nothing is there."""
        ...

    def read(self, path: Path) -> bytes:
        """Return all bytes of the file; at once an error when it is not a regular file, or larger than `MAX_READ`."""
        ...

    def sizes_in(self, path: Path) -> dict[str, int]:
        """Return the names of the regular files in the directory, links left out, and their sizes in bytes."""
        ...

    def open_fresh(self, path: Path) -> int:
        """Open for writing: created for the owner only, emptied if it was there; a link at that name is refused."""
        ...

    def open_append(self, path: Path) -> int:
        """Create for appending, for the owner only; refused if it is there."""
        ...

    def open_lock(self, path: Path) -> int:
        """Open for reading and writing, created if it is not there, its content kept."""
        ...

    def lock(self, handle: int) -> None:
        """Take the exclusive lock at once; `BlockingIOError` when another holds it."""
        ...

    def unlock(self, handle: int) -> None:
        """Let go of the lock."""
        ...

    def is_at(self, handle: int, path: Path) -> bool:
        """Tell whether the open file is the one that has this name now."""
        ...

    def set_mode(self, handle: int, mode: int) -> None:
        """Give the open file these permission bits."""
        ...

    def write(self, handle: int, data: bytes) -> int:
        """Write what one call takes and return how much that was."""
        ...

    def truncate(self, handle: int) -> None:
        """Empty the open file."""
        ...

    def fsync(self, handle: int) -> None:
        """Return once the file's content survives a power cut."""
        ...

    def close(self, handle: int) -> None:
        """Close the open file; a lock on it is released."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Give `source` the name `target` in one step."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove the name."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return once the names in the directory survive a power cut."""
        ...


def _readable_size(handle: int) -> int:
    """Return how many bytes the open file holds, if it is one that can be read to its end."""
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENXIO, "Not a regular file")
    if status.st_size > MAX_READ:
        raise OSError(errno.EFBIG, f"Larger than {MAX_READ // 1024**3} GiB")
    return status.st_size


class OsFiles:
    """The files of this machine. POSIX only: `flock`, and directories that can be synced."""

    def make_directory(self, path: Path) -> None:
        """Make it."""
        path.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)

    def real_path(self, path: Path) -> Path:
        """Follow the links; a missing file is no error."""
        return Path(os.path.realpath(path))

    def mode_of(self, path: Path) -> int | None:
        """Ask the file system."""
        try:
            return stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            return None

    def read(self, path: Path) -> bytes:
        """Read it whole: what it holds when it is opened."""
        # Without O_NONBLOCK the mere opening of a pipe that nobody writes to would wait for good.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            size = _readable_size(handle)
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(size)
        finally:
            os.close(handle)

    def sizes_in(self, path: Path) -> dict[str, int]:
        """List it."""
        sizes: dict[str, int] = {}
        with os.scandir(path) as found:
            for each in found:
                with contextlib.suppress(FileNotFoundError):  # removed while we look
                    if each.is_file(follow_symlinks=False):
                        sizes[each.name] = each.stat(follow_symlinks=False).st_size
        return sizes

    def open_fresh(self, path: Path) -> int:
        """Create or empty it."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY)

    def open_append(self, path: Path) -> int:
        """Create it."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, OWNER_ONLY)

    def open_lock(self, path: Path) -> int:
        """Open or create it."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWNER_ONLY)

    def lock(self, handle: int) -> None:
        """Lock through `flock`, which the kernel undoes when the process dies."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(self, handle: int) -> None:
        """Unlock through `flock`: a child that is just being begun has the open file too, so closing it may not do."""
        fcntl.flock(handle, fcntl.LOCK_UN)

    def is_at(self, handle: int, path: Path) -> bool:
        """Compare device and inode."""
        try:
            return os.path.samestat(os.fstat(handle), path.lstat())
        except FileNotFoundError:
            return False

    def set_mode(self, handle: int, mode: int) -> None:
        """Set it whatever the umask says."""
        os.fchmod(handle, mode)

    def write(self, handle: int, data: bytes) -> int:
        """Write once."""
        return os.write(handle, data)

    def truncate(self, handle: int) -> None:
        """Cut it to nothing."""
        os.ftruncate(handle, 0)

    def fsync(self, handle: int) -> None:
        """Sync it."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """Close it."""
        os.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over it."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove it."""
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """Sync it through a handle of its own."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


OS_FILES = OsFiles()


def write_all(files: Files, handle: int, data: bytes) -> None:
    """Write every byte of `data`, in as many calls as the system wants."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.write(handle, bytes(rest) if len(rest) < len(data) else data) :]
