"""The state as a document: `encode` and `decode`, the only two that know its layout.

Rules of this file: the same state gives the same bytes, keys sorted, one agent a line, so that a diff of two states can
be read; a document is decoded only if every field of it is exactly right, and then nothing of it is lost: unknown
fields and duplicate keys are refused, not dropped. No I/O. schemas/state.schema.json says the same to other tools.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from itertools import chain, repeat
from typing import TypeVar

import orjson

from reconciler.collector import paused_collector
from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, Holding, OpenRun, Pending, State
from reconciler.state.document.fields import (
    FORMAT_VERSION,
    UPGRADE,
    ConcurrencyCache,
    NewerFormatError,
    optional_text,
    refuse_duplicate,
    require_agent,
    require_count,
    require_fields,
    require_lineage,
    require_run,
    require_text,
    require_time,
)
from reconciler.state.document.quick_records import Tell, cut_records
from reconciler.state.document.record_fields import RECORD, read_record
from reconciler.state.document.record_lines import record_lines
from reconciler.state.document.upgrade import STATE_FORMATS, Ladder, climb
from reconciler.values import replace

RESTORE = (
    "restore it from a backup or from version control; if there is none, move it away: everybody is new then, and "
    "`reconciler state adopt` records what is known to be in force"
)
_SITE = (
    "check which environment was meant, and the section state of its site.yaml; if the site was renamed, let its state "
    "follow with `reconciler state mv-site OLD NEW`"
)

_DOCUMENT = frozenset({"agents", "format_version", "lineage", "serial", "site"})
_IF_ANY = frozenset({"open_run", "pending"})
"""Left out when there is none."""
_OPEN_RUN = frozenset({"run", "since", "who"})
_PENDING = frozenset({"attempts", "first_deferred_at", "last_deferred_at", "retcode"})
_BLURS = (b" :", b"\t:", b"\n:", b"\r:", b"\\")
"""A key may end in space, and a text may hold `":` if it is escaped. Neither is ever in a document of ours."""
_E = TypeVar("_E")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def _json(value: object) -> bytes:
    return orjson.dumps(value)


def _pending_lines(waiting: Mapping[AgentId, Pending]) -> Iterator[bytes]:
    for lead, agent in zip(chain((b"{",), repeat(b",")), sorted(waiting, key=str), strict=False):
        yield b'%b\n    "%d": %b' % (lead, agent, _json(_pending_fields(waiting[agent])))
    yield b"\n  }"


def _pending_fields(pending: Pending) -> dict[str, object]:
    return {
        "attempts": require_count("attempts", pending.attempts),
        "first_deferred_at": require_time("first_deferred_at", pending.first_deferred_at),
        "last_deferred_at": require_time("last_deferred_at", pending.last_deferred_at),
        "retcode": pending.retcode,
    }


def _open_run_object(open_run: OpenRun) -> bytes:
    since = require_time("since", open_run.since)
    return _json({"run": require_run("run", open_run.run), "since": since, "who": open_run.who})


@paused_collector()
def encode(state: State) -> bytes:
    """Return the document of `state`: deterministic, and always one that `decode` reads back as the same value.

    Raises:
        ValueError: a field holds what no document may hold, such as a time that is none. That is a bug of the caller.
    """
    lineage, serial = require_lineage(state.lineage, state.serial)
    parts: dict[bytes, Iterable[bytes]] = {
        b"agents": record_lines(state.agents),
        b"format_version": (_json(FORMAT_VERSION),),
        b"lineage": (_json(lineage),),
        **({b"open_run": (_open_run_object(state.open_run),)} if state.open_run else {}),
        **({b"pending": _pending_lines(state.pending)} if state.pending else {}),
        b"serial": (_json(serial),),
        b"site": (_json(state.site),),
    }
    document = BytesIO()  # which takes the pieces as they are made, and gives away what it has without a copy
    for lead, (name, pieces) in zip(chain((b"{",), repeat(b",")), parts.items(), strict=False):
        document.write(b'%b\n  "%b": ' % (lead, name))
        document.writelines(pieces)
    document.write(b"\n}\n")
    return document.getvalue()


def _read_pending(value: object) -> Pending:
    fields = require_fields(value, _PENDING)
    return Pending(
        first_deferred_at=require_time("first_deferred_at", fields["first_deferred_at"]),
        last_deferred_at=require_time("last_deferred_at", fields["last_deferred_at"]),
        attempts=require_count("attempts", fields["attempts"]),
        retcode=optional_text("retcode", fields["retcode"]),
    )


def _read_open_run(value: object) -> OpenRun:
    fields = require_fields(value, _OPEN_RUN)
    return OpenRun(
        run=require_run("run", fields["run"]),
        since=require_time("since", fields["since"]),
        who=require_text("who", fields["who"]),
    )


def _read_shared(value: object, seen: ConcurrencyCache, alike: dict[Holding, Holding]) -> AgentRecord:
    """Return the record of this object; records that hold equal things hold the same one."""
    record = read_record(value, seen)
    holding = alike.setdefault(record.holding, record.holding)
    return AgentRecord(holding, record.acknowledged_at, record.session)


def _read_by_agent(name: str, value: object, read: Callable[[object], _E]) -> dict[AgentId, _E]:
    if type(value) is not dict:
        raise ValueError(f"{name} is not an object")
    entries: dict[AgentId, _E] = {}
    for key, entry in value.items():
        agent = require_agent(key)
        try:
            entries[agent] = read(entry)
        except ValueError as error:
            raise ValueError(f"agent {agent}: {error}") from None
    return entries


def _require_unique_keys(data: bytes, state: State, *, upgraded: bool) -> None:
    """Refuse a key that is there twice: of such, orjson silently keeps the last.

    Where nothing blurs the count, `":` stands behind each key and nowhere else. A key that was dropped leaves one too
    many, and only then (or where the count is blurred) is the document read again, slowly, to see and to name it. The
    keys of an older format are others, so there the slow way is the only one.
    """
    records = state.agents.values()
    channels = sum([len(record.concurrency.channels) for record in records])
    waiting = len(state.pending) * (1 + len(_PENDING)) + (1 if state.pending else 0)
    opened = 1 + len(_OPEN_RUN) if state.open_run else 0
    keys = len(_DOCUMENT) + len(records) * (1 + len(RECORD)) + channels + waiting + opened
    if upgraded or data.count(b'":') != keys or any(mark in data for mark in _BLURS):
        json.loads(data, object_pairs_hook=refuse_duplicate)


def _parse(data: bytes) -> object:
    if not data.strip():
        raise ValueError("the state file is empty")
    if data.startswith(_BYTE_ORDER_MARKS):
        raise ValueError("the state file begins with a byte-order mark; it must be UTF-8 without one")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the state file is not JSON, or it is cut short: {error}") from None


def _read_document(data: bytes, formats: Ladder, tell: Tell | None) -> State:
    cut = cut_records(data, tell=tell)
    if cut is not None:
        # Only a document of today's format may be read so; of any other, and of a wrong one, the plain way tells.
        with contextlib.suppress(ValueError):
            state = _read_plainly(cut.rest, Ladder(current=formats.current))
            return replace(state, agents=cut.records)
    return _read_plainly(data, formats)


def _read_plainly(data: bytes, formats: Ladder) -> State:
    document = _parse(data)
    if type(document) is not dict or "format_version" not in document:
        raise ValueError("this is not a state: it has no format_version")
    rungs = formats.steps_from(document["format_version"])  # first: another format may differ in everything else
    document = climb(document, rungs)
    try:
        fields = require_fields(document, _DOCUMENT, optional=_IF_ANY)
    except ValueError as error:
        raise ValueError(f"the state {error}") from None
    lineage, serial = require_lineage(fields["lineage"], fields["serial"])
    site = require_text("site", fields["site"])
    seen: ConcurrencyCache = {}
    alike: dict[Holding, Holding] = {}
    state = State(
        lineage=lineage,
        serial=serial,
        site=site,
        agents=_read_by_agent("agents", fields["agents"], lambda record: _read_shared(record, seen, alike)),
        pending=_read_by_agent("pending", fields.get("pending", {}), _read_pending),
        open_run=_read_open_run(fields["open_run"]) if "open_run" in fields else None,
    )
    _require_unique_keys(data, state, upgraded=bool(rungs))
    return state


def decode(data: bytes, *, site: str, formats: Ladder = STATE_FORMATS, tell: Tell | None = None) -> State:
    """Return the state that the document `data` holds.

    Args:
        data: the whole document.
        site: the site whose state is wanted.
        formats: the versions that can be read.
        tell: called now and then, while a large document as `encode` writes it is read.

    Raises:
        StateError: it is damaged, of a newer format or of another site. The text names the agent and the field; the
            file's name is not known here.
    """
    try:
        with paused_collector():
            state = _read_document(data, formats, tell)
    except RecursionError:
        raise StateError("the values of the state are nested too deeply", hint=RESTORE) from None
    except NewerFormatError as error:
        raise StateError(str(error), hint=UPGRADE) from None
    except ValueError as error:
        raise StateError(str(error), hint=RESTORE) from None
    if state.site != site:
        raise StateError(f"this is the state of site {state.site!r}, and {site!r} is wanted", hint=_SITE)
    return state
