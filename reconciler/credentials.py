"""Reads a secret from where its reference says it is: a variable, a file, or what a program writes.

Rules of this file: a secret leaves only as the value returned; no error names it, repeats it or is chained to an
exception that does. It is one line of printable text, so that it can go into a header or a login, or a whole document
of them; either is bounded.
A program runs against a deadline, and whatever goes wrong is killed with all it has started (see `programs`). Of what
it wrote on standard error the end is shown, without the lines that may hold a secret.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import stat
import subprocess
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, assert_never

from reconciler.errors import CredentialError, ReconcilerError
from reconciler.model.last_words import MAX_COMPLAINT, last_words
from reconciler.model.secret_reference import SecretKind, SecretReference
from reconciler.programs import ended, start

__all__ = ["COMMAND_TIMEOUT", "MAX_DOCUMENT", "MAX_SECRET", "read_secret", "read_secret_document"]

MAX_SECRET = 64 * 1024
"""In bytes."""
MAX_DOCUMENT = 16 * 1024 * 1024
"""In bytes. A password and a phone number each for 100,000 agents take about 6 MiB."""
COMMAND_TIMEOUT = 10.0
"""Seconds a program may take to say its secret."""

_CHUNK = 64 * 1024
_BAD_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, half characters, line separators


class _UnreadableError(Exception):
    """Why a secret cannot be had, in words that may be shown."""


def read_secret(
    reference: SecretReference,
    *,
    root: Path,
    environ: Mapping[str, str],
    what: str,
    raising: type[ReconcilerError] = CredentialError,
) -> str:
    """Return the secret that `reference` leads to: 1 byte to 64 KiB of text, one newline at its end taken off.

    Args:
        reference: where it is.
        root: the environment's directory, to which a path is relative and in which a program runs.
        environ: the environment variables, which a program gets too.
        what: the setting that wants it, such as `sessions.password`, for the error's text.
        raising: the class of error, which decides the exit code.

    Raises:
        CredentialError: (or what `raising` says) it cannot be read, or is not one line of text; the text names the
            setting and the reference, never the secret.
    """
    try:
        return _line(_text(_read(reference, root, environ, MAX_SECRET)))
    except _UnreadableError as exc:
        reason = str(exc)
    raise raising(f"{what}: {reference}: {reason}", hint=_HINTS[reference.kind])


def read_secret_document(
    reference: SecretReference,
    *,
    root: Path,
    environ: Mapping[str, str],
    what: str,
    raising: type[ReconcilerError] = CredentialError,
) -> str:
    """Return the text of many lines, 1 byte to 16 MiB, that `reference` leads to, with secrets in it.

    Arguments and errors are those of `read_secret`.
    """
    try:
        return _text(_read(reference, root, environ, MAX_DOCUMENT))
    except _UnreadableError as exc:
        reason = str(exc)
    raise raising(f"{what}: {reference}: {reason}", hint=_HINTS[reference.kind])


_HINTS: Mapping[SecretKind, str] = {
    SecretKind.ENV: "set it to the secret where this program runs",
    SecretKind.FILE: "it must hold the secret and nothing else; a relative path begins at the environment's directory",
    SecretKind.COMMAND: "it must print the secret, and nothing else, and end with exit code 0; it gets no input",
}


def _read(reference: SecretReference, root: Path, environ: Mapping[str, str], limit: int) -> bytes:
    raw = _raw(reference, root, environ, limit)
    if len(raw) > limit:
        raise _UnreadableError(f"the secret is larger than {limit // 1024} KiB")
    return raw


def _raw(reference: SecretReference, root: Path, environ: Mapping[str, str], limit: int) -> bytes:
    match reference.kind:
        case SecretKind.ENV:
            return _from_variable(reference.words[0], environ)
        case SecretKind.FILE:
            return _from_file(root / reference.words[0], limit)
        case SecretKind.COMMAND:
            return _from_program(reference.words, root, environ, limit)
        case _:
            assert_never(reference.kind)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:  # not raised in the handler: the exception that was caught holds the secret
        raise _UnreadableError("the secret is not UTF-8 text")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise _UnreadableError("the secret is empty")
    return text


def _line(text: str) -> str:
    if any(unicodedata.category(char) in _BAD_CATEGORIES for char in text):
        raise _UnreadableError("the secret is more than one line, or holds a control character")
    return text


def _from_variable(name: str, environ: Mapping[str, str]) -> bytes:
    if name not in environ:
        raise _UnreadableError("the environment variable is not set")
    # Bytes that were not UTF-8 when the variable was set come back as they were, and are refused as such.
    return environ[name].encode("utf-8", "surrogateescape")


def _from_file(path: Path, limit: int) -> bytes:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hold the program for good.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            plain = stat.S_ISREG(os.fstat(handle).st_mode)
            content = file.read(limit + 1) if plain else b""
    except OSError as exc:
        raise _UnreadableError(f"the file cannot be read: {exc.strerror}") from None
    if not plain:
        raise _UnreadableError("it is not a plain file")
    return content


def _from_program(words: tuple[str, ...], root: Path, environ: Mapping[str, str], limit: int) -> bytes:
    try:
        program = start(words, cwd=root, environ=environ)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "its words cannot be passed to a program"
        raise _UnreadableError(f"the program cannot be started: {reason}") from None
    with ended(program):
        return _listen(program, limit)


def _listen(program: subprocess.Popen[bytes], limit: int) -> bytes:
    deadline = time.monotonic() + COMMAND_TIMEOUT
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as open_pipes:
        open_pipes.register(_pipe(program.stdout), selectors.EVENT_READ, output)
        open_pipes.register(_pipe(program.stderr), selectors.EVENT_READ, complaint)
        while open_pipes.get_map():
            if time.monotonic() > deadline:
                _refuse_late("program, or something it has started,", complaint, output)
            _take(open_pipes, deadline)
            del complaint[: -MAX_COMPLAINT - 1]
            if len(output) > limit:
                return bytes(output)  # refused as being too large
    try:
        status = program.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _refuse_late("program", complaint, output)
    if status != 0:
        raise _UnreadableError(f"the program {_ending(status)}{last_words(complaint, output)}")
    return bytes(output)


def _pipe(stream: Any) -> Any:
    assert stream is not None  # noqa: S101 - both were asked for
    return stream


def _take(open_pipes: selectors.BaseSelector, deadline: float) -> None:
    """Read what has come, or wait for it until the deadline."""
    for key, _ in open_pipes.select(max(0.0, deadline - time.monotonic())):
        chunk = os.read(key.fd, _CHUNK)
        if not chunk:
            open_pipes.unregister(key.fileobj)
        key.data.extend(chunk)


def _refuse_late(who: str, complaint: bytearray, output: bytearray) -> NoReturn:
    raise _UnreadableError(f"the {who} did not end within {COMMAND_TIMEOUT:g} s{last_words(complaint, output)}")


def _ending(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit code {status}"
