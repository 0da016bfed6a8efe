"""What the operating system says, in the words of this tool: one border for every `OSError` of the room.

Rules of this file: the name shown is the one the user wrote; the text of an `OSError` carries the machine's path, so
only its `strerror` is used.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from reconciler.errors import StateError

_HINTS = {
    errno.EACCES: "let the user who runs this read and write the file and its directory",
    errno.EPERM: "let the user who runs this read and write the file and its directory",
    errno.EROFS: "the file system is mounted read-only; set state.path to a place that can be written",
    errno.ENOSPC: "free some space on that disk and run again",
    errno.EDQUOT: "the quota of that disk is used up; free some space and run again",
    errno.ENOENT: "its directory does not exist; create it, or correct state.path in site.yaml",
    errno.ENOTDIR: "a part of its path is a file, not a directory; correct state.path in site.yaml",
    errno.EISDIR: "this is a directory; state.path in site.yaml must name a file",
    errno.ENXIO: "it is a pipe, a device or a socket, or a link to one; state.path in site.yaml must name a plain file",
    errno.EFBIG: "look whether this is the state at all, and correct state.path in site.yaml if it is not",
    errno.ENOLCK: "this file system cannot lock files; set state.path to a local disk",
    errno.EOPNOTSUPP: "this file system cannot lock files; set state.path to a local disk",
}
_DEFAULT_HINT = "look at the disk that holds it, then run again"


def explain(error: OSError) -> str:
    """Return the system's own words for `error`, without any path."""
    return error.strerror or type(error).__name__


def advise(error: OSError) -> str:
    """Return what to do about `error`."""
    return _HINTS.get(error.errno or 0, _DEFAULT_HINT)


@contextlib.contextmanager
def translated(name: str, doing: str) -> Iterator[None]:
    """Turn an `OSError` of the block into the `StateError` that says `name` could not be … and why."""
    try:
        yield
    except OSError as error:
        raise StateError(f"{name} cannot be {doing}: {explain(error)}", hint=advise(error)) from error
