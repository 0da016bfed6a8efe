"""What the gateway last acknowledged: the only memory there is, since live values cannot be read back.

Rule: texts say "recorded", never "actual". A record never holds a Guid, a cookie, a password or a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.ordering import by_agent
from reconciler.values import Struct, field, replace, settle


class RecordStatus(StrEnum):
    """How sure the record is."""

    ACKNOWLEDGED = "acknowledged"
    """The gateway answered retcode "0" to exactly these values."""
    IN_DOUBT = "in_doubt"
    """These values were sent, or were about to be, and no answer is known."""


class Holding(Struct, frozen=True, kw_only=True, cache_hash=True):
    """What is recorded of many agents alike: all but the time and the session, so there are far fewer than agents.

    Whatever walks a whole fleet looks at each holding once: as the key of a dictionary it costs next to nothing, since
    it keeps its hash, and a state that was read has equal ones only once.
    """

    concurrency: Concurrency
    """The values last sent, zeros that closed a channel included."""
    callnums_key: CallnumsKey
    """The spelling they were sent with."""
    team: str | None = None
    protected: bool = False
    """Remembered, so that deleting the entry from the YAML does not lift the protection."""
    status: RecordStatus = RecordStatus.ACKNOWLEDGED


class AgentRecord(Struct, frozen=True, gc=False):
    """What is recorded of one agent. Small, by position and unknown to the collector: a state makes a million of them.

    Build a single one with `of`.
    """

    holding: Holding
    acknowledged_at: str | None
    """RFC 3339, UTC, `Z`; of the last acknowledgement, so `None` for an agent in doubt that never had one."""
    session: str | None = None
    """The session's opaque key if its source gave one. Never the Guid."""

    @classmethod
    def of(
        cls,
        *,
        concurrency: Concurrency,
        callnums_key: CallnumsKey,
        acknowledged_at: str | None,
        session: str | None = None,
        team: str | None = None,
        protected: bool = False,
        status: RecordStatus = RecordStatus.ACKNOWLEDGED,
    ) -> AgentRecord:
        """Return the record that says this."""
        holding = Holding(
            concurrency=concurrency, callnums_key=callnums_key, team=team, protected=protected, status=status
        )
        return cls(holding, acknowledged_at, session)

    def amended(self, **changes: object) -> AgentRecord:
        """Return this record with other fields, be they its own or of what it holds."""
        own = {name: changes.pop(name) for name in ("acknowledged_at", "session") if name in changes}
        return replace(self, holding=replace(self.holding, **changes) if changes else self.holding, **own)

    @property
    def concurrency(self) -> Concurrency:
        """The holding's."""
        return self.holding.concurrency

    @property
    def callnums_key(self) -> CallnumsKey:
        """The holding's."""
        return self.holding.callnums_key

    @property
    def team(self) -> str | None:
        """The holding's."""
        return self.holding.team

    @property
    def protected(self) -> bool:
        """The holding's."""
        return self.holding.protected

    @property
    def status(self) -> RecordStatus:
        """The holding's."""
        return self.holding.status


MAX_ATTEMPTS = 2**53 - 1
"""Where counting ends: the largest whole number that every JSON reader keeps exactly."""


class Pending(Struct, frozen=True, kw_only=True):
    """A change that is due and waits for its agent, who was not there. Who was never applied waits without a record.

    It ends with an acknowledgement, with the record (or the wish) being dropped, or when a run has nothing to send for
    the agent any more. A failure or a doubt neither begins nor ends it: the change is still due.
    """

    first_deferred_at: str
    """RFC 3339, UTC, `Z`: since when it waits, whatever the change has become meanwhile."""
    last_deferred_at: str
    attempts: int
    """Runs that deferred the agent, 1 or more. Not the calls that were sent."""
    retcode: str | None = None
    """The gateway's word at the last deferral; `None` when no session was known, so that nothing was sent."""

    def again(self, *, at: str, retcode: str | None) -> Pending:
        """Return this wait after one more deferral."""
        return replace(self, last_deferred_at=at, attempts=min(self.attempts + 1, MAX_ATTEMPTS), retcode=retcode)


class OpenRun(Struct, frozen=True, kw_only=True):
    """A run that has begun and, as far as this state knows, has not ended: whoever it was to call is in doubt.

    Only a state that is kept away from the machine of the run says so; beside a local one stands the journal.
    """

    run: str
    """The id of the run, as its lock has it."""
    since: str
    """RFC 3339, UTC, `Z`."""
    who: str
    """`user@host`, for people."""


class State(Struct, frozen=True, kw_only=True):
    """The records of one site."""

    lineage: str | None
    """The UUID given to this state at its birth; `None` as long as nothing was ever written."""
    serial: int
    """Rises by one whenever a write changes the content; 0 as long as nothing was ever written."""
    site: str
    agents: Mapping[AgentId, AgentRecord] = field(default_factory=dict)
    """Sorted by agent id, whatever order they come in."""
    pending: Mapping[AgentId, Pending] = field(default_factory=dict)
    """Whose change waits for them, with a record or without. Sorted likewise."""
    open_run: OpenRun | None = None
    """The run that has not ended; what it was to send is in the records already, in doubt."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist; the copies are this state's own."""
        settle(self, "agents", by_agent(self.agents))
        settle(self, "pending", by_agent(self.pending))

    @property
    def content(self) -> tuple[Mapping[AgentId, AgentRecord], Mapping[AgentId, Pending], OpenRun | None]:
        """Everything that is recorded: two states with equal content need no second write."""
        return self.agents, self.pending, self.open_run

    def with_agents(self, agents: Mapping[AgentId, AgentRecord]) -> State:
        """Return this state with other records; lineage and serial are the writer's business."""
        return replace(self, agents=agents)


def empty_state(site: str) -> State:
    """Return the state of a site of which nothing was ever recorded."""
    return State(lineage=None, serial=0, site=site)
