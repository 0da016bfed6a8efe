"""Fleet files of the usual layout, read entry by entry, which is several times as quick as reading them whole.

Rules of this file: each distinct text of an entry is read once, by the plain way, in a document of its own: a hundred
thousand agents have some hundreds of them. An entry that something is wrong with, and whatever else is in the file, is
left to the plain way, which is given the file with the other entries blanked out, so that everything stays in its
place. Of a file that is laid out otherwise it says `None`. The plain way is the oracle: what comes out is what it would
have said of the whole file. What is done here for each entry is done by the columns, in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress, count
from operator import not_
from typing import Any

from reconciler.desired.bounds import FURTHER, MAX_PROBLEMS
from reconciler.desired.fleet.alike import Columns, Model
from reconciler.desired.fleet.declarations import Entry, collect
from reconciler.desired.fleet.layout import Entries, cut_entries
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.model.agent import MIN_AGENT_ID
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct

_ENTRY = 3
"""Tokens of a pointer to an entry, with the empty one that it begins with."""


class Cut(Struct, frozen=True):
    """A file in two."""

    fine: Columns
    """Entries that nothing is wrong with."""
    others: Mapping[str, int]
    """The keys of the entries left in the rest, and where they stand. The first is always left."""
    rest: str
    """The file with the fine entries blanked out."""
    section: int
    """Where the key `agents` stands."""
    following: int | None
    """Where the next key at the margin stands; `None` if none does."""
    models: Mapping[str, Model]
    """What the texts of the fine entries say, by text; there are those of other files among them."""

    def is_borne_out(self, rest: YamlDocument) -> bool:
        """Tell whether the rest as read bears out the cut: each piece of it is a key where it stands.

        Then what is between two of them, which was read by itself, can belong to neither: whatever the one opens, it
        closes, or the other would be no key. What else is wrong with a piece is its own.
        """
        agents = rest.value.get("agents") if isinstance(rest.value, dict) else None
        if not isinstance(agents, dict) or list(agents) != list(self.others):
            return False
        margin = {rest.marks.key(rest.value, key) for key in rest.value}
        found = {key: rest.marks.key(agents, key) for key in agents}
        return found == self.others and {self.section, self.following} - {None} <= margin

    def may_be_blamed_by(self, problem: Diagnostic) -> bool:
        """Tell whether `problem`, found in the rest, may count against a fine entry: by its name, or without a place.

        Such a name can come of a second section of agents, which is refused and searched for problems all the same.
        """
        tokens = problem.pointer.split("/")[1:_ENTRY]  # such as agents and 1001
        named = tokens[1] if len(tokens) > 1 and tokens[0] == "agents" else None
        return problem.code == FURTHER or (named is not None and named not in self.others)


class Cutter:
    """Cuts the files of one environment, and remembers what each text of an entry says."""

    def __init__(self, is_valid: Callable[[Any], bool]) -> None:
        """Take what tells whether the value of a fleet file is valid."""
        self._is_valid = is_valid
        self._models: dict[str, Model] = {}
        self._wrong: set[str] = set()
        """Texts that something is wrong with."""

    def cut(self, text: str) -> Cut | None:
        """Return the file in two, or `None` if it is to be read as a whole."""
        entries = cut_entries(text)
        if entries is None or not self._learn(entries.says):
            return None
        firsts = list(map(int, entries.firsts))
        lasts = [int(last) if last else first for last, first in zip(entries.lasts, firsts, strict=True)]
        left = self._left(entries, firsts, lasts)
        others = [index for index, is_left in enumerate(left) if is_left]
        if len(others) > MAX_PROBLEMS:
            return None  # since not all that is wrong would be told one by one, and nobody knows of whom it is not
        marks = [mark + entries.indent for mark in entries.marks]
        columns = Columns(marks=marks, quotes=entries.quotes, firsts=firsts, lasts=lasts, texts=entries.says)
        return Cut(
            fine=columns.only(map(not_, left)),
            others={entries.key(index): marks[index] for index in others},
            rest=entries.blanked(others),
            section=entries.section,
            following=entries.end if entries.end < len(text) else None,
            models=self._models,
        )

    def _left(self, entries: Entries, firsts: Sequence[int], lasts: Sequence[int]) -> list[bool]:
        """Tell of each entry whether it is left to the plain way: the first, and those that something is wrong with."""
        wrong = self._wrong and not self._wrong.isdisjoint(entries.says)
        left = [text in self._wrong for text in entries.says] if wrong else [False] * len(firsts)
        left[0] = True
        if min(firsts) < MIN_AGENT_ID:
            left = [is_left or first < MIN_AGENT_ID for is_left, first in zip(left, firsts, strict=True)]
        for index in compress(count(), entries.lasts):
            left[index] = left[index] or lasts[index] <= firsts[index]
        return left

    def _learn(self, texts: Sequence[str]) -> bool:
        """Read the texts that are new, and tell whether each of them can be read by itself."""
        # Not by `-`, which would walk over all that other files have taught for each file anew.
        new = {text for text in texts if text not in self._models and text not in self._wrong}
        read = self._read(sorted(new)) if new else {}
        if read is None:
            return False
        self._models.update(read)
        self._wrong |= new - read.keys()
        return True

    def _read(self, texts: Sequence[str]) -> dict[str, Model] | None:
        """Return what entries of these texts say, without those that something is wrong with.

        `None` if it cannot be told which: then one of them does not end where it seems to. They stand one blank deep,
        as no entry stands less: what is deeper than its key is so there too, and how much says nothing.
        """
        keys = [str(MIN_AGENT_ID + number) for number in range(len(texts))]
        entries = [f" {key}:{text}\n" for key, text in zip(keys, texts, strict=True)]
        document = read_yaml("", "agents:\n" + "".join(entries))
        agents = document.value.get("agents") if isinstance(document.value, dict) else None
        if not isinstance(agents, dict) or list(agents) != keys:
            return None
        problems = [*document.problems, *self._refused(document, agents)]
        pointers = [problem.pointer.split("/") for problem in problems]  # such as /agents/101/total
        if any(len(tokens) < _ENTRY for tokens in pointers):
            return None
        wrong = {tokens[_ENTRY - 1] for tokens in pointers}
        of_key = dict(zip(keys, texts, strict=True))
        fine = [each for each in collect(document, problems).declarations if each.entry.key not in wrong]
        return {of_key[each.entry.key]: Model(each, _text_mark(each.entry)) for each in fine}

    def _refused(self, document: YamlDocument, agents: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Yield a problem for each entry that is not valid."""
        if not self._is_valid(document.value):
            for key, value in agents.items():
                if not self._is_valid({"agents": {key: value}}):
                    yield document.file.problem("invalid", "", mark=0, tokens=("agents", key))


def _text_mark(entry: Entry) -> int:
    return entry.mark + len(entry.key) + 1
