"""Reads the PEM files that site.yaml names: plain files only, and only so much of them.

Rules of this file: errors name the setting and the path as written, never the resolved one, and repeat nothing of what
is in a file: it may be a private key.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.errors import InputError

MAX_PEM_FILE = 1024 * 1024
"""In bytes. The authorities of a whole machine take a quarter of it."""


def read_pem(path: Path, name: str, *, hint: str) -> bytes:
    """Return the content of the file at `path`, never empty.

    Args:
        path: the resolved path.
        name: the setting and the path as the user wrote it.
        hint: what the file has to hold.

    Raises:
        InputError: the file cannot be read, is not a plain one, is too large or is empty.
    """
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hold the program for good.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            plain = stat.S_ISREG(os.fstat(handle).st_mode)
            content = file.read(MAX_PEM_FILE + 1) if plain else b""
    except OSError as exc:
        raise InputError(
            f"{name} cannot be read: {exc.strerror}", hint=f"its path is relative to site.yaml; {hint}"
        ) from exc
    if not plain:
        raise InputError(f"{name} is not a plain file", hint=hint)
    if len(content) > MAX_PEM_FILE:
        raise InputError(f"{name} is larger than {MAX_PEM_FILE // 1024 // 1024} MiB", hint=hint)
    if not content:
        raise InputError(f"{name} is empty", hint=hint)
    return content
