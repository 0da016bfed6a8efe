"""Documents that somebody had in hand: changed in their structure and laid out as ours are, so that quick readers try.

A document is taken apart into `Members`, lists and the words of everything else, a few things are done to it, and it is
written again in the same layout. Last of all, a line or some bytes may be changed too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

WORDS = [
    "null", "true", "false", "0", "1", "-0", "-1", "1.0", "1e0", "01", "60", "61", "9007199254740993", "1e999",
    "NaN", "-Infinity", "9" * 25, "9" * 5000, '""', '"x"', '"1001"', '"\\u0031001"', '"\\ud800"', '"\x7f"', '"\\u0000"',
    '"\t"', '"\\x"', '"é"', '"\u2028"', '"%s"' % ("a" * 70), '":"', '"},"', '"a\\"b"', '"##[x]"', '"in_doubt"',
    '"acknowledged"', '"callnums"', '"2026-02-30T00:00:00Z"', '"2026-01-31T09:30:00Z"', "[]", "{}", "[[]]", '{"a":1}',
    '{"path": "", "line": 1}', '{"line": 7, "path": "b.yaml"}', '{"path": "a.yaml", "line": 1000000000}',
    '{"path": "\\x", "line": 1}', '"set"', '"changed"', '"added"', "[" * 2000 + "]" * 2000, "",
]  # fmt: skip
"""What may stand where a value stands; much of it is no JSON."""
NAMES = [
    '"agent"', '"agents"', '"changes"', '"cause"', '"source"', '"path"', '"team"', '"total"', '"51"', '"5\\u0031"',
    '"50"', '"54"', '"1001"', '"\\u0031001"', '"999999"', '"100"', '"1000000"', '"0101"', '"+101"', '"x"', '""',
    '" 51"', '"format_version"', '"site"', '"serial"', '"outcomes"', "x", '"pending"', '"open_run"',
]  # fmt: skip
SLIPS = [
    b"", b" ", b"\n", b"\r", b"\t", b",", b'"', b"\\", b"{", b"}", b":", b"0", b"e1", b".0", b"\x00", b"\xff",
    b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\n  },\n", b"}\n  ]", b"},\n    {", b"\\u0031", b"[", b"]", b"##[",
]  # fmt: skip


class Members(list[Any]):
    """The members of an object, name and value, as they are written: one may be there twice, or have no proper name."""


def take_apart(text: str) -> Members:
    """Return the document `text`, every word of it as it would be written."""
    document = json.loads(text, object_pairs_hook=lambda pairs: Members((json.dumps(n), v) for n, v in pairs))
    whole = _worded(document)
    assert isinstance(whole, Members)
    return whole


def _worded(value: object) -> object:
    match value:
        case Members():
            return Members((name, _worded(each)) for name, each in value)
        case list():
            return [_worded(each) for each in value]
        case _:
            return json.dumps(value, ensure_ascii=False)


def tampered(text: str, write: Callable[[object], str], chance: Random) -> bytes:
    """Return the document `text` with a few things done to it; `write` knows its layout."""
    document = take_apart(text)
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
        _tamper(document, chance)
    data = write(document).encode()
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        data = chance.choice([_lines_changed, _bytes_changed])(data, chance)
    return data


def _holders(value: object) -> Iterator[list[Any]]:
    """Yield every object and array in `value` that has something in it."""
    if isinstance(value, list) and value:
        yield value
        for each in value:
            yield from _holders(each[1] if isinstance(value, Members) else each)


def _tamper(document: Members, chance: Random) -> None:
    """Do one thing to one object or array of `document`."""
    holders = list(_holders(document))  # never none: a document has more fields than are dropped
    holder, other = chance.choice(holders), chance.choice(holders)
    at, to = chance.randrange(len(holder)), chance.randrange(len(holder))
    match chance.randrange(7):
        case 0 | 1:
            _put(holder, at, chance.choice(WORDS))
        case 2:
            _put(holder, at, compact(_value(other, chance.randrange(len(other)))))
        case 3 if isinstance(holder, Members):
            holder[at] = chance.choice([*NAMES, holder[to][0]]), holder[at][1]
        case 4:
            holder.insert(to, holder[at])
        case 5:
            del holder[at]
        case _:
            holder[at], holder[to] = holder[to], holder[at]


def _value(holder: list[Any], at: int) -> object:
    return holder[at][1] if isinstance(holder, Members) else holder[at]


def _put(holder: list[Any], at: int, word: str) -> None:
    holder[at] = (holder[at][0], word) if isinstance(holder, Members) else word


def _lines_changed(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(7):
        case 0:
            lines[at], lines[to] = lines[to], lines[at]
        case 1:
            lines.insert(to, lines[at])
        case 2:
            del lines[at]
        case 3:
            lines[at] += b","
        case 4:
            lines[at] = lines[at].removesuffix(b",")
        case 5:
            lines.insert(to, b"")
        case _:
            del lines[at:]
    return b"\n".join(lines)


def _bytes_changed(data: bytes, chance: Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(SLIPS) + data[at + chance.choice([0, 0, 1, 2, 9]) :]


def compact(value: object, *, between: str = ", ", behind: str = ": ") -> str:
    """Write `value` in one line."""
    match value:
        case Members():
            inside = (f"{name}{behind}{compact(each, between=between, behind=behind)}" for name, each in value)
            return f"{{{between.join(inside)}}}"
        case list():
            return f"[{between.join(compact(each, between=between, behind=behind) for each in value)}]"
        case _:
            return str(value)


def laid_out(value: object, *, between: str = ", ", behind: str = ": ") -> str:
    """Write a document as ours are: a line for each field and each entry of an array and of an object of objects."""
    if not isinstance(value, Members):
        return compact(value)
    fields = (f"  {name}: {_field(each, between, behind)}" for name, each in value)
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _field(value: object, between: str, behind: str) -> str:
    def write(each: object) -> str:
        return compact(each, between=between, behind=behind)

    match value:
        case Members() if any(isinstance(each, Members) for _, each in value):
            return "{\n    " + ",\n    ".join(f"{name}: {write(each)}" for name, each in value) + "\n  }"
        case Members() | []:
            return write(value)
        case list():
            return "[\n    " + ",\n    ".join(map(write, value)) + "\n  ]"
        case _:
            return write(value)
