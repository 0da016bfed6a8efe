"""A strict reading of JSON documents: exact types, no unknown fields, no field twice, and the place in every message.

A parser here is a function from a JSON value to something narrower that raises `ValueError` with a sentence; `located`
puts the place in front of it, so that a message reads `changes[3].before.total: true is not a whole number`.
What is no proper number (`NaN`, five thousand digits) is read as a value that every parser refuses, so that it too is
refused by its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from reconciler.model.printable import printable
from reconciler.values import Struct

_T = TypeVar("_T")
_D = TypeVar("_D")
_E = TypeVar("_E", bound=Enum)

Parser = Callable[[Any], _T]

_BOM = b"\xef\xbb\xbf"
_MOST_DIGITS = 20  # Python refuses to read, and worse, to show, numbers of more than 4300


class MisreadError(ValueError):
    """A value is not what its place wants."""

    def __init__(self, reason: str, place: str = "") -> None:
        """Keep both: whoever knows more of the place puts it in front."""
        super().__init__(f"{place.removeprefix('.')}: {reason}" if place else reason)
        self.reason = reason
        self.place = place


class ContradictionError(MisreadError):
    """A value is what its place wants, and what stands elsewhere in the document says otherwise."""


class _NoNumber(Struct, frozen=True):
    """Something that stood where a number stands."""

    words: str


def parse_json(data: bytes) -> object:
    """Return the value of the JSON text `data`.

    Raises:
        ValueError: it is not UTF-8 JSON, names a field twice, or nests too deep.
    """
    if not data.strip():
        raise ValueError("the file is empty")
    if data.startswith(_BOM):
        raise ValueError("it begins with a byte order mark, which JSON does not allow")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_NoNumber, parse_int=_whole_or_none
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("nested deeper than any document of ours") from error


class Members(str):
    """What stands between the braces of an object in JSON, not yet taken apart: `"agent": "1001", "attempts": 1`."""

    __slots__ = ()


class Fields:
    """The fields of one JSON object; every one must be asked for, or `finish` refuses it."""

    __slots__ = ("_rest",)

    def __init__(self, value: object) -> None:
        """Take the object, or refuse whatever else it is."""
        if isinstance(value, Members):
            value = parse_json(f"{{{value}}}".encode())
        if not isinstance(value, dict):
            raise MisreadError(f"{shown(value)} is not an object")
        self._rest: dict[str, Any] = dict(value)

    def take(self, name: str, parse: Parser[_T]) -> _T:
        """Return field `name`, parsed; a missing one is refused."""
        if name not in self._rest:
            raise MisreadError("is missing", f".{name}")
        return located(f".{name}", parse, self._rest.pop(name))

    def take_or(self, name: str, parse: Parser[_T], default: _D) -> _T | _D:
        """Return field `name`, parsed, or `default` where there is none."""
        return self.take(name, parse) if name in self._rest else default

    def remaining(self) -> dict[str, Any]:
        """Return what nobody has asked for yet, as it is."""
        return self._rest

    def finish(self) -> None:
        """Refuse what nobody asked for: it may mean something to a newer version."""
        if self._rest:
            raise MisreadError(f"unknown field {shown(min(self._rest))}")


def located(place: str, parse: Parser[_T], value: object) -> _T:
    """Return `parse(value)`, with `place` (`.name` or `[3]`) in front of what it says against it."""
    try:
        return parse(value)
    except MisreadError as error:
        raise type(error)(error.reason, place + error.place) from None
    except ValueError as error:
        raise MisreadError(str(error), place) from None


def listed(parse: Parser[_T]) -> Parser[tuple[_T, ...]]:
    """Return a parser of arrays of what `parse` reads."""

    def read(value: object) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise MisreadError(f"{shown(value)} is not an array")
        return tuple(located(f"[{index}]", parse, item) for index, item in enumerate(value))

    return read


def optional(parse: Parser[_T]) -> Parser[_T | None]:
    """Return a parser that also takes null."""
    return lambda value: None if value is None else parse(value)


def word_of(kind: type[_E]) -> Parser[_E]:
    """Return a parser of the values of `kind`."""
    members = {str(member.value): member for member in kind}
    return keyed(members)


def keyed(members: dict[str, _T]) -> Parser[_T]:
    """Return a parser of the words of `members`."""

    def read(value: object) -> _T:
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise MisreadError(f"{shown(value)} is none of {', '.join(members)}")
        return member

    return read


def text(value: object) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise MisreadError(f"{shown(value)} is not text")
    return value


def whole(value: object) -> int:
    """Read a whole number; `true` and `1.0` are none."""
    if type(value) is not int:
        raise MisreadError(f"{shown(value)} is not a whole number")
    return value


def count(value: object) -> int:
    """Read a whole number of things."""
    if whole(value) < 0:
        raise MisreadError(f"{shown(value)} is less than 0")
    return whole(value)


def number(value: object) -> float:
    """Read a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MisreadError(f"{shown(value)} is not a number")
    if math.isinf(value):  # 1e999, which JSON allows and nobody can count with
        raise MisreadError("is larger than any number of ours")
    return value


def truth(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise MisreadError(f"{shown(value)} is not true or false")
    return value


def instant(value: object) -> str:
    """Read a time that names its offset."""
    try:
        aware = datetime.fromisoformat(text(value)).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise MisreadError(f"{shown(value)} is not a time with its offset, such as 2026-01-31T09:30:00Z")
    return text(value)


def shown(value: object) -> str:
    """Return a JSON value in a few words, whatever is in it."""
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case _NoNumber():
            return value.words
        case str():
            return printable(json.dumps(value[:60], ensure_ascii=True), limit=60)
        case _:
            return json.dumps(value)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"field {shown(twice)} stands twice in one object")
    return fields


def _whole_or_none(digits: str) -> object:
    return int(digits) if len(digits) <= _MOST_DIGITS else _NoNumber(f"a number of {len(digits)} digits")
