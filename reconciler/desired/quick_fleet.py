"""Fleet files of the usual layout, read entry by entry: five times as quick as reading them whole.

Rules of this file: it knows one layout, `agents:` last in the file and its entries one below the other, two blanks in.
They are cut apart by a regular expression, and each distinct text is read once, by the plain way: a hundred thousand
agents have some hundreds of them. Of a file that is laid out otherwise, or has few entries alike, it says `None`. An
entry that something is wrong with, and whatever else is in the file, is left to the plain way, which is given the file
with the other entries blanked out, so that everything stays in its place. The plain way is the oracle: what comes out
is what it would have said of the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from reconciler.desired.declarations import Declaration, Entry, collect
from reconciler.desired.marks import SHIFT
from reconciler.desired.source_file import SourceFile
from reconciler.desired.yaml_reader import read_yaml
from reconciler.model.agent import MIN_AGENT_ID, AgentId, AgentRange

_SECTION = "agents:\n"
_PLAIN = r"[^\n\r#\"'&*!|>%@`\[\]{}?]*+"
_FILLER = r"(?: *+(?:#[^\n\r]*+)?\n)*+"
_LEAD = re.compile(_FILLER)
# Possessive throughout: nothing is ever tried twice, so a hostile file costs no more than its length.
_ENTRY = re.compile(
    r'^  ("?)([1-9][0-9]{2,5}(?:-[1-9][0-9]{2,5})?)\1:'
    rf"( \{{{_PLAIN}(?:\{{{_PLAIN}\}}{_PLAIN})?\}}|(?:\n    [a-z]++:(?: {_PLAIN}(?:\{{{_PLAIN}\}})?)?)++)"
    rf"( *+(?:(?<= )#[^\n\r]*+)?\n{_FILLER})",
    re.MULTILINE,
)
_STUB = "agents:\n  101:"
ALIKE = 4
"""Of so many entries one may be new; were there more, reading each by itself would take longer than reading all."""
_BOTH_MARKS = (1 << SHIFT) + 1
"""What moves the marks of a key and of its value, which share one number, by one character."""


class Row(NamedTuple):
    """An entry as cut out."""

    key: str
    mark: int
    """Where the entry's line begins; the key is two blanks further."""
    body: str
    """What stands behind the colon, but for a comment at its end."""
    body_mark: int
    end: int


class Cut(NamedTuple):
    """A file in two."""

    fine: Sequence[Row]
    """Entries that nothing is wrong with."""
    others: Sequence[str]
    """The keys of the entries left in the rest; the first is always, to show that the layout is as it seems."""
    rest: str
    """The file with the fine entries blanked out."""


class Cutter:
    """Cuts the files of one environment, and remembers what each text of an entry says."""

    def __init__(self, is_valid: Callable[[Any], bool], *, alike: int = ALIKE) -> None:
        """Take what tells whether the value of a fleet file is valid, and of how many entries one may be new."""
        self._is_valid = is_valid
        self._alike = alike
        self._known: dict[str, Declaration | None] = {}

    def cut(self, text: str) -> Cut | None:
        """Return the file in two, or `None` if it is to be read as a whole."""
        start = 0 if text.startswith(_SECTION) else text.find(f"\n{_SECTION}") + 1
        rows = _rows(text, start + len(_SECTION)) if start or text.startswith(_SECTION) else []
        new = {row.body for row in rows} - self._known.keys()
        keys = {row.key for row in rows}
        if len(new) * self._alike > len(rows) or len(keys) < len(rows) or not rows:
            return None
        self._known.update((body, self._read(body)) for body in new)
        others = [row for index, row in enumerate(rows) if not index or not self._is_fine(row)]
        left = {row.mark for row in others}
        fine = [row for row in rows if row.mark not in left]
        return Cut(fine, [row.key for row in others], _blanked(text, rows[0].mark, others))

    def declarations(self, fine: Sequence[Row], file: SourceFile, *, team: str | None) -> Iterator[Declaration]:
        """Return what the fine entries of `file` declare; `team` has those that name none."""
        for row in fine:
            model = self._known[row.body]
            if model is not None:
                yield _moved(model, row, file, team)

    def _is_fine(self, row: Row) -> bool:
        return self._known[row.body] is not None and _is_span(row.key)

    def _read(self, body: str) -> Declaration | None:
        """Return what an entry of this text declares, or `None` if something is wrong with it."""
        document = read_yaml("", f"{_STUB}{body}\n")
        if document.problems or not self._is_valid(document.value) or list(document.value["agents"]) != ["101"]:
            return None
        (declaration,) = collect(document, ()).declarations
        return declaration


def _rows(text: str, begin: int) -> list[Row]:
    """Return the entries that the rest of `text` consists of, from `begin`; none if it holds anything else."""
    lead = _LEAD.match(text, begin)
    mark = begin if lead is None else lead.end()
    rows: list[Row] = []
    for quote, key, body, filler in _ENTRY.findall(text, mark):
        body_mark = mark + 2 + 2 * len(quote) + len(key) + 1
        end = body_mark + len(body) + len(filler)
        rows.append(Row(key, mark, body, body_mark, end))
        mark = end
    # The pieces are as long as the text only if they are one behind the other, and nothing is between them.
    return rows if mark == len(text) else []


def _blanked(text: str, begin: int, others: Sequence[Row]) -> str:
    pieces, mark = [text[:begin]], begin
    for row in others:
        pieces += [_blanks(row.mark - mark), text[row.mark : row.end]]
        mark = row.end
    return "".join(pieces)  # what would follow are blanks, which nobody needs to read


def _blanks(length: int) -> str:
    return " " * (length - 1) + "\n" if length else ""


def _is_span(key: str) -> bool:
    first, _, last = key.partition("-")
    return MIN_AGENT_ID <= int(first) <= int(last or first)


def _moved(model: Declaration, row: Row, file: SourceFile, team: str | None) -> Declaration:
    """Return what `model` declares as declared in `row`."""
    said, by = model.entry, row.body_mark - len(_STUB)
    first, _, last = row.key.partition("-")
    marks = said.channel_marks
    entry = Entry(
        file=file,
        section=said.section,
        key=row.key,
        mark=row.mark + 2,
        base=said.base,
        base_mark=0 if said.base is None else said.base_mark + by,
        total=said.total,
        total_mark=0 if said.total is None else said.total_mark + by,
        channels=said.channels,
        channel_marks={label: packed + by * _BOTH_MARKS for label, packed in marks.items()} if marks else marks,
        faulty=False,
    )
    span = AgentRange(AgentId(int(first)), AgentId(int(last or first)))
    return Declaration(entry, span, team if model.team is None else model.team, model.protected)
