"""Diagnostics as text: one line each, `path:line:column: severity: message`, as compilers write and editors read."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.style import Role, Style

_ROLES = {Severity.ERROR: Role.BAD, Severity.WARNING: Role.WARNING}


def diagnostics_text(diagnostics: Iterable[Diagnostic], *, style: Style) -> str:
    """Return the diagnostics in the order given, each ending in a newline."""
    return "".join(f"{_line(each, style)}\n" for each in diagnostics)


def _line(each: Diagnostic, style: Style) -> str:
    place = ":".join([printable(each.path), *(str(number) for number in (each.line, each.column) if number)])
    where = f"{place}: " if each.path else ""
    pointer = f"  {style(Role.PLACE, printable(each.pointer))}" if each.pointer else ""
    detail = f"\n    {printable(each.detail, limit=1000)}" if each.detail else ""
    severity = style(_ROLES[each.severity], f"{each.severity}[{printable(each.code, limit=60)}]")
    return f"{where}{severity}: {printable(each.summary, limit=1000)}{pointer}{detail}"
