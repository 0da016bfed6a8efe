"""Who changes the team or the protection, as text: the gateway knows of neither, and guardrails and sums go by both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import summarise_agents
from reconciler.model.printable import printable
from reconciler.model.standing import StandingChange
from reconciler.report.capacity_sums import team_words
from reconciler.report.grouping import StandingGroup, group_standing
from reconciler.report.layout import counted, hang, named_agents, paint, range_words
from reconciler.report.style import Role, Style

_SHOWN = 20
_TEAM = 40


def standing_lines(standing: Sequence[StandingChange], style: Style) -> list[str]:
    """Return a line for all who go from the same to the same, and under it who they are."""
    groups = group_standing(standing)
    lines = [line for group in groups[:_SHOWN] for line in _group(group, style)]
    rest = groups[_SHOWN:]
    agents = sum(len(group.agents) for group in rest)
    return [*lines, f"… and {counted(len(rest), 'more move')} of {counted(agents, 'agent')}"] if rest else lines


def standing_words(group: StandingGroup) -> list[str]:
    """Return what changes: the team, the protection, or both."""
    words = []
    if group.before.team != group.after.team:
        words.append(f"{_team(group.before.team)} → {_team(group.after.team)}")
    if group.before.protected != group.after.protected:
        words.append("no longer protected" if group.bares else "protected from now on")
    return words


def _team(team: str | None) -> str:
    return team_words(None) if team is None else f"team {printable(team, limit=_TEAM)}"


def _group(group: StandingGroup, style: Style) -> Iterable[str]:
    head = f"> {named_agents(group.agents)}  "
    role = Role.REMOVED if group.bares else Role.CHANGED
    yield from paint(hang(head, standing_words(group), indent=len(head)), role, style)
    if len(group.agents) > 1:
        words = range_words(summarise_agents(group.agents))
        yield from paint(hang(" " * len(head), words, indent=len(head)), Role.PLACE, style)
