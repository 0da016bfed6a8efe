"""The records of a state as lines of its document, one agent a line, keys sorted: the way back of `quick_records`.

Rule of this file: what agents have alike is written once, by `record_fields`, which alone knows the layout of a record;
what is left for each line is done column by column, some lines at a time, so that there is never a second copy of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import orjson

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, Holding
from reconciler.state.fields import channels_by_code, require_time
from reconciler.state.record_fields import record_fields, written_time

_TOGETHER = 1024
"""Lines that are made together: few enough for a processor's cache, and for their pieces to be no burden."""
_ANY_MOMENT = "2000-01-01T00:00:00Z"
_MOMENT, _SESSION = f'{{"acknowledged_at":"{_ANY_MOMENT}",'.encode(), b'"session":null'
_NEXT = b',\n    "'


class _Moments(dict[str | None, bytes]):
    """What stands from an agent's id to what the agent holds, by the time; made when it is first asked for."""

    def __missing__(self, moment: str | None) -> bytes:
        written = require_time("acknowledged_at", moment)
        text = self[moment] = f'": {{"acknowledged_at":"{written}",'.encode()  # no time has a quote in it
        return text


class _Surroundings(dict[Holding, tuple[bytes, bytes]]):
    """What stands before a session, and what behind it, as far as the id of the next agent; made likewise."""

    def __init__(self) -> None:
        super().__init__()
        self._channels: dict[int, dict[str, int]] = {}  # by identity of a concurrency, which the records keep alive

    def __missing__(self, holding: Holding) -> tuple[bytes, bytes]:
        value = holding.concurrency
        codes = self._channels.get(id(value)) or self._channels.setdefault(id(value), channels_by_code(value))
        text = _json(record_fields(AgentRecord(holding, _ANY_MOMENT), codes))
        before, after = text.removeprefix(_MOMENT).split(_SESSION)  # no text within has a quote that is not escaped
        around = self[holding] = before + _SESSION.removesuffix(b"null"), after + _NEXT
        return around


def record_lines(records: Mapping[AgentId, AgentRecord], *, together: int = _TOGETHER) -> Iterator[bytes]:
    """Yield the pieces of the object that has these records, in text order of the ids.

    Raises:
        ValueError: a time is none, or an acknowledged record has none.
    """
    moments, surroundings = _Moments({None: b'": {"acknowledged_at":null,'}), _Surroundings()
    agents = _in_text_order(records)
    ordered = iter(records.values()) if agents == list(records) else map(records.__getitem__, agents)
    lead = b"{\n"
    for start in range(0, len(agents), together):
        some = agents[start : start + together]
        yield lead
        yield _lines(some, list(islice(ordered, len(some))), moments, surroundings)
        lead = b",\n"
    yield b"\n  }" if agents else b"{}"


def _in_text_order(agents: Iterable[AgentId]) -> list[AgentId]:
    ordered = sorted(agents)
    if ordered and len(str(ordered[0])) != len(str(ordered[-1])):
        ordered.sort(key=str)
    return ordered


def _lines(
    agents: Sequence[AgentId], records: Sequence[AgentRecord], moments: _Moments, surroundings: _Surroundings
) -> bytes:
    times = [record.acknowledged_at for record in records]
    if None in times:
        _require_doubt(record for record in records if record.acknowledged_at is None)
    befores, afters = zip(*[surroundings[record.holding] for record in records], strict=True)
    columns: tuple[Sequence[bytes], ...] = (
        _json(agents)[1:-1].split(b","),
        [moments[time] for time in times],
        befores,
        _json_each([record.session for record in records]),
        afters,
    )
    pieces = [b""] * (len(columns) * len(agents))
    for place, column in enumerate(columns):
        pieces[place :: len(columns)] = column
    return b'    "' + b"".join(pieces).removesuffix(_NEXT)


def _require_doubt(without_a_time: Iterable[AgentRecord]) -> None:
    for record in without_a_time:
        written_time(record.status, None)


def _json_each(values: Sequence[object]) -> list[bytes]:
    """Return each value as JSON, all written at once: within a JSON text is no line break, so they part there."""
    return orjson.dumps(values, option=orjson.OPT_INDENT_2)[4:-2].split(b",\n  ")


def _json(value: object) -> bytes:
    return orjson.dumps(value)
