"""One agent's record as an object: what the state's document and the journal share of it.

Rule of this file: exact in both directions, as `fields` has it; what could not be read back is not written.
"""

from __future__ import annotations

from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.state.document.fields import (
    ConcurrencyCache,
    channels_by_code,
    optional_text,
    require_callnums_key,
    require_concurrency,
    require_fields,
    require_flag,
    require_time,
)

RECORD = frozenset({"acknowledged_at", "callnums_key", "channels", "protected", "session", "status", "team", "total"})
_STATUSES = {status.value: status for status in RecordStatus}


def record_fields(record: AgentRecord) -> dict[str, object]:
    """Return the object of `record`, keys sorted.

    Raises:
        ValueError: its time is none, or an acknowledged record has none.
    """
    return {
        "acknowledged_at": written_time(record.status, record.acknowledged_at),
        "callnums_key": record.callnums_key,
        "channels": channels_by_code(record.concurrency),
        "protected": record.protected,
        "session": record.session,
        "status": record.status,
        "team": record.team,
        "total": record.concurrency.total,
    }


def read_record(value: object, seen: ConcurrencyCache) -> AgentRecord:
    """Return the record of this object.

    Raises:
        ValueError: a field is missing, unknown or not as it should be.
    """
    fields = require_fields(value, RECORD)
    status = _read_status(fields["status"])
    return AgentRecord.of(
        concurrency=require_concurrency(fields["total"], fields["channels"], seen),
        callnums_key=require_callnums_key(fields["callnums_key"]),
        acknowledged_at=written_time(status, fields["acknowledged_at"]),
        session=optional_text("session", fields["session"]),
        team=optional_text("team", fields["team"]),
        protected=require_flag("protected", fields["protected"]),
        status=status,
    )


def written_time(status: RecordStatus, value: object) -> str | None:
    """Return `value` if it is a time, or if it is none and a record of that status may have none."""
    if value is None and status is RecordStatus.IN_DOUBT:
        return None
    return require_time("acknowledged_at", value)


def _read_status(value: object) -> RecordStatus:
    status = _STATUSES.get(value) if type(value) is str else None
    if status is None:
        raise ValueError(f"status is not {' or '.join(_STATUSES)}")
    return status
