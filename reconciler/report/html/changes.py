"""The changes of a plan: in groups, what takes something away first, and one by one in a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.model.plan import Change, Edit
from reconciler.model.printable import printable
from reconciler.model.standing import StandingChange
from reconciler.report.capacity_sums import team_words
from reconciler.report.change_words import deed_words, value_words
from reconciler.report.grouping import ChangeGroup, Danger, StandingGroup, group_standing
from reconciler.report.html.columns import Column, Words
from reconciler.report.html.markup import Content, Html, between, element
from reconciler.report.html.page import Section
from reconciler.report.html.pieces import badge, folded, paragraph, spoken
from reconciler.report.html.table import Table, table_markup
from reconciler.report.layout import counted, named_agents
from reconciler.report.text.standing import standing_words

_SHOWN_GROUPS = 100
_SHOWN_CAUSES = 3
_SHOWN_TEAMS = 2
_LIMIT = 120
_TEAM = 60


def group_sections(groups: Sequence[ChangeGroup]) -> list[Section]:
    """Return the groups; nothing where nothing changes."""
    return [Section(name="groups", title="What changes, in groups", content=_groups(groups))] if groups else []


def standing_sections(standing: Sequence[StandingChange]) -> list[Section]:
    """Return who changes the team or the protection, lost protections first; nothing where nobody does."""
    groups = group_standing(standing)
    if not groups:
        return []
    items = [element("li", _standing(group)) for group in groups[:_SHOWN_GROUPS]]
    content = [element("ul", *items, class_="groups"), *_more(groups[_SHOWN_GROUPS:], "move")]
    return [Section(name="standing", title="Team and protection", content=content)]


def change_sections(changes: Sequence[Change], groups: Sequence[ChangeGroup]) -> list[Section]:
    """Return the table of every change, in the order of their groups; nothing where nothing changes."""
    if not changes:
        return []
    found = {change.agent: change for change in changes}
    ordered = [(group.danger, found[agent]) for group in groups for agent in group.agents]
    return [Section(name="changes", title="Every change", content=table_markup(_table(ordered)))]


def agents_words(agents: Sequence[AgentId]) -> str:
    """Return every agent, in ranges."""
    return ", ".join(str(span) for span in summarise_agents(agents))


def agents_folded(agents: Sequence[AgentId]) -> Html:
    """Return the number of agents, and under it each of them; one agent needs no unfolding."""
    if len(agents) == 1:
        return paragraph(named_agents(agents), class_="agents")
    return folded(named_agents(agents), paragraph(agents_words(agents), class_="agents"))


def group_line(mark: Html, agents: Sequence[AgentId], words: Sequence[Content]) -> Html:
    """Return a line that says the same of all `agents`, with each of them under it where there are several."""
    pieces = between(" ", [mark, element("strong", named_agents(agents)), *words])
    line = element("span", pieces, class_="line")
    if len(agents) == 1:
        return element("div", line, class_="alone")
    return folded(line, paragraph(agents_words(agents), class_="agents"))


def _groups(groups: Sequence[ChangeGroup]) -> list[Html]:
    shown = element("ul", *(element("li", _group(group)) for group in groups[:_SHOWN_GROUPS]), class_="groups")
    return [shown, *_more(groups[_SHOWN_GROUPS:], "group", where=", in the table below")]


def _more(rest: Sequence[ChangeGroup | StandingGroup], noun: str, *, where: str = "") -> list[Html]:
    if not rest:
        return []
    agents = sum(len(group.agents) for group in rest)
    return [paragraph(f"And {counted(len(rest), f'more {noun}')} of {counted(agents, 'agent')}{where}.")]


def _group(group: ChangeGroup) -> Html:
    deed = f"protected: {deed_words(group)}" if group.protected else deed_words(group)
    words = element("span", deed, between(", ", map(_piece, value_words(group))), class_="edits")
    teams = element("span", _team_names(group.teams), class_="team")
    return group_line(badge(spoken(group.danger)), group.agents, [teams, words, *_causes(group)])


def _team_names(teams: Sequence[str | None]) -> str:
    names = [_team_name(team) for team in teams[:_SHOWN_TEAMS]]
    rest = len(teams) - _SHOWN_TEAMS
    return ", ".join([*names, f"and {counted(rest, 'more team')}"] if rest > 0 else names)


def _team_name(team: str | None) -> str:
    return printable(team_words(team), limit=_TEAM)


def _standing(group: StandingGroup) -> Html:
    kind = "protection" if group.before.protected is not group.after.protected else "team"
    words = element("span", ", ".join(standing_words(group)), class_="edits")
    return group_line(badge("unprotected" if group.bares else kind), group.agents, [words])


def _piece(words: str) -> Html:
    return element("span", words)


def _causes(group: ChangeGroup) -> Iterable[Content]:
    if not group.causes:
        return
    places = [printable(str(cause), limit=_LIMIT) for cause in group.causes[:_SHOWN_CAUSES]]
    rest = len(group.causes) - _SHOWN_CAUSES
    more = f", and {counted(rest, 'more line')}" if rest > 0 else ""
    yield element("span", ", ".join(places) + more, class_="places")


def _table(ordered: Sequence[tuple[Danger, Change]]) -> Table:
    changes = [change for _, change in ordered]
    columns = (
        Column(name="agent", label="Agent", cells=tuple(change.agent for change in changes)),
        Column(
            name="team",
            label="Team",
            cells=Words.of(((team_words(change.team),) for change in changes), limit=_TEAM),
            choice="every team",
        ),
        Column(
            name="effect",
            label="Effect",
            cells=Words.of((spoken(danger),) for danger, _ in ordered),
            choice="every effect",
            badges=True,
        ),
        Column(
            name="action",
            label="Action",
            cells=Words.of((str(change.action),) for change in changes),
            choice="every action",
        ),
        Column(name="reason", label="Reason", cells=Words.of((str(change.reason),) for change in changes)),
        Column(name="edits", label="What changes", cells=Words.of(tuple(value_words(change)) for change in changes)),
        Column(name="cause", label="Cause", cells=Words.of(map(_places, changes), limit=_LIMIT)),
        Column(
            name="channel",
            label="Channel",
            cells=Words.of(map(_channels, changes)),
            choice="every channel",
            shown=False,
        ),
    )
    hint = "agent, team, file, 1003-1050"
    return Table(name="changes", caption="Every change of this plan", noun="change", hint=hint, columns=columns)


def _places(change: Change) -> tuple[str, ...]:
    """Return the lines that give the new numbers, or the agent's own where no number is new."""
    causes = {edit.cause for edit in change.edits if edit.cause is not None}
    if not causes and change.source is not None:
        causes = {change.source}
    places = [str(cause) for cause in sorted(causes)]
    rest = len(places) - _SHOWN_CAUSES
    return (*places[:_SHOWN_CAUSES], *([f"and {counted(rest, 'more line')}"] if rest > 0 else []))


def _channels(change: Change) -> tuple[str, ...]:
    """Return the channels the change touches: those that differ, or all of them where nothing differs."""
    if change.edits:
        return tuple(filter(None, map(_channel, change.edits)))
    value = change.after or change.before
    return tuple(channel.label for channel, _ in value.channels) if value is not None else ()


def _channel(edit: Edit) -> str:
    name = edit.field.removeprefix("channels.")
    return "" if name == edit.field else name
