"""Whatever has to fit on a page, it fits: whole rows and whole forms, what must not be missing first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.markdown.budget import Block, Listing, Passage, fit
from reconciler.report.markdown.text import size


def listing(items: Sequence[str], *, rank: int = 1, share: float = 1.0, full: bool = True) -> Listing[str]:
    return Listing(
        head="HEAD\n",
        items=items,
        brief=lambda item: f"- {item}",
        full=(lambda item: f"- {item}{item}") if full else None,
        foot="\nFOOT",
        rest=lambda rest: f"{len(rest)} more",
        instead=f"{len(items)} left out",
        rank=rank,
        share=share,
    )


_words = st.text("aé漢😀", min_size=1, max_size=12)
_ranks = st.integers(0, 3)
_shares = st.floats(0, 1)
_passages = st.builds(
    lambda words, brief, rank, share: Passage(
        forms=(*sorted({*words, brief}, key=size, reverse=True),), rank=rank, share=share
    ),
    st.lists(_words, max_size=3),
    st.just("") | _words,
    _ranks,
    _shares,
)
_listings = st.builds(
    listing, st.lists(_words, min_size=1, max_size=30), rank=_ranks, share=_shares, full=st.booleans()
)
_blocks = st.lists(_passages | _listings, min_size=1, max_size=5)


def _needed(blocks: Sequence[Block]) -> int:
    """The least room there must be: what the message of the refusal says."""
    try:
        fit(blocks, room=0)
    except ValueError as error:
        return int(str(error).rpartition(" ")[2])
    return 0


@given(blocks=_blocks, more=st.integers(0, 400))
def test_a_page_takes_no_more_than_its_room_and_cuts_nothing(blocks: list[Block], more: int) -> None:
    room = _needed(blocks) + more
    page = fit(blocks, room=room)
    assert size(page.text) <= room
    possible = {word for block in blocks for word in _possible(block)}
    assert all(line in possible for line in page.text.split("\n"))
    for block in blocks:
        if isinstance(block, Listing):
            assert block.instead in page.text or block.head in page.text


def _possible(block: Block) -> Sequence[str]:
    if isinstance(block, Passage):
        return ["", *block.forms]
    rows = [writes(item) for item in block.items for writes in (block.brief, block.full) if writes]
    rests = [block.rest(block.items[:count]) for count in range(1, len(block.items) + 1)]
    return ["", block.head.strip(), block.foot.strip(), block.instead, *rows, *rests]


@given(blocks=_blocks)
def test_with_room_for_all_of_it_all_of_it_is_there(blocks: list[Block]) -> None:
    page = fit(blocks, room=100_000)
    assert page.whole
    for block in blocks:
        if isinstance(block, Passage):
            assert block.forms[0] in page.text
        else:
            assert all((block.full or block.brief)(item) in page.text for item in block.items)
            assert block.rest(block.items) not in page.text.split("\n")


@given(blocks=_blocks)
def test_too_little_room_is_refused_with_what_is_needed(blocks: list[Block]) -> None:
    needed = _needed(blocks)
    assert size(fit(blocks, room=needed).text) <= needed
    if needed:
        with pytest.raises(ValueError, match=f"takes {needed}$"):
            fit(blocks, room=needed - 1)


def test_a_listing_says_how_much_it_leaves_out() -> None:
    page = fit([listing(["x"] * 50, full=False)], room=100)
    shown = page.text.count("- x")
    assert 0 < shown < 50
    assert f"{50 - shown} more" in page.text
    assert not page.whole


def test_what_has_the_lower_rank_gets_its_room_first_wherever_it_stands() -> None:
    first, second = listing(["a"] * 50, rank=2, full=False), listing(["b"] * 50, rank=1, full=False)
    text = fit([first, second], room=120).text
    assert text.count("- b") > text.count("- a")
    assert text.index("HEAD" if "- a" in text else "50 left out") < text.index("- b")


def test_a_share_leaves_room_for_others_as_long_as_they_need_it() -> None:
    greedy, modest = listing(["a"] * 500, rank=1, share=0.5, full=False), listing(["b"] * 20, rank=2, full=False)
    text = fit([greedy, modest], room=600).text
    assert text.count("- b") == 20
    assert text.count("- a") > 60


@dataclass
class _Counting:
    written: int = 0
    items: Sequence[int] = field(default_factory=lambda: range(100_000))

    def write(self, item: int) -> str:
        self.written += 1
        return f"- {item}"

    def block(self) -> Listing[int]:
        return Listing(
            head="HEAD\n",
            items=self.items,
            brief=self.write,
            full=self.write,
            rest=lambda rest: f"{len(rest)} more",
            instead="none",
            rank=0,
        )


@pytest.mark.parametrize("room", [200, 2000, 60_000])
def test_only_rows_that_may_be_shown_are_written(room: int) -> None:
    counting = _Counting()
    shown = fit([counting.block()], room=room).text.count("- ")
    assert shown > 0
    assert counting.written <= 4 * (shown + 3)  # twice a turn, of which there are two; and those that are too many
