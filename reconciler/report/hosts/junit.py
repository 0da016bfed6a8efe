"""A report as JUnit XML, which nearly every CI host shows as a list of tests.

Each problem is a test that failed, or with a warning passed; each agent of a run is a test; where there is neither,
one test says that all is well, since hosts take a report without tests for a broken one.

Rules of this file: no two tests have one name, or hosts show one of them; no line number is in a name, so that a host
knows a test again; what XML does not allow never gets here, since all text is made printable first.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.printable import printable
from reconciler.report.hosts.problems import Repository, problems_of
from reconciler.report.reported import Envelope, OutcomeReport, Reported
from reconciler.values import Struct, replace

_LONGEST = 1000
_FAILURES = frozenset({Result.FAILED, Result.IN_DOUBT})
_SKIPPED = frozenset({Result.DEFERRED, Result.SKIPPED})


class _Test(Struct, frozen=True, kw_only=True):
    name: str
    group: str
    """What hosts call the class: the file, or the site."""
    element: str = ""
    """`failure`, `skipped` or `system-out`; empty for a test with nothing to say."""
    kind: str = ""
    words: str = ""
    file: str | None = None


def junit(report: Reported, *, repository: Repository) -> str:
    """Return the report, with one suite in it."""
    tests = _distinct(_tests(report, repository))
    counts = Counter(test.element for test in tests)
    numbers = f'tests="{len(tests)}" failures="{counts["failure"]}" errors="0"'
    envelope = report.envelope
    name = _quoted(" ".join(filter(None, ["reconciler", envelope.command, envelope.environment or envelope.site])))
    return "".join(
        f"{line}\n"
        for line in [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="reconciler" {numbers} time="0">',
            f'  <testsuite name="{name}" {numbers} skipped="{counts["skipped"]}" time="0">',
            *map(_element, tests),
            "  </testsuite>",
            "</testsuites>",
        ]
    )


def _tests(report: Reported, repository: Repository) -> list[_Test]:
    envelope = report.envelope
    if isinstance(report, OutcomeReport):
        tests = [_problem(each, envelope, repository) for each in envelope.diagnostics]
        tests += [_agent(outcome, envelope.site or envelope.command) for outcome in report.outcomes]
    else:
        tests = [_problem(each, envelope, repository) for each in problems_of(report)]
    if any(test.element != "system-out" for test in tests):
        return tests
    place = envelope.environment or envelope.site or ""
    return [*tests, _Test(name=f"{envelope.command} {place}".rstrip(), group=place or "reconciler")]


def _problem(problem: Diagnostic, envelope: Envelope, repository: Repository) -> _Test:
    summary, detail = (printable(words, limit=_LONGEST) for words in (problem.summary, problem.detail))
    place = ":".join(str(part) for part in (problem.path, problem.line, problem.column) if part)
    return _Test(
        name=" ".join(filter(None, [problem.code, problem.pointer])),
        group=problem.path or envelope.environment or envelope.command,
        element="failure" if problem.severity is Severity.ERROR else "system-out",
        kind=problem.code,
        words="\n".join(filter(None, [summary, printable(place, limit=_LONGEST), detail])),
        file=repository.path_of(problem.path),
    )


def _agent(outcome: Outcome, group: str) -> _Test:
    element = "failure" if outcome.result in _FAILURES else "skipped" if outcome.result in _SKIPPED else ""
    said = [str(outcome.result).replace("_", " "), outcome.retcode or "", outcome.message]
    return _Test(
        name=f"agent {outcome.agent}",
        group=group,
        element=element,
        kind=outcome.retcode or str(outcome.result),
        words=" ".join(printable(word, limit=_LONGEST) for word in said if word) if element else "",
    )


def _distinct(tests: Iterable[_Test]) -> Sequence[_Test]:
    seen: Counter[tuple[str, str]] = Counter()
    distinct = []
    for test in tests:
        group, name = printable(test.group), printable(test.name, limit=_LONGEST)
        seen[group, name] += 1
        number = seen[group, name]
        distinct.append(replace(test, group=group, name=name if number == 1 else f"{name} ({number})"))
    return distinct


def _element(test: _Test) -> str:
    file = "" if test.file is None else f' file="{_quoted(test.file)}"'
    head = f'    <testcase classname="{_escaped(test.group)}" name="{_escaped(test.name)}"{file} time="0"'
    first = test.words.partition("\n")[0]
    match test.element:
        case "":
            return f"{head}/>"
        case "failure":
            inner = f'<failure message="{_escaped(first)}" type="{_quoted(test.kind)}">{_escaped(test.words)}</failure>'
        case "skipped":
            inner = f'<skipped message="{_escaped(first)}"/>'
        case _:
            inner = f"<system-out>{_escaped(test.words)}</system-out>"
    return f"{head}>{inner}</testcase>"


def _quoted(text: str) -> str:
    return _escaped(printable(text))


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
