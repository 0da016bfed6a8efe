"""A report as JUnit XML, which nearly every CI host shows as a list of tests.

Each problem is a test that failed, or with a warning passed; each agent of a run is a test; where there is neither,
one test says that all is well, since hosts take a report without tests for a broken one.

Rules of this file: no two tests have one name, or hosts show one of them; no line number is in a name, so that a host
knows a test again; what XML does not allow never gets here, since all text is made printable first.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.printable import printable
from reconciler.report.hosts.problems import Repository, problems_of
from reconciler.report.reported import Envelope, OutcomeReport, Reported
from reconciler.values import Struct

_LONGEST = 1000
_ELEMENTS = {
    Result.APPLIED: "",
    Result.FORGOTTEN: "",
    Result.FAILED: "failure",
    Result.IN_DOUBT: "failure",
    Result.DEFERRED: "skipped",
    Result.SKIPPED: "skipped",
}
"""What the fate of an agent makes of its test."""


class _Test(Struct, frozen=True, kw_only=True):
    """One test, its name and its group printable."""

    name: str
    group: str
    """What hosts call the class: the file, or the site."""
    element: str = ""
    """`failure`, `skipped` or `system-out`; empty for a test with nothing to say."""
    kind: str = ""
    words: str = ""
    file: str | None = None


def junit(report: Reported, *, repository: Repository) -> Iterator[str]:
    """Yield the report line by line, with one suite in it."""
    envelope = report.envelope
    outcomes = report.outcomes if isinstance(report, OutcomeReport) else ()
    problems = envelope.diagnostics if isinstance(report, OutcomeReport) else problems_of(report)
    others = [_problem(each, envelope, repository) for each in problems]
    counts = Counter(test.element for test in others)
    counts.update(map(_ELEMENTS.__getitem__, (outcome.result for outcome in outcomes)))
    if set(counts) <= {"system-out"}:
        others.append(_all_well(envelope))
        counts[""] += 1
    yield from _opening(envelope, counts)
    names = Counter[tuple[str, str]]()
    for test in others:
        names[test.group, test.name] += 1
        yield _element(test, names[test.group, test.name])
    group = printable(envelope.site or envelope.command)
    for outcome in outcomes:  # each of another agent: their names differ, and need not be remembered
        test = _agent(outcome, group)
        yield _element(test, names[test.group, test.name] + 1)
    yield "  </testsuite>\n</testsuites>\n"


def _opening(envelope: Envelope, counts: Counter[str]) -> Iterator[str]:
    numbers = f'tests="{counts.total()}" failures="{counts["failure"]}" errors="0"'
    name = _quoted(" ".join(filter(None, ["reconciler", envelope.command, envelope.environment or envelope.site])))
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="reconciler" {numbers} time="0">\n'
    yield f'  <testsuite name="{name}" {numbers} skipped="{counts["skipped"]}" time="0">\n'


def _all_well(envelope: Envelope) -> _Test:
    place = envelope.environment or envelope.site or ""
    name = printable(f"{envelope.command} {place}".rstrip(), limit=_LONGEST)
    return _Test(name=name, group=printable(place) or "reconciler")


def _problem(problem: Diagnostic, envelope: Envelope, repository: Repository) -> _Test:
    summary, detail = (printable(words, limit=_LONGEST) for words in (problem.summary, problem.detail))
    place = ":".join(str(part) for part in (problem.path, problem.line, problem.column) if part)
    return _Test(
        name=printable(" ".join(filter(None, [problem.code, problem.pointer])), limit=_LONGEST),
        group=printable(problem.path or envelope.environment or envelope.command),
        element="failure" if problem.severity is Severity.ERROR else "system-out",
        kind=problem.code,
        words="\n".join(filter(None, [summary, printable(place, limit=_LONGEST), detail])),
        file=repository.path_of(problem.path),
    )


def _agent(outcome: Outcome, group: str) -> _Test:
    element = _ELEMENTS[outcome.result]
    said = [str(outcome.result).replace("_", " "), outcome.retcode or "", outcome.message]
    return _Test(
        name=f"agent {outcome.agent}",
        group=group,
        element=element,
        kind=outcome.retcode or str(outcome.result),
        words=" ".join(printable(word, limit=_LONGEST) for word in said if word) if element else "",
    )


def _element(test: _Test, number: int) -> str:
    """Return the line of a test, the `number`th of its name."""
    name = test.name if number == 1 else f"{test.name} ({number})"
    file = "" if test.file is None else f' file="{_quoted(test.file)}"'
    head = f'    <testcase classname="{_escaped(test.group)}" name="{_escaped(name)}"{file} time="0"'
    first = test.words.partition("\n")[0]
    match test.element:
        case "":
            return f"{head}/>\n"
        case "failure":
            inner = f'<failure message="{_escaped(first)}" type="{_quoted(test.kind)}">{_escaped(test.words)}</failure>'
        case "skipped":
            inner = f'<skipped message="{_escaped(first)}"/>'
        case _:
            inner = f"<system-out>{_escaped(test.words)}</system-out>"
    return f"{head}>{inner}</testcase>\n"


def _quoted(text: str) -> str:
    return _escaped(printable(text))


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
