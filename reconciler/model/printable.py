"""Text from elsewhere, made safe to show.

File names and words come from pull-request authors, messages from a network. Neither may move a cursor, colour a
terminal, hide text behind bidirectional marks, start a line of their own or give orders to the CI host that reads
the log.
"""

from __future__ import annotations

import re

_ELLIPSIS = "…"

# What CI hosts obey in a log: `::error::` after nothing but blanks, `##[error]` and `##vso[…]` anywhere in a line.
_COMMAND = re.compile(r"(?<!\S)::|##(?=\[|vso\[)")
_DISARMED = {"::": "\\x3a:", "##": "#\\x23"}


def printable(text: str, *, limit: int = 300) -> str:
    """Return `text` on one line, what is invisible or controls something escaped, and at most `limit` characters.

    Doing it twice changes nothing more.
    """
    shown = text[: limit + 1]  # the rest cannot be shown, and is not worth escaping
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else _escape(char) for char in shown)
    shown = _COMMAND.sub(lambda match: _DISARMED[match.group()], shown)
    return shown if len(shown) <= limit else shown[: limit - 1] + _ELLIPSIS


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
