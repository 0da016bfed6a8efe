"""What of a page is shown when not all of it fits: whole forms and whole rows, chosen before anything is put together.

Rules of this file: it knows sizes and ranks, and nothing of what the text says. Nothing is cut: a passage stands in one
of its forms, a listing shows its first rows and says what it leaves out. Every block has its briefest form on the page
before any block gets more, so what must not be missing needs no more than to have a brief form. The work is linear in
the number of rows, and only rows that may be shown are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, assert_never

from reconciler.report.markdown.text import size
from reconciler.values import Struct

_Item = TypeVar("_Item")
_GAP = "\n\n"
"""Between two blocks."""


class Passage(Struct, frozen=True, kw_only=True):
    """Text that stands in the first of its forms for which there is room."""

    forms: tuple[str, ...]
    """Fullest first. The last is the briefest; if it is empty, the passage may be missing."""
    rank: int
    """Who gets room first: 0, 1, 2, …."""
    share: float = 1.0
    """The part of the page, 0 to 1, that is enough as long as others have not been asked."""


class Listing(Struct, Generic[_Item], frozen=True, kw_only=True):
    """Rows between a head and a foot: as many as there is room for, from the first on."""

    head: str
    """Ends in a newline."""
    items: Sequence[_Item]
    """At least one."""
    brief: Callable[[_Item], str]
    """Writes a row, without its newline."""
    full: Callable[[_Item], str] | None = None
    """Writes it with all there is to it, for the rows that are shown and as far as there is room; never shorter."""
    foot: str = ""
    """Begins with a newline, if there is one."""
    rest: Callable[[Sequence[_Item]], str]
    """Says what is not shown, given those items; never longer for fewer of them."""
    instead: str
    """What stands there when there is room for no row."""
    rank: int
    share: float = 1.0


Block = Passage | Listing[Any]


class Page(Struct, frozen=True):
    """The blocks put together."""

    text: str
    """Ends in a newline."""
    whole: bool
    """Nothing was left out and nothing put more briefly."""


def fit(blocks: Sequence[Block], *, room: int) -> Page:
    """Return `blocks` in their order, in at most `room` of what `size` measures.

    Raises:
        ValueError: their briefest forms alone take more.
    """
    grown = [(_briefest(block), False) for block in blocks]
    left = room - sum(_taken(text) for text, _ in grown)
    if left < 0:
        raise ValueError(f"{room} is too little: the briefest form of this page takes {room - left}")
    tried: dict[int, int] = {}
    for index, limit in _turns(blocks, room):
        text, whole = grown[index]
        taken = _taken(text)
        space = max(taken, min(limit, taken + left))
        if not whole and space > tried.get(index, -1):  # its second turn may offer no more than the first
            tried[index] = space
            grown[index] = _grown(blocks[index], space)
            left -= _taken(grown[index][0]) - taken
    return Page("".join(f"{text}{_GAP}" for text, _ in grown if text)[:-1], all(whole for _, whole in grown))


def list_passage(title: str, lines: Sequence[str], fewer: Sequence[str] | None = None, *, rank: int) -> Passage:
    """Return a list under its title, which says that it is missing where there is no room for it.

    Args:
        title: words of ours.
        lines: each a whole line.
        fewer: what is enough where not all of it fits.
        rank: as that of every passage.
    """
    forms = ["\n".join([f"### {title}", "", *each]) for each in (lines, fewer or lines)]
    return Passage(forms=(*dict.fromkeys(forms), f"Not shown: “{title}”."), rank=rank)


def _turns(blocks: Sequence[Block], room: int) -> Iterable[tuple[int, int]]:
    """Yield which block may grow next, and how far: first each to its share, then each to what is left."""
    ranked = sorted(range(len(blocks)), key=lambda index: blocks[index].rank)
    yield from ((index, int(room * blocks[index].share)) for index in ranked)
    yield from ((index, room) for index in ranked)


def _taken(text: str) -> int:
    return size(text + _GAP) if text else 0


def _briefest(block: Block) -> str:
    match block:
        case Passage():
            return block.forms[-1]
        case Listing():
            return block.instead
        case _:
            assert_never(block)


def _grown(block: Block, room: int) -> tuple[str, bool]:
    """Return the most of `block` that takes no more than `room`, and whether that is all of it."""
    match block:
        case Passage():
            form = next(form for form in block.forms if _taken(form) <= room)
            return form, form == block.forms[0]
        case Listing():
            return _listed(block, room)
        case _:
            assert_never(block)


def _listed(listing: Listing[_Item], room: int) -> tuple[str, bool]:
    room -= _taken(listing.head + listing.foot)
    rows, left = _first_rows(listing, room)
    if not rows:
        return listing.instead, False
    whole = _fill_out(listing, rows, left)
    rest = listing.items[len(rows) :]
    text = listing.head + "\n".join(rows) + listing.foot + (f"{_GAP}{listing.rest(rest)}" if rest else "")
    return text, whole and not rest


def _first_rows(listing: Listing[_Item], room: int) -> tuple[list[str], int]:
    """Return the first rows in brief, and the room that is left beside them and the words on the rest."""
    words = _taken(listing.rest(listing.items))
    rows: list[str] = []
    shown, left, used = 0, room, 0
    for item in listing.items:
        rows.append(listing.brief(item))
        used += size(rows[-1]) + 1
        if used > room:
            return rows[:shown], left
        if used + words <= room:
            shown, left = len(rows), room - used - words
    return rows, room - used


def _fill_out(listing: Listing[_Item], rows: list[str], left: int) -> bool:
    """Put the full form in the place of each row where it fits; tell whether it did everywhere."""
    if listing.full is None:
        return True
    whole = True
    for index, item in enumerate(listing.items[: len(rows)]):
        full = listing.full(item)
        more = size(full) - size(rows[index])
        if more <= left:
            rows[index], left = full, left - more
        else:
            whole = False
    return whole
