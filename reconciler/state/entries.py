"""The records of the journal as values, and as the JSON object each is written as.

Rules of this file: an entry says what happened, in the order it happened; the family is closed and whoever handles it
ends with `assert_never`. No entry has a field for a Guid, a cookie or a path. How a line is framed is `journal`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import orjson

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.site import CallnumsKey
from reconciler.state.fields import (
    FORMAT_VERSION,
    ConcurrencyCache,
    channels_by_code,
    optional_text,
    require_agent,
    require_callnums_key,
    require_concurrency,
    require_fields,
    require_flag,
    require_format,
    require_lineage,
    require_text,
    require_time,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOpened:
    """The first entry of every journal: which state the rest is about."""

    site: str
    lineage: str | None
    serial: int
    """Of the snapshot the run began from; a snapshot with a higher one already holds this journal."""
    run: str
    """The id of the lock's holder."""
    started_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """These values are about to be sent: from here on the agent is in doubt."""

    agent: AgentId
    concurrency: Concurrency
    callnums_key: CallnumsKey
    team: str | None
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The gateway answered "0" to what was intended."""

    agent: AgentId
    at: str
    session: str | None
    keep: bool = True
    """`False`: it was the last call to this agent, whose record is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplied:
    """What was intended did not take effect: the record from before the intent stands."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The record was dropped without a call."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Team and protection changed without a call."""

    agent: AgentId
    team: str | None
    protected: bool


Entry = Intended | Acknowledged | NotApplied | Forgotten | Noted
"""What may follow the `RunOpened` of a journal."""

_RUN = frozenset({"format_version", "kind", "lineage", "run", "serial", "site", "started_at"})
_FIELDS = {
    "intent": frozenset({"agent", "callnums_key", "channels", "kind", "protected", "team", "total"}),
    "acknowledged": frozenset({"agent", "at", "keep", "kind", "session"}),
    "not_applied": frozenset({"agent", "kind"}),
    "forgotten": frozenset({"agent", "kind"}),
    "noted": frozenset({"agent", "kind", "protected", "team"}),
}


def _fields_of(entry: RunOpened | Entry) -> dict[str, object]:
    match entry:
        case RunOpened():
            return {
                "kind": "run",
                "format_version": FORMAT_VERSION,
                "site": entry.site,
                "lineage": entry.lineage,
                "serial": entry.serial,
                "run": entry.run,
                "started_at": entry.started_at,
            }
        case Intended():
            return {
                "kind": "intent",
                "agent": str(entry.agent),
                "total": entry.concurrency.total,
                "channels": channels_by_code(entry.concurrency),
                "callnums_key": entry.callnums_key.value,
                "team": entry.team,
                "protected": entry.protected,
            }
        case Acknowledged(agent=agent, at=at, session=session, keep=keep):
            return {"kind": "acknowledged", "agent": str(agent), "at": at, "session": session, "keep": keep}
        case NotApplied(agent=agent):
            return {"kind": "not_applied", "agent": str(agent)}
        case Forgotten(agent=agent):
            return {"kind": "forgotten", "agent": str(agent)}
        case Noted(agent=agent, team=team, protected=protected):
            return {"kind": "noted", "agent": str(agent), "team": team, "protected": protected}
        case _:
            assert_never(entry)


def write_entry(entry: RunOpened | Entry) -> bytes:
    """Return the JSON object of `entry`, on one line."""
    return orjson.dumps(_fields_of(entry))


def read_run(payload: bytes) -> RunOpened:
    """Return the opening entry written as `payload`.

    Raises:
        NewerFormatError: a newer version wrote this journal.
        ValueError: it is not the opening entry of a journal.
    """
    fields: object = orjson.loads(payload)
    if type(fields) is not dict or fields.get("kind") != "run":
        raise ValueError("a journal begins with a run, and this does not")
    require_format(fields.get("format_version"))
    fields = require_fields(fields, _RUN)
    lineage, serial = require_lineage(fields["lineage"], fields["serial"])
    return RunOpened(
        site=require_text("site", fields["site"]),
        lineage=lineage,
        serial=serial,
        run=require_text("run", fields["run"]),
        started_at=require_time("started_at", fields["started_at"]),
    )


def read_entry(payload: bytes, seen: ConcurrencyCache) -> Entry:
    """Return the entry written as `payload`.

    Raises:
        ValueError: it is not an entry that may stand after the first.
    """
    value: object = orjson.loads(payload)
    kind = value.get("kind") if type(value) is dict else None
    if type(kind) is not str or kind not in _FIELDS:
        raise ValueError("this is no record of a journal")
    fields = require_fields(value, _FIELDS[kind])
    return _build(kind, require_agent(fields["agent"]), fields, seen)


def _build(kind: str, agent: AgentId, fields: dict[str, object], seen: ConcurrencyCache) -> Entry:
    match kind:
        case "intent":
            return Intended(
                agent=agent,
                concurrency=require_concurrency(fields["total"], fields["channels"], seen),
                callnums_key=require_callnums_key(fields["callnums_key"]),
                team=optional_text("team", fields["team"]),
                protected=require_flag("protected", fields["protected"]),
            )
        case "acknowledged":
            return Acknowledged(
                agent=agent,
                at=require_time("at", fields["at"]),
                session=optional_text("session", fields["session"]),
                keep=require_flag("keep", fields["keep"]),
            )
        case "noted":
            return Noted(
                agent=agent,
                team=optional_text("team", fields["team"]),
                protected=require_flag("protected", fields["protected"]),
            )
        case "forgotten":
            return Forgotten(agent=agent)
        case _:
            return NotApplied(agent=agent)
