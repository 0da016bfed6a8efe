"""What the YAML says, once read, checked and resolved: one concurrency per agent, and where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.ordering import by_agent
from reconciler.model.site import Site
from reconciler.values import Struct, field, settle


class Source(Struct, frozen=True, order=True):
    """A place in a file of the environment."""

    path: str
    """Relative to the environment's directory, with `/`, so that a plan is the same on every machine."""
    line: int
    """1-based."""

    def __str__(self) -> str:
        """Write the place as editors and terminals understand it."""
        return f"{self.path}:{self.line}"


class DesiredAgent(Struct, frozen=True, kw_only=True):
    """What is desired of an agent. Agents of whom the same is desired share one."""

    concurrency: Concurrency
    team: str | None
    """The agent's own team or its file's; `None` when neither names one."""
    protected: bool


class Declared(Struct, frozen=True, kw_only=True):
    """Where an agent was declared."""

    source: Source | None
    """The line of the agent's (or its range's) declaration; `None` of values that no file declares."""
    origins: Mapping[str, Source]
    """Where each number was written: `total` and channel labels, each to the line of a profile or declaration."""


NOWHERE = Declared(source=None, origins=MappingProxyType({}))
"""Of an agent that no file declares."""


class Desired(Struct, frozen=True, kw_only=True):
    """A whole environment as desired."""

    site: Site
    agents: Mapping[AgentId, DesiredAgent]
    """Sorted by agent id, whatever order they come in."""
    declared: Mapping[AgentId, Declared] = field(default_factory=dict)
    """Where, of those who are declared in files. Worked out for whom it is asked, which is one agent in a hundred."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist; the copy is this value's own."""
        settle(self, "agents", by_agent(self.agents))
