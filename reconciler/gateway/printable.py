"""Foreign text made fit for a terminal, a log and a pull request.

Rule: nothing a server or a program says may move a cursor, turn the reading direction, break a line or fill a page.
Characters that are not printable (controls, bidirectional marks, separators, lone surrogates) become escapes.
"""

from __future__ import annotations

_ELLIPSIS = "…"


def printable(text: str, *, limit: int) -> str:
    """Return `text` on one line, escaped where it must be, and never longer than `limit` characters."""
    # Only so much of it can be shown; the rest is not worth escaping.
    shown = "".join(char if char.isprintable() else _escape(char) for char in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + _ELLIPSIS


def _escape(char: str) -> str:
    return (
        char.encode("ascii", "backslashreplace").decode("ascii") if ord(char) > ord("\x7f") else f"\\x{ord(char):02x}"
    )
