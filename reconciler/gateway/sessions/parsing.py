"""Texts that hold sessions: a JSON array, JSON lines, CSV.

Rules of this file: strict, and all or nothing. A text with one bad session is refused as a whole, since half a list
would defer agents who are signed in. Every error names the place (entry, line) and never what stands there; the
libraries' own exceptions hold the text they failed on, so they become values first and are never chained.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.fields import (
    FIELDS,
    REQUIRED,
    RepeatedKey,
    SessionFieldError,
    near_field,
    read_session,
)
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.values import Struct

Sessions = dict[AgentId, Session]
Entries = Iterable[tuple[str, object]]

HINT = 'a session is {"agentId": "1001", "guid": "…"}; cookies (an object) and session (text) are optional'


class Malformed(Struct, frozen=True):
    """Stands in the place of a text that is not JSON."""

    why: str
    """In words, without anything of the text."""


def parse_array(raw: bytes, *, origin: str) -> Sessions:
    """Return the sessions of a JSON array.

    Raises:
        SessionSourceError: it is not one, or a session in it is bad; `origin` is what the error calls it.
    """
    document = load_json(_decode(raw, origin))
    if isinstance(document, Malformed):
        raise SessionSourceError(f"{origin} {document.why}", hint=HINT)
    if not isinstance(document, list):
        raise SessionSourceError(f"{origin} is JSON, but not an array of sessions", hint=HINT)
    return _collect(((f"entry {number}", entry) for number, entry in enumerate(document, 1)), origin)


def parse_lines(raw: bytes, *, origin: str) -> Sessions:
    """Return the sessions of a text with one JSON object a line; empty lines are skipped.

    Raises:
        SessionSourceError: a line is not JSON, or a session is bad; `origin` is what the error calls the text.
    """
    return _collect(_line_entries(_decode(raw, origin), origin), origin)


def parse_csv(raw: bytes, *, origin: str) -> Sessions:
    """Return the sessions of a CSV text whose first line names the columns; empty lines are skipped.

    Raises:
        SessionSourceError: it is not well-formed, or a session is bad; `origin` is what the error calls the text.
    """
    return _collect(_csv_entries(_decode(raw, origin), origin), origin)


def _collect(entries: Entries, origin: str) -> Sessions:
    sessions: Sessions = {}
    places: dict[AgentId, str] = {}
    for place, entry in entries:
        try:
            session = read_session(entry)
        except SessionFieldError as exc:
            raise SessionSourceError(f"{origin}, {place}: {exc}", hint=HINT) from None
        if session.agent in places:
            raise SessionSourceError(
                f"{origin} has agent {session.agent} twice, in {places[session.agent]} and {place}",
                hint="an agent has one session; which of two is the live one cannot be guessed",
            )
        sessions[session.agent], places[session.agent] = session, place
    return sessions


def _decode(raw: bytes, origin: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
    raise SessionSourceError(f"{origin}, line {line}: is not UTF-8", hint="write it in UTF-8")


def load_json(text: str) -> Any:
    """Return the document in `text`, with a `RepeatedKey` for an object that has a key twice, or `Malformed`."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as exc:
        return Malformed(f"is not JSON (line {exc.lineno}, column {exc.colno})")
    except RecursionError:
        return Malformed("is nested too deeply")
    except ValueError:  # a number of more than 4300 digits
        return Malformed("has a number that is too long")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | RepeatedKey:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else RepeatedKey()


def _line_entries(text: str, origin: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        document = load_json(line)
        if isinstance(document, Malformed):
            raise SessionSourceError(f"{origin}, line {number}: {document.why}", hint=f"one object a line: {HINT}")
        yield f"line {number}", document


def _csv_entries(text: str, origin: str) -> Iterator[tuple[str, object]]:
    columns: list[str] = []
    for number, row in _rows(text, origin):
        if not columns:
            columns = _columns(row, origin)
        elif len(row) != len(columns):
            raise SessionSourceError(f"{origin}, line {number}: has {len(row)} cells under {len(columns)} columns")
        else:
            yield f"line {number}", _cells(dict(zip(columns, row, strict=True)))
    if not columns:
        raise SessionSourceError(f"{origin} is empty; its first line must name the columns", hint=_COLUMNS_HINT)


_COLUMNS_HINT = f"columns are {', '.join(FIELDS)}; {' and '.join(REQUIRED)} are needed"


def _rows(text: str, origin: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1  # where the row begins; a quoted cell may run over several lines
        try:
            row = next(reader, None)
        except csv.Error:
            row = None
        else:
            if row is None:
                return
            if row:
                yield number, row
            continue
        raise SessionSourceError(f"{origin}, line {number}: is not well-formed CSV", hint="look at its quotation marks")


def _columns(row: list[str], origin: str) -> list[str]:
    # The names are not quoted: without a header line the first row is a session.
    unknown = [name for name in row if name not in FIELDS]
    if unknown:
        problem = f"names a column that is none of {', '.join(FIELDS)}{near_field(unknown[0])}"
    elif len(set(row)) != len(row):
        problem = "names a column twice"
    elif not set(REQUIRED) <= set(row):
        problem = f"does not name the columns {' and '.join(REQUIRED)}"
    else:
        return row
    raise SessionSourceError(f"{origin}: its first line {problem}", hint=_COLUMNS_HINT)


def _cells(cells: dict[str, str]) -> dict[str, Any]:
    # An empty optional cell is an absent field.
    fields: dict[str, Any] = {name: cell for name, cell in cells.items() if cell or name in REQUIRED}
    if "cookies" in fields:
        fields["cookies"] = read_cookie_text(fields["cookies"])
    return fields


def read_cookie_text(cell: str) -> Any:
    """Return the cookies written as a JSON object or as `a=b; c=d`; what is neither is refused as being no object."""
    if cell.lstrip().startswith("{"):
        return load_json(cell)  # `Malformed` is no object either
    pairs = [pair.partition("=") for pair in cell.split(";") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        return cell
    return _object([(name.strip(), value.strip()) for name, _, value in pairs])
