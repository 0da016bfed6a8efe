"""Agent ids, and the short way people write many of them: `1001,1003-1050`.

An agent id is a whole number from 101 to 999999 (Table 1 of "setcallnumsbymediatype"). In memory it is an `int`, so
that agents sort as people count; in every document it is text, as in the gateway's own URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NewType

from reconciler.values import Struct

AgentId = NewType("AgentId", int)

MIN_AGENT_ID = 101
MAX_AGENT_ID = 999_999

_RANGE = re.compile(r"([1-9][0-9]{2,5})(?:-([1-9][0-9]{2,5}))?")


def parse_agent_id(text: str) -> AgentId:
    """Return the agent id written as `text`.

    Raises:
        ValueError: `text` is not a plain decimal number from 101 to 999999.
    """
    match = _RANGE.fullmatch(text)
    if match and match.group(2) is None and int(text) >= MIN_AGENT_ID:
        return AgentId(int(text))
    AgentRange.parse(text)  # says what is wrong with it, if it is not a range
    raise ValueError(f"{text!r} is a range, and one agent id is wanted here")


class AgentRange(Struct, frozen=True, order=True):
    """One or more consecutive agent ids, both ends included."""

    first: AgentId
    last: AgentId

    def __post_init__(self) -> None:
        """Hold the range the reference documents."""
        whole = type(self.first) is int and type(self.last) is int
        if not whole or not MIN_AGENT_ID <= self.first <= self.last <= MAX_AGENT_ID:
            raise ValueError(f"{self} is not a range of agent ids from {MIN_AGENT_ID} to {MAX_AGENT_ID}, low to high")

    @classmethod
    def parse(cls, text: str) -> AgentRange:
        """Return the range written `1003-1050`, or the range of one agent written `1001`.

        Raises:
            ValueError: it is written otherwise, runs downward, or leaves 101 to 999999.
        """
        match = _RANGE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an agent id (101 to 999999) or a range of them (1003-1050)")
        first, last = match.group(1), match.group(2) or match.group(1)
        return cls(AgentId(int(first)), AgentId(int(last)))

    def __contains__(self, agent: object) -> bool:
        """Tell whether `agent` lies within the range."""
        return isinstance(agent, int) and self.first <= agent <= self.last

    def __iter__(self) -> Iterator[AgentId]:
        """Walk the ids, low to high."""
        return map(AgentId, range(self.first, self.last + 1))

    def __len__(self) -> int:
        """Count the ids."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        """Write the range as people do."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def parse_agent_ranges(text: str) -> tuple[AgentRange, ...]:
    """Return the ranges of a comma-separated list such as `1001,1003-1050`, sorted.

    Raises:
        ValueError: an item is not an agent id or a range of them.
    """
    return tuple(sorted(AgentRange.parse(item.strip()) for item in text.split(",")))


def summarise_agents(agents: Iterable[AgentId]) -> tuple[AgentRange, ...]:
    """Return the shortest list of ranges that names exactly `agents`; duplicates count once."""
    return tuple(walk_ranges(sorted(set(agents))))


def walk_ranges(agents: Iterable[AgentId]) -> Iterator[AgentRange]:
    """Yield the ranges that name exactly `agents`, which are sorted, each once: for whoever needs but the first few."""
    first = last = None
    for agent in agents:
        if first is None or last is None:
            first = agent
        elif agent != last + 1:
            yield AgentRange(first, last)
            first = agent
        last = agent
    if first is not None and last is not None:
        yield AgentRange(first, last)
