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
from reconciler.state.document.fields import require_time
from reconciler.state.document.record_fields import record_fields, written_time
from reconciler.values import replace

_TOGETHER = 512
"""Lines that are made together: few enough for a processor's cache, and for their pieces to be no burden."""
_ANY_MOMENT = "2000-01-01T00:00:00Z"
_MOMENT, _SESSION, _TEAM = f'{{"acknowledged_at":"{_ANY_MOMENT}",'.encode(), b'"session":null', b'"team":null'
_NULL = b"null"
_FIRST, _NEXT = b'    "', b',\n    "'


class _Moments(dict[str | None, bytes]):
    """What stands from an agent's id to what the agent holds, by the time; made when it is first asked for."""

    def __missing__(self, moment: str | None) -> bytes:
        written = require_time("acknowledged_at", moment)
        text = self[moment] = f'": {{"acknowledged_at":"{written}",'.encode()  # no time has a quote in it
        return text


class _Texts(dict[str | None, bytes]):
    """Each text as JSON; made likewise."""

    def __missing__(self, value: str | None) -> bytes:
        text = self[value] = _json(value)
        return text


class _Surroundings(dict[Holding, tuple[bytes, bytes]]):
    """What stands before a session, and what behind it, as far as the id of the next agent; made likewise.

    Many holdings differ in their teams only, so all but the team is written once for these.
    """

    def __init__(self) -> None:
        super().__init__()
        self._teams = _Texts()
        self._around: dict[tuple[object, ...], tuple[bytes, bytes, bytes]] = {}

    def __missing__(self, holding: Holding) -> tuple[bytes, bytes]:
        # A concurrency by its identity: equal ones are mostly the same, and the records keep it alive meanwhile.
        alike = id(holding.concurrency), holding.callnums_key, holding.protected, holding.status
        around = self._around.get(alike) or self._around.setdefault(alike, _around_session_and_team(holding))
        before, between, after = around
        texts = self[holding] = before, between + self._teams[holding.team] + after
        return texts


def _around_session_and_team(holding: Holding) -> tuple[bytes, bytes, bytes]:
    text = _json(record_fields(AgentRecord(replace(holding, team=None), _ANY_MOMENT)))
    before, behind = text.removeprefix(_MOMENT).split(_SESSION)  # with no team and no session it has no text of others
    between, after = behind.split(_TEAM)
    return before + _SESSION.removesuffix(_NULL), between + _TEAM.removesuffix(_NULL), after + _NEXT


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
        yield b"".join(_pieces(some, list(islice(ordered, len(some))), moments, surroundings))
        lead = b",\n"
    yield b"\n  }" if agents else b"{}"


def _in_text_order(agents: Iterable[AgentId]) -> list[AgentId]:
    ordered = sorted(agents)
    if ordered and len(str(ordered[0])) != len(str(ordered[-1])):
        ordered.sort(key=str)
    return ordered


def _pieces(
    agents: Sequence[AgentId], records: Sequence[AgentRecord], moments: _Moments, surroundings: _Surroundings
) -> list[bytes]:
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
    pieces[0] = _FIRST + pieces[0]
    pieces[-1] = pieces[-1].removesuffix(_NEXT)
    return pieces


def _require_doubt(without_a_time: Iterable[AgentRecord]) -> None:
    for record in without_a_time:
        written_time(record.status, None)


def _json_each(values: Sequence[object]) -> list[bytes]:
    """Return each value as JSON, all written at once: within a JSON text is no line break, so they part there."""
    return orjson.dumps(values, option=orjson.OPT_INDENT_2)[4:-2].split(b",\n  ")


def _json(value: object) -> bytes:
    return orjson.dumps(value)
