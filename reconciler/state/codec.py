"""The state as a document: `encode` and `decode`, the only two that know its layout.

Rules of this file: the same state gives the same bytes, keys sorted, one agent a line, so that a diff of two states can
be read; a document is decoded only if every field of it is exactly right, and then nothing of it is lost: unknown
fields and duplicate keys are refused, not dropped. No I/O. schemas/state.schema.json says the same to other tools.
"""

from __future__ import annotations

import json

import orjson

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.state.fields import (
    FORMAT_VERSION,
    UPGRADE,
    ConcurrencyCache,
    NewerFormatError,
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

RESTORE = "restore it from a backup or from version control"
_SITE = "check which environment was meant, and state.path in its site.yaml"

_DOCUMENT = frozenset({"agents", "format_version", "lineage", "serial", "site"})
_RECORD = frozenset({"acknowledged_at", "callnums_key", "channels", "protected", "session", "status", "team", "total"})
_STATUSES = {status.value: status for status in RecordStatus}
_BLURS = (b" :", b"\t:", b"\n:", b"\r:", b"\\")
"""A key may end in space, and a text may hold `":` if it is escaped. Neither is ever in a document of ours."""
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def _record_line(agent: AgentId, record: AgentRecord, codes: dict[int, dict[str, int]]) -> bytes:
    # Agents of one profile share one Concurrency, so the table by identity is small; `state` keeps its keys alive.
    channels = codes.get(id(record.concurrency))
    if channels is None:
        channels = codes[id(record.concurrency)] = channels_by_code(record.concurrency)
    fields = {
        "acknowledged_at": _written_time(record.status, record.acknowledged_at),
        "callnums_key": record.callnums_key,
        "channels": channels,
        "protected": record.protected,
        "session": record.session,
        "status": record.status,
        "team": record.team,
        "total": record.concurrency.total,
    }
    return b'    "%d": %b' % (agent, orjson.dumps(fields))


def encode(state: State) -> bytes:
    """Return the document of `state`: deterministic, and always one that `decode` reads back as the same value.

    Raises:
        ValueError: a field holds what no document may hold, such as a time that is none. That is a bug of the caller.
    """
    lineage, serial = require_lineage(state.lineage, state.serial)
    codes: dict[int, dict[str, int]] = {}
    ordered = sorted(state.agents.items(), key=lambda item: str(item[0]))
    agents = b",\n".join([_record_line(agent, record, codes) for agent, record in ordered])
    tail = {"format_version": FORMAT_VERSION, "lineage": lineage, "serial": serial, "site": state.site}
    lines = b",\n".join([b"  %b: %b" % (orjson.dumps(name), orjson.dumps(value)) for name, value in tail.items()])
    opening, closing = (b"{\n", b"\n  }") if agents else (b"{", b"}")
    return b"".join((b'{\n  "agents": ', opening, agents, closing, b",\n", lines, b"\n}\n"))


def _written_time(status: RecordStatus, value: object) -> str | None:
    if value is None and status is RecordStatus.IN_DOUBT:
        return None
    return require_time("acknowledged_at", value)


def _read_status(value: object) -> RecordStatus:
    status = _STATUSES.get(value) if type(value) is str else None
    if status is None:
        raise ValueError(f"status is not {' or '.join(_STATUSES)}")
    return status


def _read_record(value: object, seen: ConcurrencyCache) -> AgentRecord:
    fields = require_fields(value, _RECORD)
    status = _read_status(fields["status"])
    return AgentRecord(
        concurrency=require_concurrency(fields["total"], fields["channels"], seen),
        callnums_key=require_callnums_key(fields["callnums_key"]),
        acknowledged_at=_written_time(status, fields["acknowledged_at"]),
        session=optional_text("session", fields["session"]),
        team=optional_text("team", fields["team"]),
        protected=require_flag("protected", fields["protected"]),
        status=status,
    )


def _read_agents(value: object) -> dict[AgentId, AgentRecord]:
    if type(value) is not dict:
        raise ValueError("agents is not an object")
    seen: ConcurrencyCache = {}
    agents: dict[AgentId, AgentRecord] = {}
    for key, record in value.items():
        agent = require_agent(key)
        try:
            agents[agent] = _read_record(record, seen)
        except ValueError as error:
            raise ValueError(f"agent {agent}: {error}") from None
    return agents


def _refuse_duplicate(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} is there more than once in one object")
        found[name] = value
    return found


def _require_unique_keys(data: bytes, state: State) -> None:
    """Refuse a key that is there twice: of such, orjson silently keeps the last.

    Where nothing blurs the count, `":` stands behind each key and nowhere else. A key that was dropped leaves one too
    many, and only then (or where the count is blurred) is the document read again, slowly, to see and to name it.
    """
    records = state.agents.values()
    channels = sum([len(record.concurrency.channels) for record in records])
    keys = len(_DOCUMENT) + len(records) * (1 + len(_RECORD)) + channels
    if data.count(b'":') != keys or any(mark in data for mark in _BLURS):
        json.loads(data, object_pairs_hook=_refuse_duplicate)


def _parse(data: bytes) -> object:
    if not data.strip():
        raise ValueError("the state file is empty")
    if data.startswith(_BYTE_ORDER_MARKS):
        raise ValueError("the state file begins with a byte-order mark; it must be UTF-8 without one")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the state file is not JSON, or it is cut short: {error}") from None


def _read_document(data: bytes) -> State:
    document = _parse(data)
    if type(document) is not dict or "format_version" not in document:
        raise ValueError("this is not a state: it has no format_version")
    require_format(document["format_version"])  # first: a newer format may differ in everything else
    try:
        fields = require_fields(document, _DOCUMENT)
    except ValueError as error:
        raise ValueError(f"the state {error}") from None
    lineage, serial = require_lineage(fields["lineage"], fields["serial"])
    site = require_text("site", fields["site"])
    state = State(lineage=lineage, serial=serial, site=site, agents=_read_agents(fields["agents"]))
    _require_unique_keys(data, state)
    return state


def decode(data: bytes, *, site: str) -> State:
    """Return the state that the document `data` holds.

    Args:
        data: the whole document.
        site: the site whose state is wanted.

    Raises:
        StateError: it is damaged, of a newer format or of another site. The text names the agent and the field; the
            file's name is not known here.
    """
    try:
        state = _read_document(data)
    except RecursionError:
        raise StateError("the values of the state are nested too deeply", hint=RESTORE) from None
    except NewerFormatError as error:
        raise StateError(str(error), hint=UPGRADE) from None
    except ValueError as error:
        raise StateError(str(error), hint=RESTORE) from None
    if state.site != site:
        raise StateError(f"this is the state of site {state.site!r}, and {site!r} is wanted", hint=_SITE)
    return state
