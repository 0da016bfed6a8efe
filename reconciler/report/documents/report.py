"""Whatever a report is about, as the JSON document that its command prints with `--json`.

Rule of this file: `reading.report` reads exactly these, and what it has read gives the same bytes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import assert_never

from reconciler.model.going_back import GoingBack
from reconciler.model.plan import Base
from reconciler.report.documents.inverse import going_back_document
from reconciler.report.documents.outcomes import outcome_entries, outcome_summary
from reconciler.report.documents.text import Document
from reconciler.report.documents.writing import (
    FORMAT_VERSION,
    diagnostic_documents,
    finding_documents,
    plan_document,
    plan_summary,
    saved_plan,
)
from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.report.text.estimate import estimate_document


def report_document(report: Reported) -> Document:
    """Return the document of `report`."""
    match report:
        case PlanReport() if report.envelope.environment is None:  # a saved plan, which knows of no place
            saved = saved_plan(report.plan, tool_version=report.envelope.tool_version)
            return {**saved, "summary": _plan_counts(report)}
        case PlanReport():
            return {**_envelope(report.envelope, _plan_counts(report)), **_plan(report)}
        case OutcomeReport():
            return {**_envelope(report.envelope, outcome_summary(report.outcomes)), **_outcome(report)}
        case ProblemReport():
            return {**_envelope(report.envelope, _problem_counts(report)), **_problem(report)}
        case _:
            assert_never(report)


def _envelope(envelope: Envelope, summary: Mapping[str, int | None]) -> Document:
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": envelope.tool_version,
        "command": envelope.command,
        "environment": envelope.environment,
        "site": envelope.site,
        "exit_code": envelope.exit_code,
        "exit_reason": envelope.exit_reason,
        "summary": dict(summary),
        "diagnostics": diagnostic_documents(envelope.diagnostics),
    }


def _plan_counts(report: PlanReport) -> dict[str, int | None]:
    return {**plan_summary(report.plan), "unchanged": report.unchanged}


def _plan(report: PlanReport) -> Document:
    estimate = {} if report.estimate is None else {"estimate": estimate_document(report.estimate)}
    return {**plan_document(report.plan), **_going_back(report.plan.going_back), **estimate}


def _outcome(report: OutcomeReport) -> Document:
    following = report.still_desired
    return {
        "fingerprint": report.fingerprint,
        "base": _base(report.base),
        "saved": _base(report.saved),
        "rollback_file": report.rollback_file,
        **_going_back(report.going_back),
        **({} if following is None else {"still_desired": [str(agent) for agent in following]}),
        "outcomes": outcome_entries(report.outcomes),
    }


def _problem_counts(report: ProblemReport) -> dict[str, int | None]:
    if report.envelope.command != "validate":
        return {}
    counts = Counter(f"{each.severity}s" for each in report.envelope.diagnostics)
    return {
        "agents": report.agents,
        "teams": report.teams,
        "errors": counts["errors"],
        "warnings": counts["warnings"],
    }


def _problem(report: ProblemReport) -> Document:
    refused: Document = {}
    if report.fingerprint is not None:
        refused = {"fingerprint": report.fingerprint, "guardrails": finding_documents(report.findings)}
    notes = {"notes": list(report.notes)} if report.notes else {}
    return {**refused, **_going_back(report.going_back), **notes}


def _going_back(back: GoingBack | None) -> Document:
    return {} if back is None else {"going_back": going_back_document(back)}


def _base(base: Base) -> Document:
    return {"lineage": base.lineage, "serial": base.serial}
