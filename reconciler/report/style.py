"""Colour by role, so that no renderer knows an escape code; without colour every role is plain text."""

from __future__ import annotations

from enum import Enum, auto


class Role(Enum):
    """What a piece of text is."""

    ADDED = auto()
    CHANGED = auto()
    REMOVED = auto()
    REPEATED = auto()
    PLACE = auto()
    HEADING = auto()
    GOOD = auto()
    BAD = auto()
    WARNING = auto()


_SGR = {
    Role.ADDED: "32",
    Role.CHANGED: "33",
    Role.REMOVED: "31",
    Role.REPEATED: "36",
    Role.PLACE: "2",
    Role.HEADING: "1",
    Role.GOOD: "32",
    Role.BAD: "31",
    Role.WARNING: "33",
}


class Style:
    """Paints text, or leaves it alone."""

    def __init__(self, *, color: bool) -> None:
        """Say once whether the reader's terminal shows colours."""
        self._color = color

    def __call__(self, role: Role, text: str) -> str:
        """Return `text` as `role` looks."""
        return f"\x1b[{_SGR[role]}m{text}\x1b[0m" if self._color and text else text
