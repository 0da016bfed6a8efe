"""What the gateway last acknowledged: the only memory there is, since live values cannot be read back.

Rule: texts say "recorded", never "actual". A record never holds a Guid, a cookie, a password or a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.site import CallnumsKey


class RecordStatus(StrEnum):
    """How sure the record is."""

    ACKNOWLEDGED = "acknowledged"
    """The gateway answered retcode "0" to exactly these values."""
    IN_DOUBT = "in_doubt"
    """These values were sent, or were about to be, and no answer is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """What is recorded of one agent."""

    concurrency: Concurrency
    """The values last sent, zeros that closed a channel included."""
    callnums_key: CallnumsKey
    """The spelling they were sent with."""
    acknowledged_at: str | None
    """RFC 3339, UTC, `Z`; of the last acknowledgement, so `None` for an agent in doubt that never had one."""
    session: str | None = None
    """The session's opaque key if its source gave one. Never the Guid."""
    team: str | None = None
    protected: bool = False
    """Remembered, so that deleting the entry from the YAML does not lift the protection."""
    status: RecordStatus = RecordStatus.ACKNOWLEDGED


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The records of one site."""

    lineage: str | None
    """The UUID given to this state at its birth; `None` as long as nothing was ever written."""
    serial: int
    """Rises by one whenever a write changes the content; 0 as long as nothing was ever written."""
    site: str
    agents: Mapping[AgentId, AgentRecord] = field(default_factory=dict)
    """Sorted by agent id, whatever order they come in."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist; the copy is this state's own."""
        object.__setattr__(self, "agents", dict(sorted(self.agents.items())))

    def with_agents(self, agents: Mapping[AgentId, AgentRecord]) -> State:
        """Return this state with other records; lineage and serial are the writer's business."""
        return replace(self, agents=agents)


def empty_state(site: str) -> State:
    """Return the state of a site of which nothing was ever recorded."""
    return State(lineage=None, serial=0, site=site)
