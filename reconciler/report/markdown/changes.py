"""The changes of a plan as a table: a row for all agents of whom the same is to be said, the dangerous ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.desired import Source
from reconciler.model.plan import Action, Plan, Reason
from reconciler.report.change_words import value_words
from reconciler.report.grouping import ChangeGroup, Danger, closes, group_plan
from reconciler.report.layout import FEW_RANGES, counted
from reconciler.report.markdown.budget import Block, Listing
from reconciler.report.markdown.text import ALL_RANGES, agents_cell, and_more, code, row, table_head, team_cell

_COLUMNS = ("", "agents", "team", "values", "written at")
_SHOWN_PLACES = _SHOWN_TEAMS = 3
_KINDS = {
    Danger.TO_ZERO: "**to zero**",
    Danger.PROTECTED: "**protected**",
    Danger.LARGE_DROP: "**large drop**",
    Danger.DROP: "lower",
    Danger.RAISED: "raise",
    Danger.NEW: "new",
}
_RANK = 3


def change_blocks(plan: Plan) -> list[Block]:
    """Return the table of the changes; nothing where there are none."""
    groups = group_plan(plan)
    if not groups:
        return []
    return [
        Listing(
            head=f"### Changes\n\n{table_head(_COLUMNS)}",
            items=groups,
            brief=_row,
            full=lambda group: _row(group, shown=ALL_RANGES),
            rest=lambda rest: f"Not shown: {_counts(rest)}.",
            instead=f"Changes not shown: {_counts(groups)}.",
            rank=_RANK,
        )
    ]


def _row(group: ChangeGroup, *, shown: int = FEW_RANGES) -> str:
    agents, teams = agents_cell(group.agents, shown=shown), _teams(group.teams)
    return row((_kind(group), agents, teams, _values(group), _places(group.causes)))


def _kind(group: ChangeGroup) -> str:
    """Return in a word what a reviewer should know first; that of `Danger`, which is the order of the rows."""
    protected = "**protected**, " if group.protected and group.danger is not Danger.PROTECTED else ""
    match group.danger:
        case Danger.REMOVED:
            return f"{protected}**{group.action}**"
        case Danger.AGAIN:
            return f"again: {group.reason}"
        case danger:
            return f"{protected}{_KINDS[danger]}"


def _teams(teams: Sequence[str | None]) -> str:
    return ", ".join([*map(team_cell, teams[:_SHOWN_TEAMS]), *and_more(len(teams) - _SHOWN_TEAMS, "team")])


def _values(group: ChangeGroup) -> str:
    words = value_words(group)
    if len(words) == len(group.edits) and group.reason is not Reason.NEW:
        words = [f"**{word}**" if closes(edit) else word for edit, word in zip(group.edits, words, strict=True)]
    return ("recorded, and nothing is sent: " if group.action is Action.FORGET else "") + ", ".join(words)


def _places(causes: Sequence[Source]) -> str:
    places = [code(str(cause)) for cause in causes[:_SHOWN_PLACES]]
    return ", ".join([*places, *and_more(len(causes) - _SHOWN_PLACES, "line")]) or "–"


def _counts(groups: Sequence[ChangeGroup]) -> str:
    """Return how many groups and agents these are, and how many agents of each kind."""
    kinds: Counter[str] = Counter()
    for group in groups:
        kinds[_kind(group)] += len(group.agents)
    each = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    return f"{counted(len(groups), 'group')} of changes with {counted(kinds.total(), 'agent')} ({each})"
