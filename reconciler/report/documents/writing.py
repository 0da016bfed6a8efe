"""Values as JSON-ready documents, and documents as text. The published schemas describe exactly these.

A saved plan is the plan's document without what depends on time or place (environment, exit code), so that the same
inputs give the same bytes. Reading one back is the work of `reading.plan`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.capacity import Capacity
from reconciler.model.changed_since import ChangedSince
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, Edit, GuardrailFinding, Plan, PlanOptions, Scope
from reconciler.model.standing import Standing, StandingChange
from reconciler.model.state import AgentRecord

FORMAT_VERSION = "1.0"

Document = dict[str, object]


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
        "changes": _changes(plan.changes),
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


def outcome_documents(outcomes: Iterable[Outcome]) -> list[Document]:
    """Return the `outcomes` array of an apply, by agent id."""
    return [
        {
            "agent": str(each.agent),
            "action": str(each.action),
            "outcome": str(each.result),
            "retcode": each.retcode,
            "message": each.message,
            "attempts": each.attempts,
        }
        for each in sorted(outcomes, key=attrgetter("agent"))
    ]


def outcome_summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return the number of agents of each result, and of calls started."""
    counts = {str(result): 0 for result in Result}
    for outcome in outcomes:
        counts[str(outcome.result)] += 1
    return {**counts, "calls": sum(outcome.attempts for outcome in outcomes)}


def document_text(document: Mapping[str, object]) -> str:
    """Return `document` as JSON that a person can read and a diff can show: one entry of each array a line.

    A CI host that reads it in a log obeys none of it: `##[` orders something anywhere in a line.
    """
    fields = (f"  {_compact(name)}: {_value(value)}" for name, value in document.items())
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    return text.replace("##", r"#\u0023") if "##[" in text or "##vso[" in text else text


def _value(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _compact(value)
    return "[\n" + ",\n".join(f"    {_compact(item)}" for item in value) + "\n  ]"


# One encoder for all entries: making one costs more than encoding a change, and no document of ours holds itself.
_compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False).encode


def _changes(changes: Iterable[Change]) -> list[Document]:
    # A thousand agents often share their values; each distinct one is written out once.
    values: dict[Concurrency | None, Document | None] = {None: None}
    for value in (side for change in changes for side in (change.before, change.after)):
        if value is not None and value not in values:
            values[value] = concurrency_document(value)
    return [_change(change, values) for change in changes]


def _change(change: Change, values: Mapping[Concurrency | None, Document | None]) -> Document:
    return {
        "agent": str(change.agent),
        "team": change.team,
        "action": str(change.action),
        "reason": str(change.reason),
        "before": values[change.before],
        "after": values[change.after],
        "edits": [_edit(edit) for edit in change.edits],
        "source": _source(change.source),
    }


def concurrency_document(value: Concurrency) -> Document:
    """Return an agent's numbers, the channels by their codes."""
    return {"total": value.total, "channels": {channel.code: sessions for channel, sessions in value.channels}}


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


def _edit(edit: Edit) -> Document:
    return {
        "field": edit.field,
        "kind": str(edit.kind),
        "before": edit.before,
        "after": edit.after,
        "cause": _source(edit.cause),
    }


def _source(source: Source | None) -> Document | None:
    return None if source is None else {"path": source.path, "line": source.line}


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
