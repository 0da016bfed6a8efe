"""What a program wrote on standard error, made fit to be shown.

Rules of this file: what may be a secret is left out by the line, never patched inside it: a line that repeats
something of the program's output, names a Guid, a cookie or a password, or holds a long token. The first line is left
out if its beginning was lost, since half a secret would not be recognised.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from reconciler.model.printable import printable

MAX_COMPLAINT = 2048
"""Bytes of standard error that are looked at, its end. One more shows that there was more."""

_TELLING = re.compile(
    r"(?:guid|cookie|sessionid|password|passwd|secret|token|authorization)\S*\s*[:=]|bearer\s", re.IGNORECASE
)
_LONG_TOKEN = re.compile(r"[0-9A-Za-z]*[0-9][0-9A-Za-z._~+=-]{15,}", re.ASCII)
_SEPARATORS = re.compile(rb'[\s"\\,;={}\[\]]+')
_BETWEEN = " | "
_MIN_VALUE = 6  # shorter than this a value is in any line by chance


def last_words(
    complaint: bytes | bytearray, output: bytes | bytearray, *, harmless: Collection[str] = frozenset()
) -> str:
    """Return `: …` with the end of `complaint` on one line, or nothing if there is none.

    Args:
        complaint: standard error, its last `MAX_COMPLAINT` bytes and one more if there was more.
        output: standard output, which is secret, whole or cut short.
        harmless: words of the output that are no secret, such as the names of its fields.
    """
    lines = bytes(complaint).decode("utf-8", "replace").splitlines()
    if len(complaint) > MAX_COMPLAINT:
        lines = lines[1:]
    lines = [line.strip() for line in lines if line.strip()]
    values = _values(output) - set(harmless) if lines else frozenset()
    told = [line for line in lines if not _may_tell(line, values)]
    left_out = len(lines) - len(told)
    withheld = f"({left_out} {'line' if left_out == 1 else 'lines'} withheld)" if left_out else ""
    return f": {' '.join(part for part in (_join(told), withheld) if part)}" if lines else ""


def _join(lines: list[str]) -> str:
    # The end of it, should it have grown too long by being escaped: last words tell most.
    shown = [printable(line, limit=MAX_COMPLAINT) for line in lines]
    while sum(len(line) + len(_BETWEEN) for line in shown) > MAX_COMPLAINT + len(_BETWEEN):
        del shown[0]
    return _BETWEEN.join(shown)


def _values(output: bytes | bytearray) -> frozenset[str]:
    # Whatever the output is, JSON or not, whole or cut short; a passphrase of short words is one word too.
    words = [*_SEPARATORS.split(output), bytes(output).strip()]
    return frozenset(word.decode("utf-8", "replace") for word in words if len(word) >= _MIN_VALUE)


def _may_tell(line: str, values: frozenset[str]) -> bool:
    if _TELLING.search(line) or _LONG_TOKEN.search(line):
        return True
    return any(value in line for value in values)
