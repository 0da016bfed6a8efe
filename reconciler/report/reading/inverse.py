"""A rollback file read back, strictly: what it says of the past may go into the state, and the state must stay true.

Every field is checked and nothing is guessed; what it does not understand it refuses. Whether the file is as the run
left it is told by its fingerprint, and whether it is still the last word, by the plan that is made from it.
"""

from __future__ import annotations

from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.inverse import REVERSIBLE, InverseChange, InversePlan
from reconciler.model.outcome import Result
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.report.documents.inverse import INVERSE
from reconciler.report.reading.border import Kind, read_file_of
from reconciler.report.reading.change import agent_id, concurrency
from reconciler.report.reading.envelope import fingerprint_text, moment, require_format
from reconciler.report.reading.values import (
    ContradictionError,
    Fields,
    MisreadError,
    count,
    keyed,
    listed,
    optional,
    shown,
    text,
    truth,
    word_of,
)
from reconciler.values import Struct

_KIND = Kind(
    noun="a rollback file",
    advice="name the rollback file that an apply has left; it is not meant to be edited",
    altered="take the file as the run left it, or revert the commit in Git and apply that",
    upgrade="upgrade this reconciler to the version that wrote it, or revert the commit in Git and apply that",
)

_action = keyed({str(action): action for action in sorted(REVERSIBLE)})
_result = keyed({str(result): result for result in (Result.APPLIED, Result.IN_DOUBT, Result.FORGOTTEN)})
_key, _status = word_of(CallnumsKey), word_of(RecordStatus)
_left_by = keyed({command: command for command in ("apply", "rollback")})


class _StateFacts(Struct, frozen=True):
    lineage: str | None
    before: int
    after: int | None


def read_inverse_plan(data: bytes, *, name: str) -> InversePlan:
    """Return the way back in `data`, the content of a rollback file.

    Args:
        data: the bytes of the file.
        name: the file's name as the user wrote it, for messages.

    Raises:
        InputError: it is no such file, or one of another format version; the message names the field.
        StalePlanError: one part of it contradicts another: somebody edited it.
    """
    return read_file_of(_KIND, data, _document, name=name)


def _document(value: object) -> InversePlan:
    fields = Fields(value)
    require_format(fields.take("format_version", text))
    _require_kind(fields)
    fields.take("tool_version", text)
    finished = fields.take("finished", truth)
    state = fields.take("state", _state)
    inverse = InversePlan(
        site=fields.take("site", _plain_text),
        url=fields.take("url", _plain_text),
        callnums_key=fields.take("callnums_key", _key),
        lineage=state.lineage,
        serial_before=state.before,
        serial_after=state.after,
        left_by=fields.take("left_by", _left_by),
        begun_at=fields.take("begun_at", moment),
        changes=fields.take("agents", listed(_ChangeReader())),
        fingerprint=fields.take("fingerprint", fingerprint_text),
    )
    fields.finish()
    if finished is not inverse.finished:
        raise ContradictionError("contradicts the state beside it", ".finished")
    if any((change.result is not None) is not finished for change in inverse.changes):
        raise ContradictionError("their outcomes are known if the run has ended, and only then", ".agents")
    return inverse


def _require_kind(fields: Fields) -> None:
    command = fields.remaining().get("command")
    if command is not None and "document" not in fields.remaining():
        raise MisreadError(f"it is the document of the command {shown(command)}")
    if (kind := fields.take("document", text)) != INVERSE:
        raise MisreadError(f"{shown(kind)} is not {INVERSE}", ".document")


def _state(value: object) -> _StateFacts:
    fields = Fields(value)
    facts = _StateFacts(
        lineage=fields.take("lineage", optional(_plain_text)),
        before=fields.take("before", count),
        after=fields.take("after", optional(count)),
    )
    fields.finish()
    return facts


class _ChangeReader:
    """Reads the entries of `agents`. A thousand agents often share their values, so each of those is read once."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._seen: dict[str, Concurrency] = {}

    def __call__(self, value: object) -> InverseChange:
        """Return the change that `value` describes."""
        fields = Fields(value)
        change = InverseChange(
            agent=fields.take("agent", agent_id),
            action=fields.take("action", _action),
            result=fields.take("outcome", optional(_result)),
            before=fields.take("before", optional(self._record)),
            after=fields.take("after", optional(self._values)),
        )
        fields.finish()
        return change

    def _record(self, value: object) -> AgentRecord:
        fields = Fields(value)
        values = {name: fields.take(name, lambda part: part) for name in ("total", "channels")}
        record = AgentRecord.of(
            concurrency=self._values(values),
            callnums_key=fields.take("callnums_key", _key),
            acknowledged_at=fields.take("acknowledged_at", optional(moment)),
            session=fields.take("session", optional(_plain_text)),
            team=fields.take("team", optional(_plain_text)),
            protected=fields.take("protected", truth),
            status=fields.take("status", _status),
        )
        fields.finish()
        if record.acknowledged_at is None and record.status is RecordStatus.ACKNOWLEDGED:
            raise MisreadError("is missing for a record that was acknowledged", ".acknowledged_at")
        return record

    def _values(self, value: object) -> Concurrency:
        # By its text: True == 1 and 1.0 == 1 as keys of a cache as elsewhere, and their texts differ.
        key = repr(value)
        known = self._seen.get(key)
        if known is None:
            known = self._seen[key] = concurrency(value)
        return known


def _plain_text(value: object) -> str:
    """Read text that can be written down again: JSON can name half a character, and no file can hold one."""
    try:
        text(value).encode()
    except UnicodeEncodeError:
        raise MisreadError(f"{shown(value)} holds half a character") from None
    return text(value)
