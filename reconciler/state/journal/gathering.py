"""Entries that go down together, in fewer words: alike ones share a record.

Rules of this file: gathering changes no meaning. An agent's entries keep their order, and those of different agents do
not depend on one another. What is alike by chance only (one intent, one acknowledgement) stays a record of its own, and
so does everything that is rare.

    {"kind": "intents", "at": …, "callnums_key": …,
     "values": [[total, channels, team, protected], …], "agents": {"1001": 0, "1002": 0, …}}
    {"kind": "acknowledgements", "at": …, "keep": …, "sessions": {"1001": "login-1", "1002": null, …}}
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import cast

import orjson

from reconciler.model.concurrency import Concurrency
from reconciler.state.document.fields import (
    ConcurrencyCache,
    channels_by_code,
    optional_text,
    require_agent,
    require_callnums_key,
    require_concurrency,
    require_fields,
    require_flag,
    require_time,
)
from reconciler.state.document.upgrade import Fields, Rung, climb
from reconciler.state.journal.entries import Acknowledged, Entry, Intended, read_entry, write_entry

_INTENTS, _ACKNOWLEDGEMENTS = "intents", "acknowledgements"
_FIELDS = {
    _INTENTS: frozenset({"agents", "at", "callnums_key", "kind", "values"}),
    _ACKNOWLEDGEMENTS: frozenset({"at", "keep", "kind", "sessions"}),
}
_PARTS = 4


def write_entries(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the records of `entries`, a JSON object each."""
    for alike in _gathered(entries):
        match alike:
            case [Intended(), Intended(), *_]:
                yield orjson.dumps(_intents(cast(Sequence[Intended], alike)))
            case [Acknowledged(), Acknowledged(), *_]:
                yield orjson.dumps(_acknowledgements(cast(Sequence[Acknowledged], alike)))
            case _:
                yield from map(write_entry, alike)


def read_entries(payload: bytes, seen: ConcurrencyCache, rungs: tuple[Rung, ...] = ()) -> Sequence[Entry]:
    """Return the entries of the record `payload`, brought up by the steps that `read_run` returned.

    Raises:
        ValueError: it is not a record that may stand after the first.
    """
    value: object = orjson.loads(payload)
    if rungs and type(value) is dict:
        value = climb(value, rungs)
    kind = value.get("kind") if type(value) is dict else None
    if type(kind) is not str or kind not in _FIELDS:
        return (read_entry(value, seen),)
    fields = require_fields(value, _FIELDS[kind])
    return tuple(_read_intents(fields, seen) if kind == _INTENTS else _read_acknowledgements(fields))


def _gathered(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield those that are alike together, and never anybody's later entry before an earlier one."""
    alike: dict[Hashable, list[Entry]] = {}
    agents = set[int]()
    for entry in entries:
        if entry.agent in agents:
            yield from alike.values()
            alike, agents = {}, set()
        agents.add(entry.agent)
        alike.setdefault(_shared(entry), []).append(entry)
    yield from alike.values()


def _shared(entry: Entry) -> Hashable:
    """Return what entries of one record have in common; nobody else has an agent's."""
    match entry:
        case Intended():
            return _INTENTS, entry.at, entry.callnums_key
        case Acknowledged():
            return _ACKNOWLEDGEMENTS, entry.at, entry.keep
        case _:
            return entry.agent


def _intents(entries: Sequence[Intended]) -> Fields:
    distinct = dict.fromkeys(map(_values, entries))
    numbers = {values: number for number, values in enumerate(distinct)}
    return {
        "kind": _INTENTS,
        "at": entries[0].at,
        "callnums_key": entries[0].callnums_key.value,
        "values": [
            [concurrency.total, channels_by_code(concurrency), team, protected]
            for concurrency, team, protected in distinct
        ],
        "agents": {str(each.agent): numbers[_values(each)] for each in entries},
    }


def _values(entry: Intended) -> tuple[Concurrency, str | None, bool]:
    return entry.concurrency, entry.team, entry.protected


def _acknowledgements(entries: Sequence[Acknowledged]) -> Fields:
    return {
        "kind": _ACKNOWLEDGEMENTS,
        "at": entries[0].at,
        "keep": entries[0].keep,
        "sessions": {str(each.agent): each.session for each in entries},
    }


def _read_intents(fields: Mapping[str, object], seen: ConcurrencyCache) -> Iterator[Entry]:
    at = None if fields["at"] is None else require_time("at", fields["at"])
    key = require_callnums_key(fields["callnums_key"])
    values = _read_values(fields["values"], seen)
    for agent, number in _require_some("agents", fields["agents"]).items():
        if type(number) is not int or not 0 <= number < len(values):
            raise ValueError(f"the values of agent {agent} are not among those of the record")
        concurrency, team, protected = values[number]
        yield Intended(
            agent=require_agent(agent), concurrency=concurrency, callnums_key=key, team=team, protected=protected, at=at
        )


def _read_values(value: object, seen: ConcurrencyCache) -> Sequence[tuple[Concurrency, str | None, bool]]:
    if type(value) is not list or not all(type(each) is list and len(each) == _PARTS for each in value):
        raise ValueError("values is not a list of lists of a total, channels, a team and a protection")
    return [
        (require_concurrency(total, channels, seen), optional_text("team", team), require_flag("protected", protected))
        for total, channels, team, protected in value
    ]


def _read_acknowledgements(fields: Mapping[str, object]) -> Iterator[Entry]:
    at, keep = require_time("at", fields["at"]), require_flag("keep", fields["keep"])
    for agent, session in _require_some("sessions", fields["sessions"]).items():
        yield Acknowledged(agent=require_agent(agent), at=at, session=optional_text("session", session), keep=keep)


def _require_some(name: str, value: object) -> dict[str, object]:
    if type(value) is not dict or not value:
        raise ValueError(f"{name} is not an object with agents in it")
    return value
