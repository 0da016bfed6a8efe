"""What a plan or a run comes to in one word."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from report.examples import PLANS, outcome

from reconciler.errors import ExitCode
from reconciler.model.outcome import Result
from reconciler.report import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.review.standing import Standing, standing_of


def ended(code: ExitCode, *, number: int | None = None) -> Envelope:
    return Envelope(command="apply", exit_code=int(code) if number is None else number, exit_reason=code.reason)


def plan(name: str) -> Callable[[], Reported]:
    return lambda: PlanReport(envelope=ended(ExitCode.DONE), plan=PLANS[name](), unchanged=0)


def run(*results: Result, code: ExitCode = ExitCode.DONE, number: int | None = None) -> Callable[[], Reported]:
    outcomes = tuple(outcome(1001 + index, result) for index, result in enumerate(results))
    return lambda: OutcomeReport(envelope=ended(code, number=number), outcomes=outcomes)


def problem(code: ExitCode) -> Callable[[], Reported]:
    return lambda: ProblemReport(envelope=ended(code))


DEFERRED = ExitCode.SOME_AGENTS_DEFERRED
CASES: dict[str, tuple[Callable[[], Reported], Standing]] = {
    "changes": (plan("one-agent"), Standing.CHANGES),
    "nothing": (plan("nothing-to-do"), Standing.NO_CHANGES),
    "refused": (plan("refused"), Standing.REFUSED),
    "lifted": (plan("ten-thousand-agents-lifted"), Standing.CHANGES),
    "applied": (run(Result.APPLIED, Result.FORGOTTEN), Standing.APPLIED),
    "nothing-applied": (run(), Standing.APPLIED),
    "deferred": (run(Result.APPLIED, Result.DEFERRED, code=DEFERRED), Standing.DEFERRED),
    "deferred-and-accepted": (run(Result.DEFERRED, code=DEFERRED, number=0), Standing.DEFERRED),
    "deferred-and-failed": (run(Result.DEFERRED, Result.FAILED, code=ExitCode.SOME_AGENTS_FAILED), Standing.FAILED),
    "in-doubt": (run(Result.IN_DOUBT, code=ExitCode.SOME_AGENTS_FAILED), Standing.FAILED),
    "interrupted": (run(Result.SKIPPED, code=ExitCode.INTERRUPTED), Standing.FAILED),
    "not-recorded": (run(Result.APPLIED, code=ExitCode.STATE_FAILED), Standing.FAILED),
    "valid": (problem(ExitCode.DONE), Standing.VALID),
    "invalid": (problem(ExitCode.INVALID_INPUT), Standing.FAILED),
    "stale": (problem(ExitCode.STALE_PLAN), Standing.REFUSED),
    "guardrail-at-apply": (problem(ExitCode.REFUSED_BY_GUARDRAIL), Standing.REFUSED),
    "locked": (problem(ExitCode.LOCK_HELD), Standing.FAILED),
}


@pytest.mark.parametrize(("make", "expected"), CASES.values(), ids=list(CASES))
def test_a_report_comes_to_a_word(make: Callable[[], Reported], expected: Standing) -> None:
    assert standing_of(make()) is expected
