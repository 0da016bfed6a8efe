"""The records of a state's document, read line by line: three times as quick as reading it as JSON.

Rules of this file: it reads what `encode` writes, one agent a line and each line in one shape, and nothing else. Of any
other document it says `None`, and the plain way, which takes every layout and finds the words for what is wrong, reads
it: it is the oracle this way is held to. What agents share (all but the time and the session) is read by the plain
way too, once for each distinct text.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from reconciler.model.agent import MIN_AGENT_ID, AgentId
from reconciler.model.state import AgentRecord, Holding
from reconciler.state.fields import ConcurrencyCache, refuse_duplicate
from reconciler.state.record_fields import read_record, written_time

_ANY_MOMENT = '"2000-01-01T00:00:00Z"'
_OPENING, _CLOSING = b'{\n  "agents": {\n', b"\n  },\n"
_TEXT = r'null|"[^"\\\x00-\x1f]*+"'
# Possessive throughout: nothing is ever tried twice.
_LINE = re.compile(
    rf'^    "([1-9][0-9]{{2,5}})": \{{"acknowledged_at":({_TEXT}),'
    r'("callnums_key":"[A-Za-z]*+","channels":\{[^{}\\\n]*+\},"protected":[a-z]*+),'
    rf'"session":({_TEXT}),("status":"[a-z_]*+","team":(?:{_TEXT}),"total":[0-9]++)\}},$',
    re.MULTILINE,
)


class Cut(NamedTuple):
    """A document of which the records are read already."""

    records: dict[AgentId, AgentRecord]
    rest: bytes
    """The document without them, still to be read."""


def cut_records(data: bytes) -> Cut | None:
    """Return the records of the document `data` and the rest of it, or `None` if only the plain way can read it."""
    end = data.find(_CLOSING)
    if not data.startswith(_OPENING) or end < len(_OPENING):
        return None
    try:
        records = _read(data[len(_OPENING) : end].decode() + ",")
    except (ValueError, RecursionError):  # the plain way will say what it is
        return None
    return None if records is None else Cut(records, b'{"agents":{},' + data[end + len(_CLOSING) :])


def _read(lines: str) -> dict[AgentId, AgentRecord] | None:
    rows: list[tuple[str, str, str, str, str]] = _LINE.findall(lines)
    if len(rows) != lines.count("\n") + 1:
        return None
    known: dict[tuple[str, str], Holding] = {}
    moments: dict[str, str | None] = {}
    seen: ConcurrencyCache = {}
    records: dict[AgentId, AgentRecord] = {}
    # One function and hardly a call within the loop: this is what reading a state of 100,000 agents takes.
    for agent, acknowledged_at, before, session, after in rows:
        holding = known.get((before, after)) or known.setdefault((before, after), _holding(before, after, seen))
        moment = moments.get(acknowledged_at)
        if moment is None:  # or there is none, which not every status may have
            moment = moments[acknowledged_at] = written_time(holding.status, _text(acknowledged_at))
        records[AgentId(int(agent))] = AgentRecord(holding, moment, None if session == "null" else session[1:-1])
    return records if len(records) == len(rows) and min(records) >= MIN_AGENT_ID else None


def _holding(before: str, after: str, seen: ConcurrencyCache) -> Holding:
    """Return what records share: read with any moment, which each line has its own of."""
    text = f'{{"acknowledged_at":{_ANY_MOMENT},{before},"session":null,{after}}}'
    return read_record(json.loads(text, object_pairs_hook=refuse_duplicate), seen).holding


def _text(value: str) -> str | None:
    return None if value == "null" else value[1:-1]
