"""The records of a state's document, read line by line, which is several times as quick as reading it as JSON.

Rules of this file: it reads what `encode` writes, one agent a line and each line in one shape, and nothing else. Of any
other document it says `None`, and the plain way, which takes every layout and finds the words for what is wrong, reads
it: it is the oracle this way is held to. What many lines share is read by the plain way too, once for each distinct
text, and all that is left for each line is done column by column, without a call of Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import orjson

from reconciler.model.agent import MIN_AGENT_ID, AgentId
from reconciler.model.state import AgentRecord, Holding
from reconciler.state.document.fields import ConcurrencyCache, require_time
from reconciler.state.document.record_fields import RECORD, read_record, written_time
from reconciler.values import Struct

_OPENING, _CLOSING = b'{\n  "agents": {\n', b"\n  },\n"
_OWN = b'"acknowledged_at":"2000-01-01T00:00:00Z","session":null'
_CHUNK = 1 << 16
"""Bytes that are looked at together: few enough for a processor's cache, and for the pieces of them to be no burden."""
# Possessive throughout: nothing is ever tried twice. What stands in quotes is looked at afterwards, once for all. An
# empty text is left to the plain way, since a group that took no part looks the same.
_LINE = re.compile(
    rb'^    "([1-9][0-9]{2,5})": \{"acknowledged_at":(?:null|"([^"]++)"),'
    rb'("callnums_key":"[A-Za-z]*+","channels":\{[0-9":,]*+\},"protected":[a-z]*+),'
    rb'"session":(?:null|"([^"]++)"),("status":"[a-z_]*+","team":(?:null|"[^"]*+"),"total":[0-9]++)\},$',
    re.MULTILINE,
)


Tell = Callable[[int, int], None]
"""Takes how many records are read, and how many there are."""


class Cut(Struct, frozen=True):
    """A document of which the records are read already."""

    records: dict[AgentId, AgentRecord]
    rest: bytes
    """The document without them, still to be read."""


class _Known(Struct, frozen=True):
    """What was read of the texts that were seen."""

    concurrencies: ConcurrencyCache
    holdings: dict[bytes, dict[bytes, Holding]]
    """By what stands before the session, and then by what stands behind it."""
    moments: dict[bytes, str | None]


def cut_records(data: bytes, *, chunk: int = _CHUNK, tell: Tell | None = None) -> Cut | None:
    """Return the records of the document `data` and the rest of it, or `None` if only the plain way can read it."""
    end = data.find(_CLOSING)
    if not data.startswith(_OPENING) or end <= len(_OPENING):
        return None
    known, lines, total = _Known({}, {}, {b"": None}), 0, data.count(b"\n", len(_OPENING), end) + 1
    records: dict[AgentId, AgentRecord] = {}
    try:
        for piece in _chunks(data, len(_OPENING), end, size=chunk):
            lines += _read(piece, known, records)
            if tell is not None:
                tell(lines, total)
    except (ValueError, RecursionError):  # the plain way will say what it is
        return None
    if lines != len(records) or min(records) < MIN_AGENT_ID:
        return None
    return Cut(records, b'{"agents":{},' + data[end + len(_CLOSING) :])


def _chunks(data: bytes, start: int, end: int, *, size: int) -> Iterator[bytes]:
    """Yield the lines from `start` to `end`, some at a time, so that there is never a copy of them all."""
    while start <= end:  # at `end` itself an empty line would begin, and that is a line too
        stop = data.find(b"\n", start + size, end)
        yield data[start:stop] if stop >= 0 else data[start:end] + b","  # as behind every line but the last
        start = (stop if stop >= 0 else end) + 1


def _read(chunk: bytes, known: _Known, records: dict[AgentId, AgentRecord]) -> int:
    """Put the records of these lines among `records`, and return how many they are.

    Raises:
        ValueError: a line is not one that `encode` writes.
    """
    rows: list[tuple[bytes, bytes, bytes, bytes, bytes]] = _LINE.findall(chunk)
    if len(rows) != chunk.count(b"\n") + 1 or b"\\" in chunk:
        raise ValueError("a line is in another shape")
    agents, moments, befores, sessions, afters = zip(*rows, strict=True)
    for moment in {*moments}.difference(known.moments):
        known.moments[moment] = require_time("acknowledged_at", moment.decode())
    for before in {*befores}.difference(known.holdings):
        known.holdings[before] = {}
    held = known.holdings
    holdings = [
        held[before].get(after) or _learn(before, after, known) for before, after in zip(befores, afters, strict=True)
    ]
    if b"" in moments:
        _require_doubt(holding for holding, moment in zip(holdings, moments, strict=True) if not moment)
    made = map(AgentRecord, holdings, map(known.moments.__getitem__, moments), _texts(sessions))
    records.update(zip(cast("Iterator[AgentId]", map(int, agents)), made, strict=True))
    return len(rows)


def _require_doubt(without_a_time: Iterable[Holding]) -> None:
    for holding in without_a_time:
        written_time(holding.status, None)


def _learn(before: bytes, after: bytes, known: _Known) -> Holding:
    """Return what records share: read with any moment and no session, which each line has its own of."""
    value: object = orjson.loads(b"{%b,%b,%b}" % (_OWN, before, after))
    holding = read_record(value, known.concurrencies).holding
    # Of a key that is there twice orjson keeps the last; `":` stands behind each key and, without a `\`, nowhere else.
    if before.count(b'":') + after.count(b'":') != len(RECORD) - 2 + len(holding.concurrency.channels):
        raise ValueError("a key is there twice")
    known.holdings[before][after] = holding
    return holding


def _texts(values: Sequence[bytes]) -> list[str | None]:
    """Return these as texts, decoded all at once. What is unusual in one, be it harmless, is left to the plain way."""
    together = b'"'.join(values).decode()  # none of them has a quote in it
    if not together.isprintable():
        raise ValueError("a text has characters that are not printed")
    return [text or None for text in together.split('"')]
