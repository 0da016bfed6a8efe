"""What a plan or a run comes to, in the one word that stands on a pull request's label.

Rules of this file: pure. A pull request carries one label, of whichever of its sites is worst off: a label for each
site would be hundreds, and one that the last job to end decides would say something else every time.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never

from reconciler.errors import ExitCode
from reconciler.model.outcome import Result
from reconciler.report import OutcomeReport, PlanReport, ProblemReport, Reported

LABEL_FAMILY = "reconciler/"
"""What each of our labels begins with. Others of the family are taken off."""

_REFUSALS = frozenset({ExitCode.REFUSED_BY_GUARDRAIL, ExitCode.STALE_PLAN})
_TROUBLE = frozenset({Result.FAILED, Result.IN_DOUBT, Result.SKIPPED})


class Standing(StrEnum):
    """The words, worst first."""

    FAILED = "failed"
    """The files are wrong, a command failed, or agents failed, are in doubt or were not reached."""
    REFUSED = "refused"
    """A guardrail says no, or the plan is stale."""
    CHANGES = "changes"
    """The plan changes something."""
    DEFERRED = "deferred"
    """Applied, but for agents who are not signed in."""
    APPLIED = "applied"
    """Applied, all of it."""
    NO_CHANGES = "no-changes"
    """The plan changes nothing."""
    VALID = "valid"
    """The files are right; nothing was planned."""

    @property
    def label(self) -> str:
        """The label's name."""
        return f"{LABEL_FAMILY}{self}"

    @property
    def colour(self) -> str:
        """The label's colour, as six hexadecimal digits."""
        return _COLOURS[self]

    @property
    def meaning(self) -> str:
        """The label's description, at most 100 characters."""
        return _MEANINGS[self]


_COLOURS = {
    Standing.FAILED: "b60205",
    Standing.REFUSED: "d93f0b",
    Standing.CHANGES: "fbca04",
    Standing.DEFERRED: "c5def5",
    Standing.APPLIED: "0e8a16",
    Standing.NO_CHANGES: "ededed",
    Standing.VALID: "ededed",
}
_MEANINGS = {
    Standing.FAILED: "a site's files are wrong, or a plan or a run of it failed",
    Standing.REFUSED: "a guardrail refuses a site's plan, or the plan is stale",
    Standing.CHANGES: "a site's plan changes agents",
    Standing.DEFERRED: "applied; some agents wait until they sign in",
    Standing.APPLIED: "applied to all of its agents",
    Standing.NO_CHANGES: "no site's plan changes anything",
    Standing.VALID: "the files are right; nothing was planned",
}


def standing_of(report: Reported) -> Standing:
    """Return what `report` comes to."""
    match report:
        case PlanReport():
            if report.plan.refusals:
                return Standing.REFUSED
            return Standing.CHANGES if report.plan.changes else Standing.NO_CHANGES
        case OutcomeReport():
            return _of_a_run(report)
        case ProblemReport():
            if report.envelope.exit_code == ExitCode.DONE:
                return Standing.VALID
            return Standing.REFUSED if report.envelope.exit_code in _REFUSALS else Standing.FAILED
        case _:
            assert_never(report)


def worst(standings: Iterable[Standing]) -> Standing | None:
    """Return the first in the order above, or `None` of none."""
    found = set(standings)
    return next((each for each in Standing if each in found), None)


def _of_a_run(report: OutcomeReport) -> Standing:
    if _TROUBLE & {outcome.result for outcome in report.outcomes}:
        return Standing.FAILED
    if report.envelope.exit_reason == ExitCode.SOME_AGENTS_DEFERRED.reason:  # its code may be any
        return Standing.DEFERRED
    return Standing.FAILED if report.envelope.exit_code else Standing.APPLIED
