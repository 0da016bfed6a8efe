"""A saved plan read back, strictly: the file has been on a pull request, in an artifact store and in other hands.

Every field is checked and nothing is guessed; what it does not understand it refuses. Whether the plan is still true
is not decided here: `applying` plans afresh and compares.
"""

from __future__ import annotations

from reconciler.model.agent import AgentRange
from reconciler.model.changed_since import ChangedSince
from reconciler.model.channel import Channel
from reconciler.model.estimate import Estimate
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Change, Plan, PlanOptions, Scope
from reconciler.report.documents.writing import plan_summary
from reconciler.report.reading.attendance import require_attendance, sessions_seen, waits
from reconciler.report.reading.border import Kind, read_file_of
from reconciler.report.reading.capacity import capacity, require_sums, standing
from reconciler.report.reading.change import ChangeReader
from reconciler.report.reading.change_lines import ChangeLines
from reconciler.report.reading.envelope import (
    base,
    envelope,
    finding,
    fingerprint_text,
    require_format,
)
from reconciler.report.reading.going_back import going_back
from reconciler.report.reading.values import (
    ContradictionError,
    Fields,
    Members,
    MisreadError,
    count,
    instant,
    keyed,
    listed,
    number,
    optional,
    shown,
    text,
    truth,
    word_of,
)
from reconciler.report.reported import Envelope, PlanReport
from reconciler.values import Struct

_KIND = Kind(
    noun="a plan",
    advice="make it anew with `reconciler plan --out FILE`; a plan file is not meant to be edited",
    altered="make the plan anew and have it reviewed",
    upgrade="upgrade this reconciler to the version that wrote it, or make the plan anew with this one",
)

_LONGEST_RANGE = 20
_OF_A_RUN = {"environment", "exit_code", "exit_reason", "diagnostics"}
"""What `plan --json` says and a saved plan, which knows of no place and of no run, does not."""


class SavedPlan(Struct, frozen=True, kw_only=True):
    """A plan from a file."""

    plan: Plan
    """As saved, but for what its document does not hold: its `unchanged` is empty, since those agents are counted and
    not listed, and nobody in it is `protected`. It is to be shown and compared, never carried out."""
    unchanged: int
    """How many agents had nothing to do."""
    tool_version: str
    """Of the reconciler that made it."""


def read_saved_plan(data: bytes, *, name: str) -> SavedPlan:
    """Return the plan in `data`, a document of `plan --out` or `plan --json`.

    Args:
        data: the bytes of the file.
        name: the file's name as the user wrote it, for messages.

    Raises:
        InputError: it is not such a document, or one of another format version; the message names the field.
        StalePlanError: one part of it contradicts another: somebody edited it.
    """
    return read_file_of(_KIND, data, _document, name=name)


def _document(value: object) -> SavedPlan:
    fields = Fields(value)
    require_format(fields.take("format_version", text))
    if (command := fields.take("command", text)) != "plan":
        raise MisreadError(f"{shown(command)} is not plan, whose document is wanted here", ".command")
    report = plan_report(fields, command=command)
    return SavedPlan(plan=report.plan, unchanged=report.unchanged, tool_version=report.envelope.tool_version)


def plan_report(fields: Fields, *, command: str) -> PlanReport:
    """Read the rest of a plan's document: all but the version of its format and its command.

    Raises:
        MisreadError: a field is not what its place wants; as `ContradictionError`, not what the others say.
    """
    plan = _plan(fields, command)
    unchanged = fields.take("summary", lambda summary: _summary(summary, plan))
    require_attendance(plan, unchanged=unchanged)
    require_sums(plan, unchanged=unchanged)
    estimate = fields.take_or("estimate", _estimate, None)
    told = envelope if _OF_A_RUN & set(fields.remaining()) else _bare_envelope
    report = PlanReport(
        envelope=told(fields, command=command, site=plan.site),
        plan=plan,
        unchanged=unchanged,
        estimate=estimate,
    )
    fields.finish()
    return report


def _bare_envelope(fields: Fields, *, command: str, site: str) -> Envelope:
    return Envelope(command=command, site=site, tool_version=fields.take("tool_version", text))


