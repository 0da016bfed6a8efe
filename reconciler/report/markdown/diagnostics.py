"""Problems and warnings as a table: where, what, and the remedy. Errors stand first: they are why nothing was done."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report.layout import counted
from reconciler.report.markdown.budget import Block, Listing
from reconciler.report.markdown.text import code, row, table_head

_COLUMNS = ("where", "what", "remedy")
_RANK = 3
_FOLDED_RANK = 4


def diagnostic_blocks(diagnostics: Sequence[Diagnostic], *, folded: bool = False) -> list[Block]:
    """Return the table, folded away where it is not what the page is about; nothing where there are none."""
    if not diagnostics:
        return []
    ordered = sorted(diagnostics, key=lambda each: each.severity is not Severity.ERROR)
    counts = diagnostic_counts(diagnostics)
    head = f"<details><summary>{counts}</summary>\n\n" if folded else ""
    return [
        Listing(
            head=f"{head}{table_head(_COLUMNS)}",
            items=ordered,
            brief=_row,
            foot="\n\n</details>" if folded else "",
            rest=lambda rest: f"Not shown: {diagnostic_counts(rest)}.",
            instead=f"Not shown: {counts}.",
            rank=_FOLDED_RANK if folded else _RANK,
        )
    ]


def diagnostic_counts(diagnostics: Sequence[Diagnostic]) -> str:
    """Return how many errors and warnings these are."""
    errors = sum(1 for each in diagnostics if each.severity is Severity.ERROR)
    warnings = len(diagnostics) - errors
    counts = [*_counted(errors, "error"), *_counted(warnings, "warning")]
    return " and ".join(counts)


def _counted(count: int, noun: str) -> list[str]:
    return [counted(count, noun)] if count else []


def _row(each: Diagnostic) -> str:
    place = ":".join([each.path, *(str(number) for number in (each.line, each.column) if number)])
    severity = f"**{each.severity}**" if each.severity is Severity.ERROR else str(each.severity)
    pointer = f" at {code(each.pointer)}" if each.pointer else ""
    what = f"{severity} {code(each.code, limit=60)}: {code(each.summary, limit=1000)}{pointer}"
    return row((code(place) if each.path else "–", what, code(each.detail, limit=1000) if each.detail else "–"))
