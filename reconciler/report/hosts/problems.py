"""What is wrong in what a report tells, one by one, for the formats that show problems where they stand.

Rules of this file: a problem keeps the path that a user sees; what a host finds it by is a matter of `Repository`. Its
fingerprint outlives an edit elsewhere in the file: no line and no number is in it.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import assert_never

from reconciler.model.agent import summarise_agents
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import GuardrailFinding
from reconciler.report.grouping import OutcomeGroup, group_outcomes
from reconciler.report.layout import counted, range_words
from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.values import Struct

GUARDRAIL = "guardrail"
"""The code of a guardrail that refuses a plan."""

_SEVERITIES = {
    Result.FAILED: Severity.ERROR,
    Result.IN_DOUBT: Severity.ERROR,
    Result.DEFERRED: Severity.WARNING,
    Result.SKIPPED: Severity.WARNING,
}
_FATES = {
    Result.FAILED: "failed",
    Result.IN_DOUBT: "in doubt: sent, and no answer came",
    Result.DEFERRED: "deferred",
    Result.SKIPPED: "skipped: the run stopped first",
}
_NUMBERS = re.compile("[0-9]+")


class Repository(Struct, frozen=True, kw_only=True):
    """Where the files of a report are, as a CI host names them: from the top of the repository."""

    top: str
    """The repository's directory, absolute."""
    here: str
    """The directory that the paths of the report are seen from, absolute."""

    def path_of(self, path: str) -> str | None:
        """Return `path` from the top of the repository, with `/`; `None` for none and for what lies outside."""
        if not path:
            return None
        inside = posixpath.relpath(posixpath.join(self.here, path), self.top)
        return None if inside in (".", "..") or inside.startswith("../") else inside


def problems_of(report: Reported) -> tuple[Diagnostic, ...]:
    """Return every problem of `report`, errors first, else in its own order.

    Agents of a run whose fate needs somebody's attention are one problem where they were told the same.
    """
    match report:
        case PlanReport():
            found = refusals_of(report)
        case OutcomeReport():
            found = list(_fates(report.outcomes))
        case ProblemReport():
            found = []
        case _:
            assert_never(report)
    return tuple(sorted([*report.envelope.diagnostics, *found], key=lambda each: each.severity is Severity.WARNING))


def refusals_of(report: PlanReport) -> list[Diagnostic]:
    """Return the guardrails that refuse a plan; what they are set to stands in the site's own file."""
    environment = report.envelope.environment
    path = "" if environment is None else posixpath.join(environment, "site.yaml")
    return [_refusal(finding, path) for finding in report.plan.refusals]


def fingerprints(problems: Sequence[Diagnostic]) -> list[str]:
    """Return for each problem 64 hexadecimal digits that no other one of the list has, whatever lines they stand on."""
    seen: Counter[str] = Counter()
    found = []
    for problem in problems:
        where = problem.pointer or _NUMBERS.sub("", problem.summary)
        essence = f"{problem.code}\0{problem.path}\0{where}"
        seen[essence] += 1
        found.append(hashlib.sha256(f"{essence}\0{seen[essence]}".encode(errors="surrogatepass")).hexdigest())
    return found


def _refusal(finding: GuardrailFinding, path: str) -> Diagnostic:
    agents = ", ".join(range_words(summarise_agents(finding.agents)))
    return Diagnostic(
        path=path,
        code=GUARDRAIL,
        summary=f"{finding.guardrail} refuses the plan: {finding.planned}, the limit is {finding.limit}",
        detail=f"agents {agents}" if agents else "",
        pointer=f"/guardrails/{finding.guardrail}",
    )


def _fates(outcomes: Iterable[Outcome]) -> Iterable[Diagnostic]:
    for group in group_outcomes(outcomes):
        severity = _SEVERITIES.get(group.result)
        if severity is not None:
            yield Diagnostic(
                severity=severity,
                code=str(group.result).replace("_", "-"),
                summary=fate_words(group),
                detail=f"agents {', '.join(range_words(summarise_agents(group.agents)))}",
            )


def fate_words(group: OutcomeGroup) -> str:
    """Return how many agents it is about, and what became of them."""
    said = " ".join(word for word in (group.retcode, group.message) if word)
    fate = f"{counted(len(group.agents), 'agent')} {_FATES[group.result]}"
    return f"{fate}: {said}" if said else fate
