"""Who changes the team or the protection, as a table: no call is made for that, and guardrails and sums go by both."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.standing import StandingChange
from reconciler.report.grouping import StandingGroup, group_standing
from reconciler.report.layout import FEW_RANGES, counted
from reconciler.report.markdown.budget import Block, Listing
from reconciler.report.markdown.text import ALL_RANGES, agents_cell, row, table_head, team_cell

_COLUMNS = ("agents", "team", "protection")
_RANK = 3
_SHARE = 0.3


def standing_blocks(standing: Sequence[StandingChange]) -> list[Block]:
    """Return the table, lost protections first; nothing where nobody changes either."""
    groups = group_standing(standing)
    if not groups:
        return []
    return [
        Listing(
            head=f"### Teams and protection\n\n{table_head(_COLUMNS)}",
            items=groups,
            brief=_row,
            full=lambda group: _row(group, shown=ALL_RANGES),
            rest=lambda rest: f"Not shown: {_counts(rest)}.",
            instead=f"Teams and protection not shown: {_counts(groups)}.",
            rank=_RANK,
            share=_SHARE,
        )
    ]


def _row(group: StandingGroup, *, shown: int = FEW_RANGES) -> str:
    before, after = team_cell(group.before.team), team_cell(group.after.team)
    team = before if before == after else f"{before} → {after}"
    return row((agents_cell(group.agents, shown=shown), team, _protection(group)))


def _protection(group: StandingGroup) -> str:
    if group.bares:
        return "**no longer protected**"
    return "protected from now on" if group.after.protected and not group.before.protected else "–"


def _counts(groups: Sequence[StandingGroup]) -> str:
    agents = sum(len(group.agents) for group in groups)
    bare = sum(len(group.agents) for group in groups if group.bares)
    return f"{counted(len(groups), 'move')} of {counted(agents, 'agent')}, {bare:,} of them no longer protected"
