"""Files are replaced, never edited: a reader sees the old content or the new one, and no mixture of them.

Rules of this file: a temporary file in the same directory, made durable, then renamed; whatever goes wrong, it does not
stay behind. What a rehearsal writes is a certificate or an array, so a name of YAML, or a file with a JSON object in it
such as a state, was named by mistake and stays as it is.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reconciler.errors import InputError


def _fill(descriptor: int, content: bytes, mode: int) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, mode)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def _holds_object(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"{")


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Put `content` in place of the file at `path`, with the permissions `mode`.

    Raises:
        InputError: the file cannot be written, or is an environment's.
    """
    try:
        if path.suffix.lower() in {".yaml", ".yml"} or _holds_object(path):
            raise InputError(f"{path} is not written over: it belongs to an environment", hint="name another file")
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            _fill(descriptor, content, mode)
            os.replace(temporary, path)  # noqa: PTH105 - the name is what mkstemp gave
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108 - the same
            raise
    except OSError as exc:
        raise InputError(
            f"cannot write {path}: {exc.strerror or exc}", hint="name a file in a directory that can be written"
        ) from exc
