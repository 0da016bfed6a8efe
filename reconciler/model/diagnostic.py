"""A problem or a warning about something a user wrote, with the place it stands at."""

from __future__ import annotations

from enum import StrEnum

from reconciler.values import Struct


class Severity(StrEnum):
    """Whether a diagnostic stops the run. Sorted so that errors come first at the same place."""

    ERROR = "error"
    WARNING = "warning"


class Diagnostic(Struct, frozen=True, order=True):
    """One thing to tell the user, sorted by place; the field order below is the sort order."""

    path: str = ""
    """The file, relative to the environment's directory, with `/`; empty when no file is meant."""

    line: int = 0
    """1-based; 0 when no line is meant."""

    column: int = 0
    """1-based, counted in characters; 0 when no column is meant."""

    severity: Severity = Severity.ERROR

    code: str = ""
    """A stable kebab-case word to search for, such as `duplicate-agent`. The catalogue is in docs/diagnostics.md."""

    summary: str = ""
    """One lower-case sentence: what is wrong, with the value and, where one exists, the nearest right name."""

    detail: str = ""
    """What else helps: the other place, the remedy. May be empty."""

    pointer: str = ""
    """RFC 6901 pointer into the file, such as `/agents/1001/total`; empty for the file as a whole."""
