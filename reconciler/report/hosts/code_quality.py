"""Problems as a GitLab Code Quality report, which the host shows in the merge request and beside the changed lines.

GitLab compares the report with that of the target branch by fingerprint, so that a merge request shows what it makes
worse and what it mends. The format wants a file of every problem: what has none is shown at the site's own.
"""

from __future__ import annotations

import json
import posixpath

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.printable import printable
from reconciler.report.hosts.problems import Repository, fingerprints, problems_of
from reconciler.report.reported import Reported

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor"}
_LONGEST = 1000


def code_quality(report: Reported, *, repository: Repository) -> str:
    """Return the report: an array, empty where nothing is wrong."""
    site_file = posixpath.join(report.envelope.environment or "", "site.yaml")
    problems = problems_of(report)
    entries = [
        json.dumps(_entry(problem, fingerprint, repository.path_of(problem.path or site_file)))
        for problem, fingerprint in zip(problems, fingerprints(problems), strict=True)
    ]
    return "[\n" + ",\n".join(f"  {entry}" for entry in entries) + "\n]\n" if entries else "[]\n"


def _entry(problem: Diagnostic, fingerprint: str, path: str | None) -> dict[str, object]:
    words = [printable(problem.summary, limit=_LONGEST), printable(problem.detail, limit=_LONGEST)]
    return {
        "description": "; ".join(filter(None, words)),
        "check_name": printable(problem.code),
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": printable(path or problem.path), "lines": {"begin": max(problem.line, 1)}},
    }
