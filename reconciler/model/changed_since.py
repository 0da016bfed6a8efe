"""An earlier revision that a plan is limited by: only agents whose desired values differ from it are looked at.

It is resolved when the plan is made and kept with it, so that planning afresh after the merge, when history has moved
on, looks at the same agents.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from reconciler.model.agent import MAX_AGENT_ID, AgentId, AgentRange
from reconciler.values import Struct


class ChangedSince(Struct, frozen=True, kw_only=True):
    """The agents whose desired values differ from those of a revision, or everybody."""

    revision: str
    """As the user wrote it, such as `origin/main`."""
    commit: str
    """The commit it was compared with, in full. For people: a plan depends on `agents` alone."""
    agents: tuple[AgentRange, ...] = ()
    """Sorted, apart from each other; none where nobody differs, or everybody counts as changed."""
    everybody: str = ""
    """Why everybody is looked at after all, in words; empty if only `agents` are."""

    def __post_init__(self) -> None:
        """Refuse ranges out of order, which `in` could not find, and an answer that says two things."""
        if any(following.first <= span.last for span, following in pairwise(self.agents)):
            raise ValueError("the ranges are not sorted, or overlap")
        if self.agents and self.everybody:
            raise ValueError("either everybody is looked at or some are")

    def __contains__(self, agent: AgentId) -> bool:
        """Tell whether this agent is looked at."""
        if self.everybody:
            return True
        index = bisect_right(self.agents, AgentRange(agent, AgentId(MAX_AGENT_ID)))
        return index > 0 and agent in self.agents[index - 1]

    @property
    def count(self) -> int:
        """The number of agents that are named."""
        return sum(len(span) for span in self.agents)
