"""A report as one HTML file that can be attached to a pull request and opened anywhere, without a network."""

from __future__ import annotations

from typing import assert_never

from reconciler.report.html.outcome import outcome_page
from reconciler.report.html.plan import plan_page
from reconciler.report.html.problem import problem_page
from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported


def html(report: Reported) -> str:
    """Return `report` as a whole HTML document, ending in a newline; the same report gives the same bytes.

    It loads nothing and sends nothing, and its policy lets no text of the report do either. Its size grows by some 30
    bytes with each change; what a browser lays out does not grow beyond one page of a table.
    """
    match report:
        case PlanReport():
            return plan_page(report)
        case OutcomeReport():
            return outcome_page(report)
        case ProblemReport():
            return problem_page(report)
        case _:
            assert_never(report)
