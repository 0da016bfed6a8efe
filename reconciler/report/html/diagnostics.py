"""Problems and warnings with their places, and the page of a command that ended with nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.html.columns import Column, Words
from reconciler.report.html.page import Section, Verdict
from reconciler.report.html.table import Table, table_markup
from reconciler.report.layout import counted

_LIMIT = 1000


def problem_sections(diagnostics: Sequence[Diagnostic]) -> list[Section]:
    """Return the diagnostics as a table; nothing where there are none."""
    if not diagnostics:
        return []
    errors = any(each.severity is Severity.ERROR for each in diagnostics)
    title = "Problems" if errors else "Warnings"
    ordered = sorted(diagnostics, key=lambda each: each.severity is Severity.WARNING)
    return [Section(name="problems", title=title, content=table_markup(_table(ordered, title)))]


def problem_verdict(diagnostics: Sequence[Diagnostic], exit_reason: str) -> Verdict:
    """Return how many problems there are, or the reason of the command's end where there is none."""
    errors = sum(1 for each in diagnostics if each.severity is Severity.ERROR)
    warnings = len(diagnostics) - errors
    counts = [counted(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    if counts:
        return Verdict(tone="bad" if errors else "warning", words=", ".join(counts))
    done = exit_reason in ("", "done")
    words = "No problems" if done else printable(exit_reason).replace("-", " ").capitalize()
    return Verdict(tone="good" if done else "bad", words=words)


def _table(diagnostics: Sequence[Diagnostic], title: str) -> Table:
    columns = (
        Column(
            name="severity",
            label="Severity",
            cells=Words.of((str(each.severity),) for each in diagnostics),
            choice="every severity",
            badges=True,
        ),
        Column(name="place", label="Place", cells=Words.of(map(_place, diagnostics))),
        Column(name="problem", label="Problem", cells=Words.of(map(_said, diagnostics), limit=_LIMIT), separator=" "),
        Column(name="pointer", label="Pointer", cells=Words.of(_if_any(each.pointer) for each in diagnostics)),
        Column(
            name="code",
            label="Code",
            cells=Words.of(((each.code,) for each in diagnostics), limit=60),
            choice="every code",
        ),
    )
    hint = "file, word or code"
    return Table(name="problems", caption=title, noun="problem", hint=hint, columns=columns)


def _place(each: Diagnostic) -> tuple[str, ...]:
    return _if_any(":".join([each.path, *(str(number) for number in (each.line, each.column) if number)]))


def _said(each: Diagnostic) -> tuple[str, ...]:
    return (each.summary, *_if_any(each.detail))


def _if_any(text: str) -> tuple[str, ...]:
    return (text,) if text else ()