def _plan(fields: Fields, command: str) -> Plan:
    back = fields.take("going_back", going_back) if command == "rollback" else None
    plan = Plan(
        site=fields.take("site", text),
        url=fields.take("url", text),
        callnums_key=fields.take("callnums_key", word_of(CallnumsKey)),
        signs_in=fields.take("signs_in", truth),
        base=fields.take("base", base),
        options=_options(fields),
        changes=fields.take("changes", _changes),
        unchanged=(),
        findings=fields.take("guardrails", listed(finding)),
        capacity=fields.take("capacity", capacity),
        standing=fields.take("standing", standing),
        fingerprint=fields.take("fingerprint", fingerprint_text),
        waits=fields.take("waits", optional(waits)),
        sessions=fields.take("sessions", optional(sessions_seen)),
        going_back=back,
    )
    if fields.take("applyable", truth) is not plan.applyable:
        raise ContradictionError("contradicts the changes and guardrails", ".applyable")
    return plan


def _summary(value: object, plan: Plan) -> int:
    fields = Fields(value)
    counts = {name: fields.take(name, count) for name in plan_summary(plan)}
    fields.finish()
    for name, wanted in {**plan_summary(plan), "unchanged": counts["unchanged"]}.items():
        if counts[name] != wanted:
            raise ContradictionError(f"{counts[name]} contradicts the changes, which make it {wanted}", f".{name}")
    return counts["unchanged"]


def _changes(value: object) -> tuple[Change, ...]:
    plainly, from_text = ChangeReader(), ChangeLines()
    changes = listed(lambda each: (from_text if isinstance(each, Members) else plainly)(each))(value)
    seen: set[int] = set()
    for change in changes:
        if change.agent in seen:
            raise ValueError(f"agent {change.agent} stands in it twice")
        seen.add(change.agent)
    return changes


def _scope(value: object) -> Scope:
    fields = Fields(value)
    scope = Scope(
        teams=fields.take("teams", listed(text)),
        agents=fields.take("agents", listed(_agent_range)),
        excluded=fields.take("excluded", listed(_agent_range)),
        channels=fields.take("channels", listed(keyed({channel.label: channel for channel in Channel}))),
        changed=fields.take_or("changed_since", _changed_since, None),
    )
    if fields.take("partial", truth) is not scope.partial:
        raise ContradictionError("contradicts the selection beside it", ".partial")
    fields.finish()
    return scope


def _changed_since(value: object) -> ChangedSince:
    fields = Fields(value)
    changed = ChangedSince(
        revision=fields.take("revision", text),
        commit=fields.take("commit", text),
        agents=fields.take("agents", listed(_agent_range)),
        everybody=fields.take("everybody", optional(text)) or "",
    )
    fields.finish()
    return changed


def _options(fields: Fields) -> PlanOptions:
    scope = fields.take("scope", _scope)

    def read(value: object) -> PlanOptions:
        inner = Fields(value)
        options = PlanOptions(
            scope=scope,
            reassert_all=inner.take("reassert_all", truth),
            reassert_older_than=inner.take("reassert_older_than", optional(number)),
            at=inner.take("at", optional(instant)),
            sessions=inner.take("sessions", truth),
        )
        inner.finish()
        if options.reassert_older_than is not None and options.at is None:
            raise MisreadError("is missing: reassert_older_than needs a time to count back from", ".at")
        return options

    return fields.take("options", read)


def _agent_range(value: object) -> AgentRange:
    words = text(value)
    if len(words) > _LONGEST_RANGE:
        raise ValueError(f"{shown(words)} is not a range of agent ids")
    return AgentRange.parse(words)


def _estimate(value: object) -> Estimate:
    fields = Fields(value)
    estimate = Estimate(
        calls=fields.take("calls", count),
        concurrency=fields.take("concurrency", count),
        requests_per_second=fields.take("requests_per_second", _pace),
    )
    if fields.take("seconds", number) != round(estimate.seconds, 1):
        raise MisreadError("contradicts the calls and their pace", ".seconds")
    fields.finish()
    return estimate


def _pace(value: object) -> float:
    if number(value) <= 0:
        raise MisreadError(f"{shown(value)} is no pace")
    return number(value)
