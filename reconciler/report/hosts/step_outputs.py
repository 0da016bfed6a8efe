"""What a GitHub step hands to those after it, as the lines of its output file.

Rules of this file: a value is written between two lines that nobody could guess when they wrote a name into the YAML,
so that no value can end itself and begin another. What a report knows nothing of is not there, and a workflow reads
that as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from reconciler.model.outcome import Result
from reconciler.model.plan import Action
from reconciler.model.printable import printable
from reconciler.report.documents.outcomes import outcome_summary
from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported

_LONGEST = 1000


def step_outputs(report: Reported) -> dict[str, str]:
    """Return the values that a report has by itself; those of the command line are put beside them."""
    envelope = report.envelope
    outputs = {"exit_code": str(envelope.exit_code), "exit_reason": printable(envelope.exit_reason)}
    match report:
        case PlanReport():
            return outputs | _plan_outputs(report)
        case OutcomeReport():
            counts = outcome_summary(report.outcomes)
            results = {str(result): str(counts[str(result)]) for result in Result}
            return {**outputs, **results, "calls": str(counts["calls"]), "fingerprint": printable(report.fingerprint)}
        case ProblemReport():
            return outputs | {"refusal": printable(_why(report), limit=_LONGEST)}
        case _:
            assert_never(report)


def output_lines(outputs: Mapping[str, str], *, delimiter: str) -> str:
    """Return `outputs` as the output file has them.

    Args:
        outputs: names and values; a value may have several lines.
        delimiter: a word that nobody could know beforehand, made by chance.

    Raises:
        ValueError: the delimiter stands in a value, or is none.
    """
    if not delimiter.isalnum() or any(delimiter in value for value in outputs.values()):
        raise ValueError("the delimiter must be a word that stands in no value")
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in outputs.items())


def _plan_outputs(report: PlanReport) -> dict[str, str]:
    plan = report.plan
    counts = {str(action): plan.count(action) for action in Action if action is not Action.UNCHANGED}
    waiting = 0 if plan.waits is None else len(plan.waits.agents)
    refusal = "; ".join(f"{each.guardrail}: {each.planned}, the limit is {each.limit}" for each in plan.refusals)
    return {
        "changes": str(len(plan.changes)),
        **{name: str(number) for name, number in counts.items()},
        "unchanged": str(report.unchanged),
        "calls": str(len(plan.calls)),
        "deferred": str(waiting),
        "fingerprint": printable(plan.fingerprint),
        "refusal": printable(refusal, limit=_LONGEST),
    }


def _why(report: ProblemReport) -> str:
    """Return the first error; a report has errors before warnings only file by file."""
    errors = [each.summary for each in report.envelope.diagnostics if each.severity == "error"]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]}{more}" if errors else ""
