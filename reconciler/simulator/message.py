"""The message body, read against Tables 3 and 4 of the reference.

Rules of this file: bytes in, a `Setting` or `RefusedError` (000-006) out; no I/O. A JSON Number here is an integer:
`true`, `9.0` and `"9"` are refused, and so is an object that says one key twice. Details name the place, and never
quote what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.simulator import reference
from reconciler.simulator.exchange import RefusedError
from reconciler.simulator.rules import Spelling
from reconciler.values import Struct

_TOTAL = "totalCallNum"
_CHANNELS = "agentMediaCallNums"
_MEDIA_TYPE = "mediaType"


class Setting(Struct, frozen=True, kw_only=True):
    """The numbers that one message sets, or that are live for one agent."""

    total: int
    channels: Mapping[int, int]
    """By media type, in the order of their codes."""


def _refuse(detail: str) -> RefusedError:
    return RefusedError(reference.BAD_MESSAGE, detail)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _refuse("an object names one key twice")
    return document


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError):
        raise _refuse("the body is not JSON in UTF-8") from None


def _require_object(value: Any, where: str, *, keys: tuple[str, ...], closed: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse(f"{where} is not an object")
    if closed and not value.keys() <= set(keys):
        raise _refuse(f"{where} has a key other than {', '.join(keys)}")
    return value


def _require_number(value: Any, where: str, allowed: range) -> int:
    if type(value) is not int:
        raise _refuse(f"{where} is missing or not an integer")
    if value not in allowed:
        raise _refuse(f"{where} is not in {allowed.start}-{allowed.stop - 1}")
    return value


def _read_channel(row: Any, where: str, *, number_key: str, spelling: Spelling) -> tuple[int, int]:
    strict = spelling is Spelling.STRICT
    document = _require_object(row, where, keys=(_MEDIA_TYPE, number_key), closed=strict)
    code = document.get(_MEDIA_TYPE)
    if type(code) is not int or code not in reference.MEDIA_TYPES:
        raise _refuse(f"{where}.{_MEDIA_TYPE} is missing or not a media type")
    number = document.get(number_key, None if strict else 0)
    return code, _require_number(number, f"{where}.{number_key}", reference.CHANNEL_NUMBERS)


def _read_channels(rows: Any, *, number_key: str, spelling: Spelling) -> dict[int, int]:
    if not isinstance(rows, list):
        raise _refuse(f"{_CHANNELS} is missing or not an array")
    channels: dict[int, int] = {}
    for position, row in enumerate(rows):
        where = f"{_CHANNELS}[{position}]"
        code, number = _read_channel(row, where, number_key=number_key, spelling=spelling)
        if code in channels:
            raise _refuse(f"{where} repeats a media type")
        channels[code] = number
    return dict(sorted(channels.items()))


def read_setting(body: bytes, *, number_key: str, spelling: Spelling) -> Setting:
    """Return what a message body sets.

    Args:
        body: the body as received.
        number_key: the spelling of a channel's number that is understood.
        spelling: what to do where that key is missing.

    Raises:
        RefusedError: the body is not what Tables 3 and 4 describe.
    """
    closed = spelling is Spelling.STRICT
    document = _require_object(_decode(body), "the message", keys=(_TOTAL, _CHANNELS), closed=closed)
    total = _require_number(document.get(_TOTAL), _TOTAL, reference.TOTALS)
    channels = _read_channels(document.get(_CHANNELS), number_key=number_key, spelling=spelling)
    return Setting(total=total, channels=channels)
