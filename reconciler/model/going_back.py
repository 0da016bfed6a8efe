"""What a plan that goes back from a run says besides its changes: whom it cannot take back, whom it need not call."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.agent import AgentId
from reconciler.model.ordering import by_agent
from reconciler.model.state import AgentRecord
from reconciler.values import Struct, field, settle


class GoingBack(Struct, frozen=True, kw_only=True):
    """Everybody of the run that is undone and has no change in the plan, or one with a doubt. Agents are sorted."""

    left_by: str
    """The command whose run is undone: `apply` or `rollback`."""
    begun_at: str
    """When that run began: RFC 3339, UTC."""
    finished: bool
    """Whether that run came to its end. If not, all are looked at whom it may have changed."""
    restored: Mapping[AgentId, AgentRecord] = field(default_factory=dict)
    """Records that the run dropped without a call. They are put back without one: the gateway kept the values."""
    unknown: tuple[AgentId, ...] = ()
    """Not recorded before the run. There is nothing to go back to, so they keep what it gave them."""
    uncertain: tuple[AgentId, ...] = ()
    """In the plan, and what was recorded of them before was in doubt: it may never have been in force."""
    changed_since: tuple[AgentId, ...] = ()
    """Recorded now as neither the run left them nor as they were before; the plan leaves them alone."""
    already: tuple[AgentId, ...] = ()
    """Recorded now as they were before the run."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist; the copy is this value's own."""
        settle(self, "restored", by_agent(self.restored))
        for name in ("unknown", "uncertain", "changed_since", "already"):
            settle(self, name, tuple(sorted(getattr(self, name))))

    @property
    def agents(self) -> tuple[AgentId, ...]:
        """Everybody it speaks of."""
        everybody = {*self.restored, *self.unknown, *self.uncertain, *self.changed_since, *self.already}
        return tuple(sorted(everybody))
