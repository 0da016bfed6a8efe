"""The usual layout of a fleet file, cut into entries by a regular expression.

Rules of this file: it knows one layout, a section `agents:` whose entries stand one below the other, each beginning a
line with its key; what stands deeper belongs to the entry above. It does not know what an entry says, nor whether that
is YAML: whoever reads the pieces must see whether they are what they seem. Possessive throughout: nothing is ever tried
twice, so a hostile file costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from reconciler.values import Struct

_SECTION = re.compile(r"^agents: *+(?:(?<= )#[^\n\r]*+)?\n", re.MULTILINE)
_FILLER = r"(?: *+(?:#[^\n\r]*+)?\n)*+"
_FIRST_KEY = re.compile(rf"{_FILLER}( {{1,8}}+)[\"']?[1-9]")  # deeper is odd, and each depth has a pattern of its own
_NEXT_SECTION = re.compile(r"^[A-Za-z]", re.MULTILINE)
_COMMENT = r"(?:(?<= )#[^\n\r]*+)?"
# No anchors, aliases, tags or directives, which concern others; and no block scalars, which end in blank lines or not.
_LINE = r"[^\n\r#&*!|>%@`]*+"


@cache
def _entry(indent: int) -> re.Pattern[str]:
    deeper = rf"{_COMMENT}(?:\n *+(?:#[^\n\r]*+)?(?=\n))*+\n {{{indent + 1},}}+(?=[^\s#]){_LINE}"
    return re.compile(
        rf"^( {{{indent}}}([\"']?)([1-9][0-9]{{2,5}})(?:-([1-9][0-9]{{2,5}}))?\2:"
        rf"({_LINE}(?:{deeper})*+)"
        rf" *+{_COMMENT}(?:\n{_FILLER}|\Z))",
        re.MULTILINE,
    )


class Entries(Struct, frozen=True):
    """The entries of a file, in columns of one length, and what is around them. No first id is there twice."""

    text: str
    """The file."""
    section: int
    """Where the section's key stands."""
    indent: int
    """Blanks before each key."""
    marks: Sequence[int]
    """Where each one's line begins."""
    wholes: Sequence[str]
    """Each as it stands in the file, with the comments and empty lines behind it."""
    quotes: Sequence[str]
    """What stands around each key."""
    firsts: Sequence[str]
    lasts: Sequence[str]
    """The ids of each key; no last unless it is a range."""
    says: Sequence[str]
    """What stands behind each key's colon, but for a comment at its end."""

    def key(self, index: int) -> str:
        """Return the key of an entry as it is written."""
        first, last = self.firsts[index], self.lasts[index]
        return f"{first}-{last}" if last else first

    @property
    def end(self) -> int:
        """Where whatever follows the section begins; the end of the file if nothing does."""
        return self.marks[-1] + len(self.wholes[-1])

    def blanked(self, kept: Sequence[int]) -> str:
        """Return the file with only these of the entries in it, and everything in its place."""
        mark = self.marks[0]
        pieces = [self.text[:mark]]
        for index in kept:
            pieces += [_blanks(self.marks[index] - mark), self.wholes[index]]
            mark = self.marks[index] + len(self.wholes[index])
        if self.end < len(self.text):  # else nobody needs to read the blanks that would follow
            pieces += [_blanks(self.end - mark), self.text[self.end :]]
        return "".join(pieces)


def cut_entries(text: str) -> Entries | None:
    """Return the entries of the fleet file `text`, or `None` if it is laid out otherwise."""
    section = _SECTION.search(text)
    first = None if section is None else _FIRST_KEY.match(text, section.end())
    if section is None or first is None:
        return None
    found = _found(text, section, first, len(text))
    if found is None:
        following = _NEXT_SECTION.search(text, first.end())
        found = None if following is None else _found(text, section, first, following.start())
    return found


def _found(text: str, section: re.Match[str], first: re.Match[str], end: int) -> Entries | None:
    """Return the entries that `text` consists of from the first to `end`, or `None` if it holds anything else there."""
    indent, begin = len(first[1]), first.start(1)
    found = _entry(indent).findall(text, begin, end)
    if not found:
        return None
    wholes, quotes, firsts, lasts, says = zip(*found, strict=True)
    *marks, mark = accumulate(map(len, wholes), initial=begin)
    # The entries are as long as the text only if they are one behind the other, and nothing is between them.
    if mark != end or len(set(firsts)) < len(firsts):
        return None
    return Entries(text, section.start(), indent, marks, wholes, quotes, firsts, lasts, says)


def _blanks(length: int) -> str:
    return " " * (length - 1) + "\n" if length else ""
