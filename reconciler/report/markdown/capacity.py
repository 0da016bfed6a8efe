"""The first table of a plan: what each team can take on each channel before and after, the biggest losses first."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.capacity import Capacity
from reconciler.report.capacity_sums import change_words, channel_words, over_all_teams
from reconciler.report.layout import counted
from reconciler.report.markdown.budget import Block, Listing, Passage
from reconciler.report.markdown.text import and_more, row, table_head, team_cell

_COLUMNS = ("team", "channel", "before:", "after:", "change:", "agents at 0:", "bound by total:")
_TITLE = "### Capacity"
_SHOWN_CHANNELS = 4
_RANK_OF_SUMS, _RANK_OF_TABLE = 1, 2
_SHARE_OF_TABLE = 0.4


def capacity_blocks(capacity: Sequence[Capacity]) -> list[Block]:
    """Return the sums over all teams, and the table of what changes for each; nothing where nothing is known."""
    if not capacity:
        return []
    changing = sorted((each for each in capacity if each.change), key=_order)
    if not changing:
        return [Passage(forms=(f"{_TITLE}\n\nNo team gains or loses a session.",), rank=_RANK_OF_SUMS)]
    sums = [_words(each) for each in over_all_teams(capacity) if each.change]
    return [
        Passage(forms=(_heading(sums, _SHOWN_CHANNELS), _heading(sums, 1)), rank=_RANK_OF_SUMS),
        Listing(
            head=table_head(_COLUMNS),
            items=changing,
            brief=_row,
            rest=lambda rows: f"Not shown: {_counts(rows)}.",
            instead=f"Not shown: {_counts(changing)}.",
            rank=_RANK_OF_TABLE,
            share=_SHARE_OF_TABLE,
        ),
    ]


def _heading(sums: Sequence[str], shown: int) -> str:
    words = "; ".join([*sums[:shown], *and_more(len(sums) - shown, "channel")])
    return f"{_TITLE}\n\nSessions at once, of all teams, recorded → planned: {words or 'no change'}."


def _order(each: Capacity) -> tuple[int, str, int]:
    """Losses before gains, the biggest first."""
    return (each.change, each.team or "", each.channel or 0)


def _row(each: Capacity) -> str:
    numbers = (f"{each.before:,}", f"{each.after:,}", change_words(each))
    if not each.after:
        numbers = (numbers[0], f"**{numbers[1]}**", f"**{numbers[2]}**")
    return row((team_cell(each.team), channel_words(each.channel), *numbers, f"{each.at_zero:,}", f"{each.bound:,}"))


def _words(each: Capacity) -> str:
    words = f"{channel_words(each.channel)} {each.before:,} → {each.after:,}, {change_words(each)}"
    return f"**{words}**" if each.channel is None else words


def _counts(rows: Sequence[Capacity]) -> str:
    falling = sum(1 for each in rows if each.change < 0)
    return f"{counted(len(rows), 'sum')} of a team and channel, {falling:,} falling and {len(rows) - falling:,} rising"
