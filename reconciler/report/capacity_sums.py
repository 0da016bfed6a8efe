"""Capacity put together and in order for a reader, the biggest losses first, and its numbers in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel


def over_all_teams(capacity: Iterable[Capacity]) -> tuple[Capacity, ...]:
    """Return the sum of each channel over all teams, in order; an agent belongs to one team, so none counts twice."""
    found: dict[Channel | None, list[Capacity]] = {}
    for each in capacity:
        found.setdefault(each.channel, []).append(each)
    return losses_first(_sum(channel, parts) for channel, parts in found.items())


def losses_first(capacity: Iterable[Capacity]) -> tuple[Capacity, ...]:
    """Return one team's rows: the total, which binds all others, then the channels, the biggest loss first."""
    return tuple(sorted(capacity, key=lambda each: (each.channel is not None, each.change, each.channel or 0)))


def teams_by_loss(capacity: Iterable[Capacity]) -> tuple[tuple[Capacity, ...], ...]:
    """Return each team's rows as `losses_first` sorts them, the team with the biggest loss first."""
    found: dict[str | None, list[Capacity]] = {}
    for each in capacity:
        found.setdefault(each.team, []).append(each)
    teams = [losses_first(rows) for rows in found.values()]
    return tuple(
        sorted(teams, key=lambda rows: (min(row.change for row in rows), rows[0].team is None, rows[0].team or ""))
    )


def worth_telling(rows: Sequence[Capacity]) -> tuple[Capacity, ...]:
    """Return the rows of one team that change, and, where any does, its totals if they bind somebody."""
    changing = [row for row in rows if row.change]
    return tuple(row for row in rows if row.change or (changing and row.channel is None and row.bound))


def team_words(team: str | None) -> str:
    """Return the team's name, unquoted as its author wrote it, or words for having none."""
    return "no team" if team is None else team


def channel_words(channel: Channel | None) -> str:
    """Return the name of the channel, or of what holds over all channels."""
    return "total" if channel is None else channel.label


def change_words(each: Capacity) -> str:
    """Return the difference with its sign, and in percent: `−38 (−10.0 %)`."""
    if not each.change:
        return "no change"
    percent = "new" if each.percent is None else f"{_sign(each.percent)}{abs(each.percent):,.1f} %"
    return f"{_sign(each.change)}{abs(each.change):,} ({percent})"


def _biggest_loss(rows: Sequence[Capacity]) -> tuple[int, bool, str]:
    team = rows[0].team
    return min(row.change for row in rows), team is None, team or ""


def _sign(number: float) -> str:
    return "−" if number < 0 else "+"


def _sum(channel: Channel | None, parts: Sequence[Capacity]) -> Capacity:
    return Capacity(
        team=None,
        channel=channel,
        before=sum(part.before for part in parts),
        after=sum(part.after for part in parts),
        agents_before=sum(part.agents_before for part in parts),
        agents_after=sum(part.agents_after for part in parts),
        at_zero=sum(part.at_zero for part in parts),
        bound=sum(part.bound for part in parts),
        effective_before=sum(part.effective_before for part in parts),
        effective_after=sum(part.effective_after for part in parts),
    )
