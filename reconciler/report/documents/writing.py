"""Values as JSON-ready documents. The published schemas describe exactly these.

A saved plan is the plan's document without what depends on time or place (environment, exit code), so that the same
inputs give the same bytes. Reading one back is the work of `reading.plan`.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.capacity import Capacity
from reconciler.model.changed_since import ChangedSince
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.plan import Action, GuardrailFinding, Plan, PlanOptions, Scope
from reconciler.model.standing import Standing, StandingChange
from reconciler.model.state import AgentRecord
from reconciler.report.documents.changes import change_entries, concurrency_document
from reconciler.report.documents.text import Document

FORMAT_VERSION = "1.0"


def diagnostic_documents(diagnostics: Iterable[Diagnostic]) -> list[Document]:
    """Return the diagnostics as the `diagnostics` array of every document."""
    return [
        {
            "severity": str(each.severity),
            "code": each.code,
            "summary": each.summary,
            "detail": each.detail,
            "path": each.path,
            "line": each.line,
            "column": each.column,
            "pointer": each.pointer,
        }
        for each in diagnostics
    ]


def plan_document(plan: Plan) -> Document:
    """Return what is particular to a plan: everything but the envelope."""
    return {
        "fingerprint": plan.fingerprint,
        "base": {"lineage": plan.base.lineage, "serial": plan.base.serial},
        "url": plan.url,
        "callnums_key": str(plan.callnums_key),
        "signs_in": plan.signs_in,
        "scope": _scope(plan.options.scope),
        "options": _options(plan.options),
        "sessions": _sessions(plan.sessions),
        "waits": _waits(plan.waits),
        "applyable": plan.applyable,
        "guardrails": finding_documents(plan.findings),
        "capacity": [_capacity(each) for each in plan.capacity],
        "standing": [_standing_change(each) for each in plan.standing],
        "changes": change_entries(plan.changes),
    }


def finding_documents(findings: Iterable[GuardrailFinding]) -> list[Document]:
    """Return the `guardrails` array of a plan, and of a run that one of them refused."""
    return [_finding(finding) for finding in findings]


def plan_summary(plan: Plan) -> dict[str, int]:
    """Return the number of agents of each action, and of calls."""
    counts = {str(action): plan.count(action) for action in Action}
    return {**counts, "calls": len(plan.calls)}


def saved_plan(plan: Plan, *, tool_version: str) -> Document:
    """Return the document that `plan --out` writes: the same bytes for the same inputs, wherever and whenever."""
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": tool_version,
        "command": "plan",
        "site": plan.site,
        "summary": plan_summary(plan),
        **plan_document(plan),
    }


def record_document(record: AgentRecord) -> Document:
    """Return what is recorded of an agent, but for who it is."""
    return {
        **concurrency_document(record.concurrency),
        "callnums_key": str(record.callnums_key),
        "acknowledged_at": record.acknowledged_at,
        "session": record.session,
        "team": record.team,
        "protected": record.protected,
        "status": str(record.status),
    }


def _finding(finding: GuardrailFinding) -> Document:
    return {
        "guardrail": finding.guardrail,
        "planned": finding.planned,
        "limit": finding.limit,
        "lifted": finding.lifted,
        "agents": [str(agent) for agent in finding.agents],
    }


def _capacity(each: Capacity) -> Document:
    return {
        "team": each.team,
        "channel": None if each.channel is None else each.channel.label,
        "before": each.before,
        "after": each.after,
        "change": each.change,
        "percent": each.percent,
        "agents_before": each.agents_before,
        "agents_after": each.agents_after,
        "at_zero": each.at_zero,
        "bound": each.bound,
        "effective_before": each.effective_before,
        "effective_after": each.effective_after,
    }


def _standing_change(each: StandingChange) -> Document:
    return {"agent": str(each.agent), "before": _standing(each.before), "after": _standing(each.after)}


def _standing(standing: Standing) -> Document:
    return {"team": standing.team, "protected": standing.protected}


def _scope(scope: Scope) -> Document:
    return {
        "partial": scope.partial,
        "teams": list(scope.teams),
        "agents": [str(span) for span in scope.agents],
        "excluded": [str(span) for span in scope.excluded],
        "channels": [channel.label for channel in scope.channels],
        **({} if scope.changed is None else {"changed_since": _changed_since(scope.changed)}),
    }


def _changed_since(changed: ChangedSince) -> Document:
    return {
        "revision": changed.revision,
        "commit": changed.commit,
        "agents": [str(span) for span in changed.agents],
        "everybody": changed.everybody or None,
    }


def _options(options: PlanOptions) -> Document:
    return {
        "reassert_all": options.reassert_all,
        "reassert_older_than": options.reassert_older_than,
        "at": options.at,
        "sessions": options.sessions,
    }


def _sessions(seen: SessionsSeen | None) -> Document | None:
    if seen is None:
        return None
    absent = [str(agent) for agent in seen.absent]
    return {"asked": seen.asked, "known": seen.known, "keyless": seen.keyless, "absent": absent}


def _waits(waits: Waits | None) -> Document | None:
    return None if waits is None else {"since": waits.since, "agents": [str(agent) for agent in waits.agents]}
