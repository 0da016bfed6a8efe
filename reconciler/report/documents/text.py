"""Documents as JSON text that a person can read and a diff can show: one entry of each array a line.

Rule of this file: a document with an entry for every agent is put into words an entry at a time, so that whoever
writes it to a file holds one line of it and not half a gigabyte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from reconciler.values import Struct

Document = dict[str, object]
_T = TypeVar("_T")

# One encoder for all entries: making one costs more than encoding a change, and no document of ours holds itself.
compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False).encode
"""Returns the JSON text of a value, in one line."""


_MOST = 1024
"""Texts that are remembered at once: where nearly every entry has its own, they would come to be the whole document."""


class Once(dict[_T, str]):
    """The JSON text of values that many entries share, made when it is first asked for."""

    def __init__(self, document: Callable[[_T], object] = lambda value: value) -> None:
        """Begin with nothing written; `document` makes a value JSON-ready that is not so already."""
        super().__init__()
        self._document = document

    def __missing__(self, value: _T) -> str:
        """Write `value`."""
        if len(self) == _MOST:
            self.clear()
        text = self[value] = compact(self._document(value))
        return text


class Entries(Struct, frozen=True, kw_only=True):
    """An array of a document that may have an entry for every agent: each is made as it is written."""

    items: Sequence[Any]
    """What the entries are of."""
    document: Callable[[Any], Document]
    """Makes an entry: what one is, and the measure of what `writer` makes."""
    writer: Callable[[], Callable[[Any], str]]
    """Begins to put items into words: the text of their documents, in a fraction of the time."""

    def documents(self) -> list[Document]:
        """Return the entries."""
        return [self.document(item) for item in self.items]

    def texts(self) -> Iterator[str]:
        """Yield the JSON text of each entry."""
        return map(self.writer(), self.items)


def document_text(document: Mapping[str, object]) -> str:
    """Return `document` as text; of its values, lists and `Entries` have a line for each entry.

    A CI host that reads it in a log obeys none of it: `##[` orders something anywhere in a line.
    """
    return "".join(document_pieces(document))


def document_pieces(document: Mapping[str, object]) -> Iterator[str]:
    """Yield the text of `document` in pieces, none of them longer than an entry of an array."""
    yield "{\n"
    between = ""
    for name, value in document.items():
        yield f"{between}  {_harmless(compact(name))}: "
        match value:
            case Entries():
                yield from _array(value.texts())
            case list():
                yield from _array(map(compact, value))
            case _:
                yield _harmless(compact(value))
        between = ",\n"
    yield "\n}\n"


def _array(entries: Iterable[str]) -> Iterator[str]:
    before = "[\n    "
    for entry in entries:
        yield before
        yield _harmless(entry)
        before = ",\n    "
    yield "[]" if before == "[\n    " else "\n  ]"


def _harmless(text: str) -> str:
    """Return a whole JSON value as another that reads the same, and in which no CI host finds a command."""
    return text.replace("##", r"#\u0023") if "##" in text and ("##[" in text or "##vso[" in text) else text
