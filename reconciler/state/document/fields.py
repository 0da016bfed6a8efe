"""Exact checks of the fields that the state and its journal share.

Rules of this file: a value comes out typed or a `ValueError` says what it is and what it should be; `bool` is not
`int`, 9.0 is not 9, an unknown field is refused. No name of a file is known here: callers add the place.
"""

from __future__ import annotations

import functools
import re
import reprlib
from datetime import datetime
from typing import cast

from reconciler.model.agent import MIN_AGENT_ID, AgentId, parse_agent_id
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import MAX_ATTEMPTS

FORMAT_VERSION = "1.0"
MAX_SERIAL = 2**53 - 1  # the largest whole number that every JSON reader keeps exactly

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_LINEAGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
_KEYS = {key.value: key for key in CallnumsKey}
_LABELS = {channel.code: channel.label for channel in Channel}
_CODES = {channel: channel.code for channel in Channel}
_MAX_AGENT_DIGITS = 6
_SHOWN = 20

UPGRADE = "upgrade this reconciler to the version that wrote it; nothing was changed"

ConcurrencyCache = dict[str, Concurrency]
"""Agents of one profile share their values, so each distinct one is checked and built once."""


class NewerFormatError(ValueError):
    """Nothing is wrong with the document; this version is too old for it. The remedy is `UPGRADE`."""


def require_fields(
    value: object, wanted: frozenset[str], *, optional: frozenset[str] = frozenset()
) -> dict[str, object]:
    """Return `value` as an object with exactly the fields `wanted`, and `optional` ones or not."""
    if type(value) is not dict:
        raise ValueError(f"is {reprlib.repr(value)}, not an object")
    if value.keys() != wanted and value.keys() - optional != wanted:
        missing, unknown = sorted(wanted - value.keys()), sorted(value.keys() - wanted - optional)
        parts = [
            f"{word} {', '.join(names)}" for word, names in (("lacks", missing), ("has the unknown", unknown)) if names
        ]
        raise ValueError(" and ".join(parts))
    return value


def refuse_duplicate(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return these pairs as an object that has each key once; `json` calls it."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} is there more than once in one object")
        found[name] = value
    return found


def require_agent(value: object) -> AgentId:
    """Return the agent whose id is the text `value`."""
    if type(value) is not str:
        raise ValueError(f"agent is {reprlib.repr(value)}, not an agent id as text")
    # Told apart here at a fifth of the parser's cost, a hundred thousand times; what is doubted, the parser explains.
    if len(value) <= _MAX_AGENT_DIGITS and value.isdecimal() and value.isascii() and value[0] != "0":
        number = int(value)
        if number >= MIN_AGENT_ID:
            return AgentId(number)
    return parse_agent_id(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")


def require_count(name: str, value: object) -> int:
    """Return `value` if it is a whole number from 1 to `MAX_ATTEMPTS`."""
    if type(value) is int and 1 <= value <= MAX_ATTEMPTS:
        return value
    raise ValueError(f"{name} is {reprlib.repr(value)}, not a whole number from 1 to {MAX_ATTEMPTS}")


def require_lineage(lineage: object, serial: object, *, written: bool = True) -> tuple[str | None, int]:
    """Return a state's lineage and serial; both are there, or neither is.

    With `written=False` there may be a lineage at serial 0: that of a state that is about to be written first.
    """
    if type(serial) is not int or not 0 <= serial <= MAX_SERIAL:
        raise ValueError(f"serial is {reprlib.repr(serial)}, not a whole number from 0 to {MAX_SERIAL}")
    if lineage is None and serial == 0:
        return None, 0
    if type(lineage) is not str or _LINEAGE.fullmatch(lineage) is None:
        raise ValueError(f"lineage is {reprlib.repr(lineage)}, not a UUID in lower case")
    if serial == 0 and written:
        raise ValueError("serial is 0, and a state with a lineage was written at least once")
    return lineage, serial


def require_time(name: str, value: object) -> str:
    """Return `value` if it is a moment in UTC, written `YYYY-MM-DDTHH:MM:SSZ`."""
    if type(value) is str and _is_time(value):
        return value
    raise ValueError(f"{name} is {reprlib.repr(value)}, not a time such as '2026-01-31T09:30:00Z'")


@functools.lru_cache(maxsize=1 << 16)  # agents acknowledged in the same second share it
def _is_time(text: str) -> bool:
    try:
        return _TIME.fullmatch(text) is not None and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:  # the 30th of February
        return False


def optional_text(name: str, value: object) -> str | None:
    """Return `value` if it is text or nothing. The value itself is not shown: it may be anything, a secret too."""
    if value is None or type(value) is str:
        return value
    raise ValueError(f"{name} is a {type(value).__name__}, not text or null")


def require_text(name: str, value: object) -> str:
    """Return `value` if it is text with something in it."""
    if type(value) is not str or not value:
        raise ValueError(f"{name} is {reprlib.repr(value)}, not text")
    return value


def require_run(name: str, value: object) -> str:
    """Return `value` if it is the id of a run: short, and safe in a file's name."""
    if type(value) is str and _RUN.fullmatch(value):
        return value
    raise ValueError(f"{name} is {reprlib.repr(value)}, not the id of a run")


def require_flag(name: str, value: object) -> bool:
    """Return `value` if it is true or false."""
    if type(value) is not bool:
        raise ValueError(f"{name} is {reprlib.repr(value)}, not true or false")
    return value


def require_callnums_key(value: object) -> CallnumsKey:
    """Return the key spelling written `value`."""
    key = _KEYS.get(value) if type(value) is str else None
    if key is None:
        raise ValueError(f"callnums_key is {reprlib.repr(value)}, not {' or '.join(_KEYS)}")
    return key


def _build(total: object, channels: dict[str, object]) -> Concurrency:
    for name, number in (("total", total), *channels.items()):
        if type(number) is not int:
            raise ValueError(f"{_LABELS.get(name, name)} is {reprlib.repr(number)}, not a whole number")
    values = {Channel.from_code(code): cast("int", sessions) for code, sessions in channels.items()}
    return Concurrency.of(cast("int", total), values)


def require_concurrency(total: object, channels: object, seen: ConcurrencyCache) -> Concurrency:
    """Return the concurrency of these fields; equal ones are the same object."""
    if type(channels) is not dict:
        raise ValueError(f"channels is {reprlib.repr(channels)}, not an object")
    # By its text, since True == 1 and 9.0 == 9 as keys of a cache as elsewhere, and their texts differ.
    key = f"{total!r} {channels!r}"
    known = seen.get(key)
    if known is None:
        known = seen[key] = _build(total, channels)
    return known


def channels_by_code(concurrency: Concurrency) -> dict[str, int]:
    """Return the channels as documents write them, in order of their codes."""
    return {_CODES[channel]: sessions for channel, sessions in concurrency.channels}
