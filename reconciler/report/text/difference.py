"""The difference between a reviewed plan and a fresh one, as text: `-` was reviewed, `+` would be done now.

Agents of whom the same is to be said share a line, and lines that would read the same show every number instead: two
plans can differ in a number that neither of them edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.plan import Change
from reconciler.model.printable import printable
from reconciler.report.change_words import value_words, whole_words
from reconciler.report.layout import agent_lines, counted, hang, named_agents
from reconciler.report.style import Style

_SHOWN = 20
_PLAIN = Style(color=False)

_Said = tuple[tuple[str, tuple[str, ...]], ...]
"""Sign and words of each line of an entry."""


def difference_text(
    *,
    settings: Sequence[tuple[str, str, str]],
    gone: Sequence[Change],
    come: Sequence[Change],
    altered: Sequence[tuple[Change, Change]],
) -> str:
    """Return what differs, ending in a newline if anything does.

    Args:
        settings: name, reviewed value and fresh value of what concerns the whole plan.
        gone: reviewed, and no longer to be done.
        come: to be done now, and not reviewed.
        altered: the reviewed and the fresh change of agents that are in both.
    """
    lines = [
        *(line for name, *values in settings for line in _setting(name, values)),
        *_entries(((was.agent, _pair(was, now)) for was, now in altered), "altered"),
        *_entries(((change.agent, (("-", _words(change)),)) for change in gone), "no longer to be done"),
        *_entries(((change.agent, (("+", _words(change)),)) for change in come), "not reviewed"),
    ]
    return "".join(f"{line}\n" for line in lines)


def _setting(name: str, values: Iterable[str]) -> list[str]:
    return [f"{sign} {printable(name)}: {printable(value)}" for sign, value in zip("-+", values, strict=True)]


def _pair(was: Change, now: Change) -> _Said:
    old, new = _words(was), _words(now)
    return (("-", old), ("+", new)) if old != new else (("-", _all_words(was)), ("+", _all_words(now)))


def _words(change: Change) -> tuple[str, ...]:
    first, *rest = value_words(change)
    return (f"{change.action} ({change.reason}): {first}", *rest)


def _all_words(change: Change) -> tuple[str, ...]:
    before, after = (", ".join(whole_words(value)) or "nothing" for value in (change.before, change.after))
    return (f"{change.action} ({change.reason}): from {before}", f"to {after}")


def _entries(said: Iterable[tuple[AgentId, _Said]], words: str) -> Iterable[str]:
    members: dict[_Said, list[AgentId]] = {}
    for agent, entry in said:
        members.setdefault(entry, []).append(agent)
    for entry, agents in list(members.items())[:_SHOWN]:
        yield from _entry(entry, sorted(agents))
    rest = sum(len(agents) for agents in list(members.values())[_SHOWN:])
    if rest:
        yield f"… and {counted(rest, 'more agent')} {words}"


def _entry(entry: _Said, agents: Sequence[AgentId]) -> Iterable[str]:
    indent = len(named_agents(agents)) + 4
    for sign, words in entry:
        yield from hang(f"{sign} {named_agents(agents)}  ", words, indent=indent)
    yield from agent_lines(agents, indent=indent, style=_PLAIN)
