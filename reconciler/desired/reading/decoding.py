"""From bytes to text, or to what is wrong with the bytes.

Rules of this file: UTF-8 only, a byte order mark at the start is dropped. Tabs, control characters, Unicode's line
separators and its bidirectional overrides are refused anywhere, comments included: what a reviewer sees on the screen
must be what is read. A file with such a problem is not looked at further.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cache

from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.wording import describe_character
from reconciler.model.diagnostic import Diagnostic

MAX_LISTED_LINES = 20
"""Lines with refused characters that are listed per file."""

_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@cache
def _refused() -> re.Pattern[str]:
    # Those that are refused, not all the others: a set up to the last character there is takes 4 ms to compile.
    return re.compile(
        "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]",
    )


def decode(path: str, data: bytes) -> str | list[Diagnostic]:
    """Return the text of the file called `path`, or everything that keeps it from being text."""
    wide = _wide_encoding(data)
    if wide:
        return [Diagnostic(path, 1, 1, code="not-utf-8", summary=f"the file is written in {wide}; save it as UTF-8")]
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        return [_bad_byte(path, body, exc.start)]
    return list(_refused_characters(path, text)) or text


def _wide_encoding(data: bytes) -> str:
    if data.startswith(_WIDE_MARKS[:2]):
        return "UTF-32"
    nul_every_second = len(data) > 1 and 0 in data[:2] and any(data[:2])
    return "UTF-16" if data.startswith(_WIDE_MARKS[2:]) or nul_every_second else ""


def _bad_byte(path: str, body: bytes, start: int) -> Diagnostic:
    before = body[:start].decode("utf-8")
    line, column = SourceFile.of(path, before).position(len(before))
    summary = f"the byte 0x{body[start]:02X} is not UTF-8; save the file as UTF-8"
    return Diagnostic(path, line, column, code="not-utf-8", summary=summary)


def _refused_characters(path: str, text: str) -> Iterator[Diagnostic]:
    if text.replace("\n", "").isprintable():  # as nothing is that is refused: most files need no closer look
        return
    match = _refused().search(text)
    if match is None:
        return
    file = SourceFile.of(path, text)
    for _ in range(MAX_LISTED_LINES):
        yield _refused_character(file, match)
        following = file.position(match.start())[0]
        if following == len(file.line_starts):
            return
        match = _refused().search(text, file.line_starts[following])
        if match is None:
            return
    summary = f"further lines hold such characters; the first {MAX_LISTED_LINES} are listed"
    yield file.problem("control-character", summary, mark=match.start())


def _refused_character(file: SourceFile, match: re.Match[str]) -> Diagnostic:
    char = match.group()
    if char == "\t":
        return file.problem("tab-character", "a tab stands here; write spaces", mark=match.start())
    summary = f"the invisible character {describe_character(char)} stands here; remove it"
    return file.problem("control-character", summary, mark=match.start())
