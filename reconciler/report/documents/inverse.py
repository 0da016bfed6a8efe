"""The way back from a run as a document, the content of a rollback file; and who goes back, for other documents.

Rules of this file: records are written as the state has them. `reading.inverse` reads exactly this.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.agent import AgentId
from reconciler.model.going_back import GoingBack
from reconciler.model.inverse import InverseChange, InversePlan
from reconciler.model.state import AgentRecord, Holding
from reconciler.report.documents.changes import numbers_document
from reconciler.report.documents.text import Document, Entries, Once, compact
from reconciler.report.documents.writing import FORMAT_VERSION, record_document

INVERSE = "rollback"
"""What the document calls itself."""
_OWN = '"acknowledged_at": "", "session": ""'
"""What the text of a record has of one agent alone."""


def inverse_document(inverse: InversePlan, *, tool_version: str) -> Document:
    """Return `inverse` as the document that `schemas/rollback.schema.json` describes."""
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": tool_version,
        "document": INVERSE,
        "left_by": inverse.left_by,
        "begun_at": inverse.begun_at,
        "finished": inverse.finished,
        "site": inverse.site,
        "url": inverse.url,
        "callnums_key": str(inverse.callnums_key),
        "state": {"lineage": inverse.lineage, "before": inverse.serial_before, "after": inverse.serial_after},
        "fingerprint": inverse.fingerprint,
        "agents": Entries(items=inverse.changes, document=_change, writer=_writer),
    }


def going_back_document(going_back: GoingBack) -> Document:
    """Return whom a plan that undoes a run does not call, and whom it calls with a doubt."""
    return {
        "left_by": going_back.left_by,
        "begun_at": going_back.begun_at,
        "finished": going_back.finished,
        "restored": _ids(tuple(going_back.restored)),
        "unknown": _ids(going_back.unknown),
        "uncertain": _ids(going_back.uncertain),
        "changed_since": _ids(going_back.changed_since),
        "already": _ids(going_back.already),
    }


def _ids(agents: tuple[AgentId, ...]) -> list[str]:
    return [str(agent) for agent in agents]


def _change(change: InverseChange) -> Document:
    return {
        "agent": str(change.agent),
        "action": str(change.action),
        "outcome": None if change.result is None else str(change.result),
        "before": None if change.before is None else record_document(change.before),
        "after": numbers_document(change.after),
    }


class _Around(dict[Holding, list[str]]):
    """The text of records that differ only in their times and sessions: what stands before those, and after."""

    def __missing__(self, holding: Holding) -> list[str]:
        found = self[holding] = compact(record_document(AgentRecord(holding, "", ""))).split(_OWN)
        return found


def _writer() -> Callable[[InverseChange], str]:
    """Return what writes one change after another: the text of `_change`, and what agents share of it once."""
    words, numbers, around = Once[str | None](), Once(numbers_document), _Around()

    def record(before: AgentRecord | None) -> str:
        if before is None:
            return "null"
        head, tail = around[before.holding]
        session = "null" if before.session is None else compact(before.session)  # each agent has another
        return f'{head}"acknowledged_at": {words[before.acknowledged_at]}, "session": {session}{tail}'

    def write(change: InverseChange) -> str:
        return (
            f'{{"agent": "{change.agent}", "action": {words[change.action]}, "outcome": {words[change.result]}, '
            f'"before": {record(change.before)}, "after": {numbers[change.after]}}}'
        )

    return write
