"""Where a secret is to be found, as a settings file says it: `env:NAME`, `file:PATH` or `command:PROGRAM ARG…`.

Rules of this file: a secret itself is never here. What is refused is not repeated, since it may be a secret that
somebody pasted; of a command's words only the program is ever shown, since an argument may be one too.
"""

from __future__ import annotations

import re
import shlex
from enum import StrEnum
from typing import assert_never

from reconciler.values import Struct, repr_without

MAX_REFERENCE = 4096
"""In characters, its kind included."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_FORMS = "env:NAME, file:PATH or command:PROGRAM ARG…"


class SecretKind(StrEnum):
    """The ways a secret can be had."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"


class SecretReference(Struct, frozen=True, kw_only=True):
    """Where one secret is. Its text, `str(reference)`, is safe to show; reading it is the work of `credentials`."""

    kind: SecretKind
    words: tuple[str, ...]
    """The variable's name; or the path, relative to the environment's directory; or the program and its arguments."""

    __repr__ = repr_without("words")

    def __str__(self) -> str:
        """Return the reference as it was written, a command's arguments left out."""
        more = " …" if len(self.words) > 1 else ""
        return f"{self.kind}:{self.words[0]}{more}"

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Return the reference that `text` writes down.

        Raises:
            ValueError: it is none, a secret itself perhaps; the sentence says what to write and repeats nothing.
        """
        kind, colon, rest = text.partition(":")
        if not colon or kind not in set(SecretKind):
            raise ValueError(f"it must say where the secret is, as {_FORMS}; a secret itself never stands in a file")
        if len(text) > MAX_REFERENCE or not rest.isprintable():
            raise ValueError(f"it is longer than {MAX_REFERENCE} characters, or holds a control character")
        return cls(kind=SecretKind(kind), words=_words(SecretKind(kind), rest))


def _words(kind: SecretKind, rest: str) -> tuple[str, ...]:
    match kind:
        case SecretKind.ENV:
            return (_variable(rest),)
        case SecretKind.FILE:
            return (_path(rest),)
        case SecretKind.COMMAND:
            return _command(rest)
        case _:
            assert_never(kind)


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("behind env: stands the name of an environment variable: letters, digits and '_', no more")
    return name


def _path(path: str) -> str:
    if not path.strip():
        raise ValueError("behind file: stands the path of the file that holds the secret")
    if path.startswith("~"):
        raise ValueError("behind file: a '~' is not understood; write the absolute path")
    if not path.startswith("/") and ".." in path.split("/"):
        raise ValueError("behind file: a relative path stays within the environment; write the absolute path instead")
    return path


def _command(line: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(line))
    except ValueError:
        raise ValueError("behind command: a quotation mark is not closed, or nothing is behind a '\\'") from None
    if not words or not words[0]:
        raise ValueError("behind command: stands a program, then its arguments; no shell reads them")
    return words
