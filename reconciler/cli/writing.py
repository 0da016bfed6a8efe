"""Files a command reads and writes beside the environment: plans and reports.

Rules of this file: a file is written whole or not at all, and nothing but a file is replaced. What is read has an end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.errors import InputError
from reconciler.state import replace_file

_READABLE_BY_ALL = 0o644
_LARGEST = 1 << 30
_CHUNK = 1 << 20
"""Characters that are written at a time."""


def write_file(path: Path, pieces: Iterable[str]) -> None:
    """Make the text in `pieces`, each made as it is written, the content of `path`, whole or not at all.

    Raises:
        InputError: it cannot be written there, or something else than a file has that name.
    """
    hint = "name a file in a directory that exists and may be written to"
    try:
        if path.exists() and not path.is_file():  # replacing a device by a file would take it from everybody
            raise InputError(f"{path.as_posix()} is not a file", hint=hint)
        replace_file(path, _chunks(pieces), mode=_READABLE_BY_ALL, apart=f".{os.getpid()}")  # no lock is held
    except OSError as error:
        raise InputError(f"{path.as_posix()} cannot be written: {error.strerror}", hint=hint) from error


def _chunks(pieces: Iterable[str]) -> Iterator[bytes]:
    """Yield `pieces` as bytes, many at a time: a document of a hundred thousand entries is not a write for each."""
    gathered: list[str] = []
    length = 0
    for piece in pieces:
        gathered.append(piece)
        length += len(piece)
        if length >= _CHUNK:
            yield "".join(gathered).encode()
            gathered.clear()
            length = 0
    yield "".join(gathered).encode()


def read_file(path: Path, *, what: str) -> bytes:
    """Return the content of `path`.

    Args:
        path: the file as the user named it.
        what: what it should be, for the message.

    Raises:
        InputError: it cannot be read, is a device, or is far too large to be what it should be.
    """
    hint = f"name the {what} file"
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            endless = stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)  # a pipe is welcome, and has an end
            too_large = found.st_size > _LARGEST
            data = b"" if endless or too_large else file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path.as_posix()} cannot be read: {error.strerror}", hint=hint) from error
    if endless:
        raise InputError(f"{path.as_posix()} is a device", hint=hint)
    if too_large or len(data) > _LARGEST:
        raise InputError(f"{path.as_posix()} is larger than 1 GiB: not a {what} of ours", hint=hint)
    return data
