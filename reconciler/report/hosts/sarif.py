"""Problems as a SARIF 2.1.0 log, which code scanning reads: GitHub's, Azure's and those of editors.

Rules of this file: a result stands in a file of the repository, since hosts refuse a log in which one has no place.
What has none is a notification of the run. There are never more results than hosts take.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.documents.text import Document, document_text
from reconciler.report.hosts.diagnostic_codes import MEANINGS
from reconciler.report.hosts.problems import Repository, fingerprints, problems_of
from reconciler.report.layout import counted
from reconciler.report.reported import Envelope, Reported

MOST = 5000
"""Results: GitHub shows so many of a run, those of the gravest level first."""
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LONGEST = 1000


def sarif(report: Reported, *, repository: Repository) -> str:
    """Return the log, with one run in it."""
    placed = [(problem, repository.path_of(problem.path)) for problem in problems_of(report)]
    inside = [(problem, path) for problem, path in placed if path is not None]
    outside = [problem for problem, path in placed if path is None]
    rules = sorted({problem.code for problem, _ in inside[:MOST]})
    results = _results(inside[:MOST], rules)
    notifications = [_notification(problem) for problem in outside]
    if len(inside) > MOST:
        words = f"and {counted(len(inside) - MOST, 'more problem')}, which `reconciler validate` lists"
        notifications.append({"level": "note", "message": {"text": words}})
    run: Document = {
        "tool": {"driver": _driver(report.envelope, rules)},
        "automationDetails": {"id": _category(report.envelope)},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report.envelope, notifications)],
        "results": results,
    }
    return document_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver(envelope: Envelope, rules: Sequence[str]) -> Document:
    version = {"version": printable(envelope.tool_version)} if envelope.tool_version else {}
    return {"name": "reconciler", **version, "rules": [_rule(code) for code in rules]}


def _rule(code: str) -> Document:
    meaning, remedy = MEANINGS.get(code, (printable(code).replace("-", " "), ""))
    told = f"{meaning}\n\n{remedy}".strip()
    return {
        "id": printable(code),
        "shortDescription": {"text": meaning.replace("`", "")},
        "help": {"text": told.replace("`", ""), "markdown": told},
    }


def _category(envelope: Envelope) -> str:
    """Return what keeps the logs of several environments apart on the host; it ends in a slash, as an id should."""
    return f"{envelope.command}/{_uri(envelope.environment or '')}/"


def _invocation(envelope: Envelope, notifications: Sequence[Document]) -> Document:
    return {
        "executionSuccessful": not any(each["level"] == "error" for each in notifications),
        "exitCode": envelope.exit_code,
        "exitCodeDescription": printable(envelope.exit_reason),
        "toolExecutionNotifications": list(notifications),
    }


def _results(inside: Sequence[tuple[Diagnostic, str]], rules: Sequence[str]) -> list[Document]:
    index = {code: number for number, code in enumerate(rules)}
    prints = fingerprints([problem for problem, _ in inside])
    return [
        {
            "ruleId": printable(problem.code),
            "ruleIndex": index[problem.code],
            "level": _level(problem),
            "message": {"text": _words(problem)},
            "locations": [_location(problem, path)],
            "partialFingerprints": {"problem/v1": fingerprint},
        }
        for (problem, path), fingerprint in zip(inside, prints, strict=True)
    ]


def _location(problem: Diagnostic, path: str) -> Document:
    # Relative to the top of the repository; a colon is escaped too, or a:b.yaml would be of the scheme a.
    physical: Document = {"artifactLocation": {"uri": _uri(path), "uriBaseId": "%SRCROOT%"}}
    if problem.line:
        column = {"startColumn": problem.column} if problem.column else {}
        physical["region"] = {"startLine": problem.line, **column}
    logical = {"logicalLocations": [{"fullyQualifiedName": printable(problem.pointer)}]} if problem.pointer else {}
    return {"physicalLocation": physical, **logical}


def _uri(path: str) -> str:
    try:
        return quote(path, errors="surrogateescape")  # a byte of a file's name that is no UTF-8
    except UnicodeEncodeError:  # no file's name: somebody wrote it into a document
        return quote(path, errors="surrogatepass")


def _notification(problem: Diagnostic) -> Document:
    where = f"{printable(problem.path)}: " if problem.path else ""
    return {
        "descriptor": {"id": printable(problem.code) or "problem"},
        "level": _level(problem),
        "message": {"text": f"{where}{_words(problem)}"},
    }


def _level(problem: Diagnostic) -> str:
    return "error" if problem.severity is Severity.ERROR else "warning"


def _words(problem: Diagnostic) -> str:
    words = [printable(problem.summary, limit=_LONGEST), printable(problem.detail, limit=_LONGEST)]
    return "\n".join(filter(None, words)) or printable(problem.code) or "a problem"
