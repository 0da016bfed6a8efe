"""Diagnostics as text: one line each, `path:line:column: severity: message`, as compilers write and editors read.

Rules of this file: what else helps is said once in a file, not with each of a thousand equal mistakes. A few problems
stand in the order of their places; of more than a glance takes in, errors stand last, next to the last line of the
command, and the kinds are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.layout import counted
from reconciler.report.style import Role, Style

_ROLES = {Severity.ERROR: Role.BAD, Severity.WARNING: Role.WARNING}

_MANY = 20
"""Problems that can be taken in at a glance."""
_SHOWN_KINDS = 6
_NOT_LISTED = "further-problems"
"""Says how many more a file has; of a file as a whole, so its place would be before them all."""


def diagnostics_text(diagnostics: Iterable[Diagnostic], *, style: Style) -> str:
    """Return the diagnostics in the order given, each ending in a newline."""
    told: set[tuple[str, str]] = set()
    lines: list[str] = []
    for each in diagnostics:
        lines.append(f"{_line(each, style)}\n")
        if each.detail and (each.path, each.detail) not in told:
            told.add((each.path, each.detail))
            lines.append(f"    {printable(each.detail, limit=1000)}\n")
    return "".join(lines)


def problems_text(diagnostics: Sequence[Diagnostic], *, style: Style, unlisted: int = 0, elsewhere: str = "") -> str:
    """Return the problems in the order given; of many the warnings, then the errors, and what they are.

    Args:
        diagnostics: those to list.
        style: paints, or does not.
        unlisted: how many warnings there are besides.
        elsewhere: the command that lists them all.
    """
    ordered = sorted(diagnostics, key=lambda each: each.code == _NOT_LISTED)
    if len(ordered) <= _MANY and not unlisted:
        return diagnostics_text(ordered, style=style)
    errors = [each for each in ordered if each.severity is Severity.ERROR]
    warnings = [each for each in ordered if each.severity is not Severity.ERROR]
    more = f"… and {counted(unlisted, 'more warning')}: {elsewhere}\n" if unlisted else _kinds(warnings, "warning")
    listed = diagnostics_text(warnings, style=style) + more + diagnostics_text(errors, style=style)
    return listed + _kinds(errors, "error")


def _kinds(diagnostics: Sequence[Diagnostic], noun: str) -> str:
    """Return lines that tell the kinds and files of many diagnostics; nothing for a few."""
    if len(diagnostics) <= _MANY:
        return ""
    kinds = Counter(each.code for each in diagnostics).most_common()
    words = [f"{count:,} {printable(code, limit=60)}" for code, count in kinds[:_SHOWN_KINDS]]
    rest = len(kinds) - _SHOWN_KINDS
    words += [f"and {counted(rest, 'more kind')}"] if rest > 0 else []
    (path, most), *others = Counter(each.path for each in diagnostics).most_common()
    where = f"{counted(len(others) + 1, 'file')}, most in {printable(path)} ({most:,})" if others else printable(path)
    return f"{counted(len(diagnostics), noun)}: {', '.join(words)}; in {where}\n{_most_of_them(diagnostics)}"


def _most_of_them(diagnostics: Sequence[Diagnostic]) -> str:
    """Return what most of them say, if they say the same: one slip that was copied."""
    ((summary, count),) = Counter(each.summary for each in diagnostics).most_common(1)
    same = count * 2 > len(diagnostics)
    return f"    {'all' if count == len(diagnostics) else f'{count:,}'} of them: {printable(summary)}\n" if same else ""


def _line(each: Diagnostic, style: Style) -> str:
    place = ":".join([printable(each.path), *(str(number) for number in (each.line, each.column) if number)])
    where = f"{place}: " if each.path else ""
    pointer = f"  {style(Role.PLACE, printable(each.pointer))}" if each.pointer else ""
    severity = style(_ROLES[each.severity], f"{each.severity}[{printable(each.code, limit=60)}]")
    return f"{where}{severity}: {printable(each.summary, limit=1000)}{pointer}"
