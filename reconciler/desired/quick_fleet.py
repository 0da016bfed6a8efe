"""Fleet files of the usual layout, read entry by entry: ten times as quick as reading them whole.

Rules of this file: it knows one layout, `agents:` last in the file and its entries one below the other, two blanks in.
They are cut apart by a regular expression, and each distinct text is read once, by the plain way: a hundred thousand
agents have some hundreds of them. Of a file that is laid out otherwise it says `None`. An entry that something is wrong
with, and whatever else is in the file, is left to the plain way, which is given the file with the other entries blanked
out, so that everything stays in its place. The plain way is the oracle: what comes out is what it would have said of
the whole file. What is done here for each entry is done by the columns, in C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, compress, count
from operator import not_
from typing import Any, NamedTuple

from reconciler.desired.alike import Columns, Model
from reconciler.desired.declarations import Entry, collect
from reconciler.desired.yaml_reader import read_yaml
from reconciler.model.agent import MIN_AGENT_ID

_SECTION = "agents:\n"
_PLAIN = r"[^\n\r#\"'&*!|>%@`\[\]{}?]*+"
_FILLER = r"(?: *+(?:#[^\n\r]*+)?\n)*+"
_LEAD = re.compile(_FILLER)
# Possessive throughout: nothing is ever tried twice, so a hostile file costs no more than its length.
_ENTRY = re.compile(
    r'^(  ("?)([1-9][0-9]{2,5})(?:-([1-9][0-9]{2,5}))?\2:'
    rf"( \{{{_PLAIN}(?:\{{{_PLAIN}\}}{_PLAIN})?\}}|(?:\n    [a-z]++:(?: {_PLAIN}(?:\{{{_PLAIN}\}})?)?)++)"
    rf" *+(?:(?<= )#[^\n\r]*+)?\n{_FILLER})",
    re.MULTILINE,
)
ALIKE = 4
"""Of so many entries one may be new where one of the new ones is wrong: to find it, each is read by itself."""


class Cut(NamedTuple):
    """A file in two."""

    fine: Columns
    """Entries that nothing is wrong with."""
    others: Sequence[str]
    """The keys of the entries left in the rest; the first is always, to show that the layout is as it seems."""
    rest: str
    """The file with the fine entries blanked out."""


class _Found(NamedTuple):
    """Entries as the regular expression finds them, in columns, and where each begins; no first id is there twice."""

    marks: Sequence[int]
    wholes: Sequence[str]
    quotes: Sequence[str]
    firsts: Sequence[str]
    lasts: Sequence[str]
    texts: Sequence[str]

    def key(self, index: int) -> str:
        """Return the key of an entry as it is written."""
        first, last = self.firsts[index], self.lasts[index]
        return f"{first}-{last}" if last else first

    def blanked(self, text: str, others: Sequence[int]) -> str:
        """Return the file `text` with only these entries in it, each in its place."""
        mark = self.marks[0]
        pieces = [text[:mark]]
        for index in others:
            whole = self.wholes[index]
            pieces += [_blanks(self.marks[index] - mark), whole]
            mark = self.marks[index] + len(whole)
        return "".join(pieces)  # what would follow are blanks, which nobody needs to read


class Cutter:
    """Cuts the files of one environment, and remembers what each text of an entry says."""

    def __init__(self, is_valid: Callable[[Any], bool], *, alike: int = ALIKE) -> None:
        """Take what tells whether the value of a fleet file is valid, and of how many entries one may be new."""
        self._is_valid = is_valid
        self._alike = alike
        self.models: dict[str, Model] = {}
        self._wrong: set[str] = set()
        """Texts that something is wrong with."""

    def cut(self, text: str) -> Cut | None:
        """Return the file in two, or `None` if it is to be read as a whole."""
        start = 0 if text.startswith(_SECTION) else text.find(f"\n{_SECTION}") + 1
        found = _found(text, start + len(_SECTION)) if start or text.startswith(_SECTION) else None
        if found is None or not self._learn(found.texts):
            return None
        firsts = list(map(int, found.firsts))
        lasts = [int(last) if last else first for last, first in zip(found.lasts, firsts, strict=True)]
        left = self._left(found, firsts, lasts)
        columns = Columns(marks=found.marks, quotes=found.quotes, firsts=firsts, lasts=lasts, texts=found.texts)
        others = [index for index, is_left in enumerate(left) if is_left]
        return Cut(columns.only(map(not_, left)), [found.key(index) for index in others], found.blanked(text, others))

    def _left(self, found: _Found, firsts: Sequence[int], lasts: Sequence[int]) -> list[bool]:
        """Tell of each entry whether it is left to the plain way: the first, and those that something is wrong with."""
        wrong = self._wrong and not self._wrong.isdisjoint(found.texts)
        left = [text in self._wrong for text in found.texts] if wrong else [False] * len(found.texts)
        left[0] = True
        if min(firsts) < MIN_AGENT_ID:
            left = [is_left or first < MIN_AGENT_ID for is_left, first in zip(left, firsts, strict=True)]
        for index in compress(count(), found.lasts):
            left[index] = left[index] or lasts[index] <= firsts[index]
        return left

    def _learn(self, texts: Sequence[str]) -> bool:
        """Read the texts that are new, and tell whether that was worth it."""
        new = set(texts) - self.models.keys() - self._wrong
        read = self._read(sorted(new)) if new else {}
        if read is None:
            if len(new) * self._alike > len(texts):
                return False
            read = {text: model for each in new for text, model in (self._read([each]) or {}).items()}
        self.models.update(read)
        self._wrong |= new - read.keys()
        return True

    def _read(self, texts: Sequence[str]) -> dict[str, Model] | None:
        """Return what entries of these texts say, or `None` if something is wrong with one of them."""
        keys = [str(MIN_AGENT_ID + number) for number in range(len(texts))]
        entries = [f"  {key}:{text}\n" for key, text in zip(keys, texts, strict=True)]
        document = read_yaml("", _SECTION + "".join(entries))
        if document.problems or not self._is_valid(document.value) or list(document.value["agents"]) != keys:
            return None
        declarations = collect(document, ()).declarations
        return {text: Model(each, _text_mark(each.entry)) for text, each in zip(texts, declarations, strict=True)}


def _text_mark(entry: Entry) -> int:
    return entry.mark + len(entry.key) + 1


def _found(text: str, begin: int) -> _Found | None:
    """Return the entries that the rest of `text` consists of, from `begin`, or `None` if it holds anything else."""
    lead = _LEAD.match(text, begin)
    mark = begin if lead is None else lead.end()
    found = _ENTRY.findall(text, mark)
    if not found:
        return None
    wholes, quotes, firsts, lasts, texts = zip(*found, strict=True)
    *marks, end = accumulate(map(len, wholes), initial=mark)
    # The entries are as long as the text only if they are one behind the other, and nothing is between them.
    return _Found(marks, wholes, quotes, firsts, lasts, texts) if end == len(text) and _differ(firsts) else None


def _differ(values: Sequence[str]) -> bool:
    return len(set(values)) == len(values)


def _blanks(length: int) -> str:
    return " " * (length - 1) + "\n" if length else ""
