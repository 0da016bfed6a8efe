"""The way back from a run: whom it changed, and what was recorded of them before.

Rules of this file: an inverse says what was, never what to send; that is planned when somebody goes back, from what is
recorded then. It holds no time but the run's own, no path and no secret.
"""

from __future__ import annotations

from itertools import pairwise

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.outcome import Result
from reconciler.model.plan import Action
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.values import Struct, settle

REVERSIBLE = frozenset({Action.SET, Action.RESET, Action.FORGET})
"""What a run does that changes something; a repetition of the recorded values does not."""


class InverseChange(Struct, frozen=True, kw_only=True):
    """One agent whom the run changed, or, before it has ended, may have changed."""

    agent: AgentId
    action: Action
    """What the run did, one of `REVERSIBLE`."""
    before: AgentRecord | None
    """What was recorded; `None` when nothing was, so that nobody knows what there is to go back to."""
    after: Concurrency | None
    """What the call carried; `None` for a record that was dropped without a call."""
    result: Result | None = None
    """How the run ended for the agent; `None` as long as that is not known. Told to people, and not relied on."""

    def __post_init__(self) -> None:
        """Refuse what no run can have done."""
        if self.action not in REVERSIBLE:
            raise ValueError(f"{self.action} changes nothing that could be taken back")
        if (self.after is None) is not (self.action is Action.FORGET):
            raise ValueError(f"{self.action} does not fit what was sent")
        if self.before is None and self.action is not Action.SET:
            raise ValueError(f"{self.action} needs a record to be dropped")

    @property
    def certain(self) -> bool:
        """Tell whether what was recorded before had been acknowledged."""
        return self.before is not None and self.before.status is RecordStatus.ACKNOWLEDGED


class InversePlan(Struct, frozen=True, kw_only=True):
    """The way back from one run. Its changes are sorted by agent, whatever order they come in; nobody is in twice."""

    site: str
    url: str
    callnums_key: CallnumsKey
    """The spelling the run used. Going back uses the site's own, as every run does."""
    lineage: str | None
    """Of the state the run was made on; `None` when it was the first one ever and has not ended."""
    serial_before: int
    serial_after: int | None
    """Of the state as the run left it; `None` as long as it has not ended."""
    left_by: str
    """The command that left it: `apply`, or `rollback`, whose inverse goes forward again."""
    begun_at: str
    """When the run began to change things: RFC 3339, UTC."""
    changes: tuple[InverseChange, ...]
    fingerprint: str = ""
    """`sha256:…` over all of the above, see `planning.inverse`."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist, and refuse an agent with two pasts."""
        settle(self, "changes", tuple(sorted(self.changes, key=lambda change: change.agent)))
        twice = [change.agent for change, following in pairwise(self.changes) if change.agent == following.agent]
        if twice:
            raise ValueError(f"agent {twice[0]} is in it more than once")

    @property
    def finished(self) -> bool:
        """Tell whether the run has come to its end, so that exactly those it changed are in it."""
        return self.serial_after is not None
