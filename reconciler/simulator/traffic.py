"""What the gateway saw pass: counts of calls, and how far they overlapped.

Rule of this file: counting only; what an overlap means is `gateway`'s to say.
"""

from __future__ import annotations

from collections import Counter


class Traffic:
    """Counts calls as they begin and end. `None` stands for a call that named no possible agent."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._total = 0
        self._agents: Counter[int] = Counter()
        self._open: Counter[int | None] = Counter()
        self._in_flight = 0
        self._max_in_flight = 0
        self._max_overlap = 0
        self._refused = 0

    def begin(self, agent: int | None) -> tuple[int, int]:
        """Count a call that arrived; return its number among all calls and among its agent's, from 1."""
        self._total += 1
        self._in_flight += 1
        self._max_in_flight = max(self._max_in_flight, self._in_flight)
        self._open[agent] += 1
        if agent is None:
            return self._total, 0
        self._agents[agent] += 1
        self._max_overlap = max(self._max_overlap, self._open[agent])
        return self._total, self._agents[agent]

    def end(self, agent: int | None) -> None:
        """Count a call as answered or cut off."""
        self._in_flight -= 1
        self._open[agent] -= 1
        if not self._open[agent]:
            del self._open[agent]

    def open_calls(self, agent: int | None) -> int:
        """Return how many calls of the agent are in flight; a call without an agent overlaps nothing: none."""
        return 0 if agent is None else self._open[agent]

    def refuse_overlap(self) -> None:
        """Count a call as refused because it overlapped another one."""
        self._refused += 1

    def document(self) -> dict[str, object]:
        """Return the counts as JSON values.

        `max_overlap` is the most calls that one agent ever had in flight, so 1 says that none ever overlapped;
        `max_in_flight` is the same over all agents together, `overlapped` counts the calls refused for overlapping.
        """
        return {
            "total": self._total,
            "agents": {str(agent): count for agent, count in sorted(self._agents.items())},
            "max_overlap": self._max_overlap,
            "max_in_flight": self._max_in_flight,
            "overlapped": self._refused,
        }
