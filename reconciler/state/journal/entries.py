"""The records of the journal as values, and as the JSON object each is written as.

Rules of this file: an entry says what happened, in the order it happened; the family is closed and whoever handles it
ends with `assert_never`. No entry has a field for a Guid, a cookie or a path. How a line is framed is `lines`'s.
"""

from __future__ import annotations

from typing import assert_never

import orjson

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord
from reconciler.state.document.fields import (
    FORMAT_VERSION,
    ConcurrencyCache,
    channels_by_code,
    optional_text,
    require_agent,
    require_callnums_key,
    require_concurrency,
    require_fields,
    require_flag,
    require_lineage,
    require_text,
    require_time,
)
from reconciler.state.document.record_fields import read_record, record_fields
from reconciler.state.document.upgrade import JOURNAL_FORMATS, Ladder, Rung, climb
from reconciler.values import Struct


class RunOpened(Struct, frozen=True, kw_only=True):
    """The first entry of every journal: which state the rest is about."""

    site: str
    lineage: str | None
    """Of the snapshot the run began from, or what it has drawn for the first one; `None` in a first run's journal of an
    earlier version."""
    serial: int
    """Of the snapshot the run began from; a snapshot with a higher one already holds this journal."""
    run: str
    """The id of the lock's holder."""
    started_at: str
    operation: str | None = None
    """The command, for the history; like the next two `None` where it is not known."""
    who: str | None = None
    """`user@host`."""
    url: str | None = None
    """The page of the CI job."""


class Intended(Struct, frozen=True, kw_only=True):
    """These values are about to be sent: from here on the agent is in doubt."""

    agent: AgentId
    concurrency: Concurrency
    callnums_key: CallnumsKey
    team: str | None
    protected: bool
    at: str | None = None
    """When, for the history; `None` of what a run only may send, and in journals that do not say."""


class Acknowledged(Struct, frozen=True, kw_only=True):
    """The gateway answered "0" to what was intended."""

    agent: AgentId
    at: str
    session: str | None
    keep: bool = True
    """`False`: it was the last call to this agent, whose record is dropped."""


class NotApplied(Struct, frozen=True, kw_only=True):
    """What was intended did not take effect: the record from before the intent stands."""

    agent: AgentId
    at: str | None = None
    """When the gateway's last word came, or its silence was given up on; `None` when nothing is known of a call."""
    retcode: str | None = None
    """The gateway's word, if there was one."""


class Deferred(Struct, frozen=True, kw_only=True):
    """The agent was not there. What was intended, if anything was, did not take effect; the change waits."""

    agent: AgentId
    at: str
    retcode: str | None
    """The gateway's word; `None` when no session was known."""


class NotDue(Struct, frozen=True, kw_only=True):
    """The agent's change waited, and a run found nothing to send for the agent any more."""

    agent: AgentId


class Forgotten(Struct, frozen=True, kw_only=True):
    """The record was dropped without a call."""

    agent: AgentId


class Noted(Struct, frozen=True, kw_only=True):
    """Team and protection changed without a call."""

    agent: AgentId
    team: str | None
    protected: bool


class Written(Struct, frozen=True, kw_only=True):
    """A record was put there by hand, whatever was recorded before. No run does that."""

    agent: AgentId
    record: AgentRecord


Entry = Intended | Acknowledged | NotApplied | Deferred | NotDue | Forgotten | Noted | Written
"""What may follow the `RunOpened` of a journal."""

_RUN = frozenset({"format_version", "kind", "lineage", "run", "serial", "site", "started_at"})
_RUN_IF_ANY = frozenset({"operation", "url", "who"})
_FIELDS = {
    "intent": frozenset({"agent", "callnums_key", "channels", "kind", "protected", "team", "total"}),
    "acknowledged": frozenset({"agent", "at", "keep", "kind", "session"}),
    "not_applied": frozenset({"agent", "kind"}),
    "deferred": frozenset({"agent", "at", "kind", "retcode"}),
    "not_due": frozenset({"agent", "kind"}),
    "forgotten": frozenset({"agent", "kind"}),
    "noted": frozenset({"agent", "kind", "protected", "team"}),
    "written": frozenset({"agent", "kind", "record"}),
}
_IF_ANY = {"intent": frozenset({"at"}), "not_applied": frozenset({"at", "retcode"})}
"""Fields that are left out when there is nothing in them."""
_NONE: frozenset[str] = frozenset()


