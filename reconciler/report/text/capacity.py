"""The first thing a plan says on a terminal: what each team can take on each channel before and after.

Rules of this file: a row for every sum that changes, the team that loses most first; what does not change is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.capacity import Capacity
from reconciler.model.plan import Plan
from reconciler.model.printable import printable
from reconciler.report.capacity_sums import (
    change_words,
    channel_words,
    over_all_teams,
    team_words,
    teams_by_loss,
    worth_telling,
)
from reconciler.report.layout import counted
from reconciler.report.style import Role, Style
from reconciler.values import Struct

_SHOWN = 24
"""Rows: a screen holds them and still the rest of a small plan. The JSON document has every row."""
_TEAM = 30


class _Row(Struct, frozen=True):
    """The cells that are aligned, and what follows them."""

    cells: tuple[str, str, str, str]
    """Team, channel, before, after."""
    rest: str
    role: Role | None


def capacity_lines(plan: Plan, style: Style) -> list[str]:
    """Return the section; nothing for a plan that does nothing."""
    if not plan.capacity or not plan.does_something:
        return []
    teams = teams_by_loss(plan.capacity)
    told = [rows for rows in map(worth_telling, teams) if rows]
    if not told:
        return [style(Role.HEADING, f"capacity: no team gains or loses a session{_outside(plan)}")]
    sums = worth_telling(over_all_teams(plan.capacity)) if len(teams) > 1 else ()
    rows = [*_rows("all teams", sums), *(row for part in told for row in _rows(_name(part[0].team), part))]
    head = f"capacity: sessions at once, recorded → planned{_outside(plan)}"
    return [style(Role.HEADING, head), *_aligned(rows[:_SHOWN], style), *_rest(rows[_SHOWN:]), *_still(teams, told)]


def _outside(plan: Plan) -> str:
    return "; whoever is outside the selection counts as recorded" if plan.options.scope.partial else ""


def _name(team: str | None) -> str:
    return printable(team_words(team), limit=_TEAM)


def _rows(name: str, rows: Iterable[Capacity]) -> Iterable[_Row]:
    for index, row in enumerate(rows):
        yield _Row(
            cells=("" if index else name, channel_words(row.channel), f"{row.before:,}", f"{row.after:,}"),
            rest="; ".join([change_words(row), *_notes(row)]),
            role=_role(row),
        )


def _role(row: Capacity) -> Role | None:
    if not row.change:
        return None
    return Role.ADDED if row.change > 0 else Role.CHANGED if row.after else Role.REMOVED


def _notes(row: Capacity) -> Iterable[str]:
    if row.at_zero and row.channel is not None:
        yield f"{counted(row.at_zero, 'agent')} at 0"
    if row.bound and row.channel is None:
        reach = f"{row.effective_before:,} → {row.effective_after:,}"
        yield f"binds {counted(row.bound, 'agent')}, effective {reach}"


def _aligned(rows: Sequence[_Row], style: Style) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*(row.cells for row in rows), strict=True)]
    for row in rows:
        team, channel, *sums = row.cells
        before, after = (f"{cell:>{width}}" for cell, width in zip(sums, widths[2:], strict=True))
        numbers = f"{before} → {after}  {row.rest}"
        line = f"  {team:<{widths[0]}}  {channel:<{widths[1]}}  "
        yield line + (numbers if row.role is None else style(row.role, numbers))


def _rest(rows: Sequence[_Row]) -> list[str]:
    if not rows:
        return []
    falling = sum(1 for row in rows if row.role in (Role.CHANGED, Role.REMOVED))
    return [f"  and {counted(len(rows), 'more sum')}, {falling} of them falling; --json has every one"]


def _still(teams: Sequence[Sequence[Capacity]], told: Sequence[Sequence[Capacity]]) -> list[str]:
    still = len(teams) - len(told)
    return [f"  {counted(still, 'team')} without a change"] if still else []
