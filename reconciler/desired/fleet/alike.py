"""Entries of one file that are written alike: kept in columns, and looked at one by one only where that is needed.

Rules of this file: a hundred thousand agents have some hundreds of distinct entries. What such an entry says is read
once, of a model that stands in a document of its own; whatever is asked of an entry is the model's answer, moved to
where the entry stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, repeat
from operator import add, sub
from typing import TypeVar, cast

from reconciler.desired.fleet.declarations import Declaration, Entry
from reconciler.desired.reading.marks import SHIFT
from reconciler.desired.reading.source_file import SourceFile
from reconciler.model.agent import AgentId, AgentRange
from reconciler.values import Struct

_BOTH_MARKS = (1 << SHIFT) + 1
"""What moves the marks of a key and of its value, which share one number, by one character."""
_Value = TypeVar("_Value")


class Model(Struct, frozen=True):
    """What entries of one text say."""

    declaration: Declaration
    """As read in a document of its own."""
    text_mark: int
    """Where the text begins there."""


class Columns(Struct, frozen=True, kw_only=True):
    """Entries in reading order, as columns of one length."""

    marks: Sequence[int]
    """Where each key stands."""
    quotes: Sequence[str]
    """What stands around each key."""
    firsts: Sequence[int]
    lasts: Sequence[int]
    """The ids of each; the last is the first unless it is a range."""
    texts: Sequence[str]
    """What stands behind each key's colon."""

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.marks)

    def only(self, wanted: Iterable[object]) -> Columns:
        """Return those entries for which `wanted`, one for each, is true."""
        picked = list(wanted)
        return Columns(**{name: list(compress(getattr(self, name), picked)) for name in self.__struct_fields__})


class Alike(Struct, frozen=True, kw_only=True):
    """Entries of one file."""

    file: SourceFile
    team: str | None
    """The file's: the team of those that name none."""
    columns: Columns
    models: Mapping[str, Model]
    """By text; there are those of other files among them."""

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.columns)

    def only(self, wanted: Iterable[object]) -> Alike:
        """Return those entries for which `wanted`, one for each, is true."""
        return Alike(file=self.file, team=self.team, columns=self.columns.only(wanted), models=self.models)

    def texts(self) -> set[str]:
        """Return the distinct texts."""
        return set(self.columns.texts)

    def team_of(self, text: str) -> str | None:
        """Return the team of whom `text` declares."""
        team = self.models[text].declaration.team
        return self.team if team is None else team

    def agents(self) -> Iterator[AgentId]:
        """Walk the agents of all entries, in reading order."""
        firsts, lasts = self.columns.firsts, self.columns.lasts
        single = firsts == lasts
        return cast(
            "Iterator[AgentId]",
            iter(firsts) if single else chain.from_iterable(map(range, firsts, map(add, lasts, repeat(1)))),
        )

    def for_each_agent(self, values: Iterable[_Value]) -> Iterator[_Value]:
        """Walk `values`, one for each entry, so that each comes once for each agent of its entry."""
        firsts, lasts = self.columns.firsts, self.columns.lasts
        if firsts == lasts:
            return iter(values)
        return chain.from_iterable(map(repeat, values, map(add, map(sub, lasts, firsts), repeat(1))))

    def declarations(self) -> Iterator[Declaration]:
        """Walk the entries as if each had been read by itself."""
        return map(self.declaration, range(len(self)))

    def declaration(self, index: int) -> Declaration:
        """Return the entry at `index` as if it had been read by itself."""
        text = self.columns.texts[index]
        span = AgentRange(AgentId(self.columns.firsts[index]), AgentId(self.columns.lasts[index]))
        protected = self.models[text].declaration.protected
        return Declaration(self._entry(index, span), span, self.team_of(text), protected)

    def moved(self, index: int, mark: int) -> int:
        """Return where that stands, of the entry at `index`, which has `mark` in its model."""
        columns = self.columns
        digits = len(str(columns.firsts[index]))
        if columns.firsts[index] != columns.lasts[index]:
            digits += 1 + len(str(columns.lasts[index]))
        text_mark = columns.marks[index] + digits + 2 * len(columns.quotes[index]) + 1
        return mark + text_mark - self.models[columns.texts[index]].text_mark

    def _entry(self, index: int, span: AgentRange) -> Entry:
        said = self.models[self.columns.texts[index]].declaration.entry
        by = self.moved(index, 0)
        marks = said.channel_marks
        return Entry(
            file=self.file,
            section=said.section,
            key=str(span),
            mark=self.columns.marks[index],
            base=said.base,
            base_mark=0 if said.base is None else said.base_mark + by,
            total=said.total,
            total_mark=0 if said.total is None else said.total_mark + by,
            channels=said.channels,
            channel_marks={label: packed + by * _BOTH_MARKS for label, packed in marks.items()} if marks else marks,
            faulty=False,
        )
