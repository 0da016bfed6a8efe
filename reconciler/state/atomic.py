"""Replace a file as a whole, so that every reader at every moment sees the old content or the new, never a mixture.

Rules of this file: the file is never opened for writing itself. The procedure:

 1. follow a symbolic link, so that the link stays and its target is replaced;
 2. write everything to a temporary file in the same directory, with the mode of the file it replaces;
 3. fsync it, so that the name never points at content that a power cut takes away;
 4. rename it over the target;
 5. fsync the directory, so that the new name survives too.

Up to step 4 the temporary file is removed on every way out, a `KeyboardInterrupt` included. Its name is fixed, so a
process that is killed leaves one file at most, which the next replacement reuses; callers therefore hold a lock, or
say what keeps their temporary file apart from another process's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from reconciler.state.files import OS_FILES, OWNER_ONLY, Files, write_all


def temporary_name(target: Path, *, apart: str = "") -> Path:
    """Return the name under which the new content of `target` is prepared."""
    return target.with_name(f".{target.name}{apart}.tmp")


def sweep(target: Path, *, files: Files) -> None:
    """Remove what a process that died has left of a replacement of `target`. Whoever calls holds its lock.

    Best effort: a stray harms nobody.
    """
    temporary = temporary_name(target)
    with contextlib.suppress(OSError):
        if files.mode_of(temporary) is not None:
            files.unlink(temporary)


def _prepare(files: Files, temporary: Path, chunks: Iterable[bytes], mode: int) -> None:
    handle = files.open_fresh(temporary)
    try:
        files.set_mode(handle, mode)
        for chunk in chunks:
            write_all(files, handle, chunk)
        files.fsync(handle)  # step 3
    finally:
        files.close(handle)


def replace_file(
    path: Path, data: bytes | Iterable[bytes], *, mode: int = OWNER_ONLY, files: Files = OS_FILES, apart: str = ""
) -> None:
    """Make `data` the content of `path`, durably and in one step.

    Args:
        path: the file, or a link to it. It need not exist; its directory must.
        data: the whole new content, or its chunks, each made when the one before is written. What goes wrong while
            one is made goes on to the caller, and the old content stands.
        mode: permission bits for a file that did not exist; an existing one keeps its own.
        files: the file system.
        apart: what no other process has, where no lock keeps two of them from the same file.

    Raises:
        OSError: a step failed. Before the rename the old content stands untouched; if only the last fsync failed, the
            new content stands and may not survive a power cut.
    """
    target = files.real_path(path)  # step 1
    temporary = temporary_name(target, apart=apart)
    kept = files.mode_of(target)
    try:
        chunks = (data,) if isinstance(data, bytes) else data
        _prepare(files, temporary, chunks, mode if kept is None else kept)  # step 2
        files.replace(temporary, target)  # step 4
    except BaseException:
        with contextlib.suppress(OSError):
            files.unlink(temporary)
        raise
    files.sync_directory(target.parent)  # step 5
