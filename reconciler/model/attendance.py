"""Who was there: what a plan knows of its agents' sessions, and whose change has waited for its agent before.

Rule: a session appears here as a number, never as a Guid or a key. What was seen was true at one moment only.
"""

from __future__ import annotations

from reconciler.model.agent import AgentId
from reconciler.values import Struct, settle


class SessionsSeen(Struct, frozen=True, kw_only=True):
    """What the session source said when the plan was made. The next minute may be another."""

    asked: int
    """Agents asked for: all of the plan but those to be forgotten."""
    known: int
    """Those of them who have a session."""
    keyless: int
    """Sessions whose source gave no key, so that nobody can tell whether they are new."""
    absent: tuple[AgentId, ...]
    """Agents whose call is planned and who have no session: deferred if it were sent now. Sorted."""

    def __post_init__(self) -> None:
        """Sort, and refuse numbers that cannot be."""
        settle(self, "absent", tuple(sorted(self.absent)))
        if not 0 <= self.keyless <= self.known <= self.asked - len(self.absent):
            raise ValueError(
                f"of {self.asked} agents asked for, {self.known} cannot have a session ({self.keyless} without a key) "
                f"while {len(self.absent)} have none"
            )


class Waits(Struct, frozen=True, kw_only=True):
    """Planned calls that were due before and found their agents absent."""

    agents: tuple[AgentId, ...]
    """At least one; sorted."""
    since: str
    """When the one that waits longest was first deferred: RFC 3339, UTC."""

    def __post_init__(self) -> None:
        """Sort, and refuse a wait of nobody."""
        settle(self, "agents", tuple(sorted(self.agents)))
        if not self.agents:
            raise ValueError("agents is empty, and a wait needs one who waits")
