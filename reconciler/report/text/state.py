"""What is recorded, as text and as documents. A record is what was last acknowledged, never the live value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.printable import printable
from reconciler.model.state import AgentRecord, Pending, RecordStatus, State
from reconciler.report.documents.writing import record_document
from reconciler.report.layout import counted
from reconciler.report.style import Role, Style
from reconciler.report.text.pending import pending_words

_WIDEST = 40
"""Columns that are lined up; what is longer sticks out rather than push all other lines apart."""


Waiting = Mapping[AgentId, Pending]


def state_summary(state: State, records: Mapping[AgentId, AgentRecord], waiting: Waiting) -> dict[str, object]:
    """Return the counts of `records` and `waiting`, parts of `state` or all of it."""
    statuses = Counter(record.status for record in records.values())
    return {
        "lineage": state.lineage,
        "serial": state.serial,
        "agents": len(records),
        "in_doubt": statuses[RecordStatus.IN_DOUBT],
        "protected": sum(1 for record in records.values() if record.protected),
        "waiting": len(waiting),
    }


def record_documents(records: Mapping[AgentId, AgentRecord]) -> list[dict[str, object]]:
    """Return the records as JSON-ready documents, sorted by agent."""
    return [{"agent": str(agent), **record_document(record)} for agent, record in sorted(records.items())]


def state_list_text(state: State, records: Mapping[AgentId, AgentRecord], waiting: Waiting, *, style: Style) -> str:
    """Return one line a recorded agent; the last line is a summary that `grep '^State:'` finds."""
    teams = [printable(record.team or "-", limit=_WIDEST) for record in records.values()]
    columns = (
        max(map(len, teams), default=0),
        max((len(_values(record.concurrency)) for record in records.values()), default=0),
    )
    lines = [_line(agent, record, columns, style, waits=agent in waiting) for agent, record in sorted(records.items())]
    return "".join(f"{line}\n" for line in [*lines, _summary_line(state, records, waiting)])


def state_show_text(state: State, records: Mapping[AgentId, AgentRecord], waiting: Waiting, *, style: Style) -> str:
    """Return everything of each agent field by field; the last line is the summary of `state_list_text`."""
    agents = sorted({*records, *waiting})
    blocks = ["\n".join(_block(agent, records.get(agent), waiting.get(agent), style)) + "\n" for agent in agents]
    return "\n".join([*blocks, _summary_line(state, records, waiting)]) + "\n"


def _line(agent: AgentId, record: AgentRecord, columns: tuple[int, int], style: Style, *, waits: bool) -> str:
    for_team, for_values = columns
    team = printable(record.team or "-", limit=_WIDEST)
    values = f"{_values(record.concurrency):<{min(for_values, _WIDEST)}}"
    marks = [
        style(Role.PLACE, printable(record.acknowledged_at or "never acknowledged")),
        style(Role.BAD, "in doubt") if record.status is RecordStatus.IN_DOUBT else "",
        "protected" if record.protected else "",
        style(Role.WARNING, "waiting") if waits else "",
    ]
    return "  ".join([f"{agent:<6}", f"{team:<{for_team}}", values, *(mark for mark in marks if mark)])


def _block(agent: AgentId, record: AgentRecord | None, pending: Pending | None, style: Style) -> list[str]:
    fields = {"recorded": "nothing yet"} if record is None else _fields(record)
    if pending is not None:
        fields["waiting"] = pending_words(pending)
    rows = [f"  {name:<13} {printable(value)}" for name, value in fields.items()]
    return [style(Role.HEADING, f"agent {agent}"), *rows]


def _fields(record: AgentRecord) -> dict[str, str]:
    return {
        "total": str(record.concurrency.total),
        "channels": ", ".join(f"{channel.label} {sessions}" for channel, sessions in record.concurrency.channels),
        "status": str(record.status).replace("_", " "),
        "acknowledged": record.acknowledged_at or "never",
        "session": record.session or "not known",
        "key spelling": str(record.callnums_key),
        "team": record.team or "none",
        "protected": "yes" if record.protected else "no",
    }


def _values(value: Concurrency) -> str:
    channels = ", ".join(f"{channel.label} {sessions}" for channel, sessions in value.channels)
    return f"total {value.total}, {channels}"


def _summary_line(state: State, records: Mapping[AgentId, AgentRecord], waiting: Waiting) -> str:
    site = printable(state.site, limit=60)
    if state.lineage is None:
        return f"State: site {site}, nothing is recorded yet."
    doubt = sum(1 for record in records.values() if record.status is RecordStatus.IN_DOUBT)
    listed = counted(len(records), "agent")
    return f"State: site {site}, serial {state.serial}, {listed} listed, {doubt} in doubt, {len(waiting)} waiting."
