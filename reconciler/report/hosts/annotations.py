"""Problems as GitHub's workflow commands, which the host shows at their line of the pull request.

Rules of this file: a command is one line, and nothing that somebody wrote into a name or a message can end it, begin
another or add a property. GitHub takes ten of a level from a step and drops the others silently, so the tenth says how
many there are more.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.hosts.problems import Repository, problems_of
from reconciler.report.layout import counted
from reconciler.report.reported import Reported

MOST = 10
"""Annotations of one level that a step may make."""
_LONGEST = 1000


def github_annotations(report: Reported, *, repository: Repository) -> str:
    """Return a line for each problem, errors first, at most `MOST` of a level; empty where nothing is wrong."""
    problems = problems_of(report)
    lines = [line for severity in Severity for line in _level(severity, problems, repository)]
    return "".join(f"{line}\n" for line in lines)


def _level(severity: Severity, problems: Sequence[Diagnostic], repository: Repository) -> list[str]:
    mine = [problem for problem in problems if problem.severity is severity]
    shown = mine if len(mine) <= MOST else mine[: MOST - 1]
    lines = [_annotation(problem, repository) for problem in shown]
    rest = len(mine) - len(shown)
    if rest:
        more = f"and {counted(rest, f'more {severity}')}: the log of this step has all of them"
        lines.append(_command(severity, {"title": f"{rest} more"}, more))
    return lines


def _annotation(problem: Diagnostic, repository: Repository) -> str:
    path = repository.path_of(problem.path)
    words = [printable(problem.summary, limit=_LONGEST), printable(problem.detail, limit=_LONGEST)]
    properties: dict[str, str] = {}
    if path is not None:
        properties["file"] = path
        if problem.line:
            properties["line"] = str(problem.line)
        if problem.line and problem.column:
            properties["col"] = str(problem.column)
    elif problem.path:
        words[0] = f"{printable(problem.path)}: {words[0]}"
    properties["title"] = problem.code
    return _command(problem.severity, properties, "\n".join(filter(None, words)))


def _command(severity: Severity, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    return f"::{severity} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
