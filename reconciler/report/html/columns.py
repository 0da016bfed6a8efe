"""The columns of a table that may have a hundred thousand rows, with every distinct value kept and written once.

Rule of this file: what a value shares with the one before it, such as the path of a file whose lines follow each other,
is not written again. `report.js` puts all of it together again.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from reconciler.model.printable import printable
from reconciler.values import Struct


class Words(Struct, frozen=True, kw_only=True):
    """The cells of one column, each made of pieces, such as the edits of an agent."""

    pieces: tuple[str, ...]
    """Each distinct piece once, printable."""
    lists: tuple[tuple[int, ...], ...]
    """Each distinct cell once: the places of its pieces in `pieces`."""
    cells: tuple[int, ...]
    """For each row, the place of its cell in `lists`."""

    @classmethod
    def of(cls, cells: Iterable[tuple[str, ...]], *, limit: int = 300) -> Words:
        """Return the cells with every distinct value kept once; a piece has at most `limit` characters."""
        distinct: dict[tuple[str, ...], int] = {}
        places = tuple([distinct.setdefault(cell, len(distinct)) for cell in cells])
        pieces: dict[str, int] = {}
        lists = tuple([tuple([pieces.setdefault(each, len(pieces)) for each in cell]) for cell in distinct])
        return cls(pieces=tuple(printable(each, limit=limit) for each in pieces), lists=lists, cells=places)


class Column(Struct, frozen=True, kw_only=True):
    """A column: whole numbers, or words."""

    name: str
    label: str
    cells: Words | tuple[int, ...]
    choice: str = ""
    """Set where rows can be chosen by the value: what the choice is called that chooses none, such as `every team`."""
    badges: bool = False
    """Whether its values are words of our own, which the stylesheet colours."""
    separator: str = ", "
    """What stands between two pieces of a cell."""
    shown: bool = True
    """A column that is not shown is only there to choose by."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """The distinct pieces of its words; none of numbers."""
        return self.cells.pieces if isinstance(self.cells, Words) else ()

    @property
    def choices(self) -> list[tuple[str, int]]:
        """The distinct pieces with their places, as a person would look for them."""
        return sorted((piece, place) for place, piece in enumerate(self.pieces))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.cells.cells if isinstance(self.cells, Words) else self.cells)

    @property
    def data(self) -> dict[str, object]:
        """The column as the script of the page reads it."""
        names = ("name", "label", "badges", "separator", "shown")
        said: dict[str, object] = {name: getattr(self, name) for name in names}
        if isinstance(self.cells, Words):
            return {**said, **_words_data(self.cells)}
        return {**said, "cells": self.cells}


def _words_data(words: Words) -> dict[str, object]:
    shared = [_shared(one, other) for one, other in pairwise(("", *words.pieces))]
    rests = [piece[length:] for piece, length in zip(words.pieces, shared, strict=True)]
    units = [_units(piece[:length]) for piece, length in zip(words.pieces, shared, strict=True)]
    # Where every row has words of its own, the places of their lists are 0, 1, 2, …, and are left out.
    cells = {} if len(words.lists) == len(words.cells) else {"cells": words.cells}
    return {"shared": units, "rests": rests, "lists": words.lists, **cells}


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings: lines of one file have its name."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # halving, since most have half of it or more in common
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _units(text: str) -> int:
    """Return the length of `text` as JavaScript counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
