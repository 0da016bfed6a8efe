"""Where words go on a line: widths, hanging indents, counts and ranges. Nothing here knows what the words mean."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.agent import AgentId, AgentRange, summarise_agents
from reconciler.report.style import Role, Style

WIDTH = 110
"""Columns a line may take where it can be broken: half a wide screen, and what a CI log shows without scrolling."""

FEW_RANGES = 8
"""Enough to recognise a group; the JSON document lists every agent."""


def counted(count: int, noun: str) -> str:
    """Return `1 agent`, `2 agents`, `60,000 agents`: with commas, which no agent id has."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def named_agents(agents: Sequence[AgentId]) -> str:
    """Return the name of one agent, and the number of several."""
    return f"agent {agents[0]}" if len(agents) == 1 else counted(len(agents), "agent")


def span_words(seconds: float) -> str:
    """Return a span of time in the largest unit that counts it in whole numbers, as the flags take it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds}s" if seconds % 1 else f"{seconds:.0f}s"


def range_words(ranges: Sequence[AgentRange], *, shown: int = FEW_RANGES) -> list[str]:
    """Return the first ranges, and how many agents the others hold."""
    words = [str(span) for span in ranges[:shown]]
    rest = sum(len(span) for span in ranges[shown:])
    return [*words, f"and {counted(rest, 'more agent')}"] if rest else words


def hang(head: str, pieces: Sequence[str], *, indent: int, separator: str = ", ") -> list[str]:
    """Return `head` and the pieces after it as lines, broken only between pieces and continued at `indent`."""
    lines, line = [], head
    for index, piece in enumerate(pieces):
        text = piece + (separator if index < len(pieces) - 1 else "")
        if len(line) + len(text.rstrip()) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += text
    return [*lines, line.rstrip()]


def paint(lines: Sequence[str], role: Role, style: Style) -> list[str]:
    """Return the lines painted, their indents left alone."""
    return [line[: -len(words)] + style(role, words) if (words := line.lstrip()) else line for line in lines]


def append_place(lines: list[str], place: str, *, indent: int, style: Style, plain: str) -> None:
    """Put `place` after the last of `lines`, which is `plain` without colour, or under it where it is too long."""
    if not place:
        return
    if len(plain) + len(place) + 2 <= WIDTH:
        lines[-1] += f"  {style(Role.PLACE, place)}"
    else:
        lines.append(" " * indent + style(Role.PLACE, place))


def agent_lines(agents: Sequence[AgentId], *, indent: int, style: Style, shown: int = FEW_RANGES) -> list[str]:
    """Return the lines that say who is meant: none for one agent, whom `named_agents` has named."""
    if len(agents) == 1:
        return []
    words = range_words(summarise_agents(agents), shown=shown)
    return paint(hang(" " * indent, words, indent=indent), Role.PLACE, style)