def _fields_of_run(run: RunOpened) -> dict[str, object]:
    return {
        "kind": "run",
        "format_version": FORMAT_VERSION,
        "site": run.site,
        "lineage": run.lineage,
        "serial": run.serial,
        "run": run.run,
        "started_at": run.started_at,
        **_if_any(operation=run.operation, who=run.who, url=run.url),
    }


def _fields_of(entry: Entry) -> dict[str, object]:
    match entry:
        case Intended():
            return {
                "kind": "intent",
                "agent": str(entry.agent),
                "total": entry.concurrency.total,
                "channels": channels_by_code(entry.concurrency),
                "callnums_key": entry.callnums_key.value,
                "team": entry.team,
                "protected": entry.protected,
                **_if_any(at=entry.at),
            }
        case Acknowledged(agent=agent, at=at, session=session, keep=keep):
            return {"kind": "acknowledged", "agent": str(agent), "at": at, "session": session, "keep": keep}
        case NotApplied(agent=agent, at=at, retcode=retcode):
            return {"kind": "not_applied", "agent": str(agent), **_if_any(at=at, retcode=retcode)}
        case Deferred(agent=agent, at=at, retcode=retcode):
            return {"kind": "deferred", "agent": str(agent), "at": at, "retcode": retcode}
        case NotDue(agent=agent):
            return {"kind": "not_due", "agent": str(agent)}
        case Forgotten(agent=agent):
            return {"kind": "forgotten", "agent": str(agent)}
        case Noted(agent=agent, team=team, protected=protected):
            return {"kind": "noted", "agent": str(agent), "team": team, "protected": protected}
        case Written(agent=agent, record=record):
            return {"kind": "written", "agent": str(agent), "record": record_fields(record)}
        case _:
            assert_never(entry)


def _if_any(**fields: str | None) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def write_entry(entry: RunOpened | Entry) -> bytes:
    """Return the JSON object of `entry`, on one line."""
    return orjson.dumps(_fields_of_run(entry) if isinstance(entry, RunOpened) else _fields_of(entry))


def read_run(payload: bytes, formats: Ladder = JOURNAL_FORMATS) -> tuple[RunOpened, tuple[Rung, ...]]:
    """Return the opening entry written as `payload`, and the steps which the entries behind it need.

    Raises:
        NewerFormatError: a newer version wrote this journal.
        ValueError: it is not the opening entry of a journal.
    """
    fields: object = orjson.loads(payload)
    if type(fields) is not dict or fields.get("kind") != "run":
        raise ValueError("a journal begins with a run, and this does not")
    rungs = formats.steps_from(fields.get("format_version"))
    fields = require_fields(climb(fields, rungs), _RUN, optional=_RUN_IF_ANY)
    lineage, serial = require_lineage(fields["lineage"], fields["serial"], written=False)
    run = RunOpened(
        site=require_text("site", fields["site"]),
        lineage=lineage,
        serial=serial,
        run=require_text("run", fields["run"]),
        started_at=require_time("started_at", fields["started_at"]),
        operation=optional_text("operation", fields.get("operation")),
        who=optional_text("who", fields.get("who")),
        url=optional_text("url", fields.get("url")),
    )
    return run, rungs


def read_entry(value: object, seen: ConcurrencyCache) -> Entry:
    """Return the entry written as the object `value`.

    Raises:
        ValueError: it is not an entry that may stand after the first.
    """
    kind = value.get("kind") if type(value) is dict else None
    if type(kind) is not str or kind not in _FIELDS:
        raise ValueError("this is no record of a journal")
    fields = require_fields(value, _FIELDS[kind], optional=_IF_ANY.get(kind, _NONE))
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
                at=_time_if_any(fields),
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
        case "deferred":
            return Deferred(
                agent=agent,
                at=require_time("at", fields["at"]),
                retcode=optional_text("retcode", fields["retcode"]),
            )
        case "not_due":
            return NotDue(agent=agent)
        case "forgotten":
            return Forgotten(agent=agent)
        case "written":
            return Written(agent=agent, record=read_record(fields["record"], seen))
        case _:
            return NotApplied(
                agent=agent, at=_time_if_any(fields), retcode=optional_text("retcode", fields.get("retcode"))
            )


def _time_if_any(fields: dict[str, object]) -> str | None:
    return require_time("at", fields["at"]) if "at" in fields else None
