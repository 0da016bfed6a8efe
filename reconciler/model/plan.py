"""A plan: each agent of desired ∪ state exactly once, with what is to be done and why.

The family of changes is closed: `Change` is a union of four frozen classes, and whoever handles it ends with
`assert_never`. Agents with nothing to do are kept as bare ids, since there can be a hundred thousand of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from reconciler.model.agent import AgentId, AgentRange
from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.bounds import require_number
from reconciler.model.capacity import Capacity
from reconciler.model.changed_since import ChangedSince
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.going_back import GoingBack
from reconciler.model.standing import StandingChange
from reconciler.model.state import AgentRecord
from reconciler.values import Struct, field, settle


class Action(StrEnum):
    """What is to be done with an agent."""

    SET = "set"
    REASSERT = "reassert"
    FORGET = "forget"
    RESET = "reset"
    UNCHANGED = "unchanged"


class Reason(StrEnum):
    """Why it is to be done. docs/planning.md says when exactly each one comes."""

    NEW = "new"
    CHANGED = "changed"
    KEY_SPELLING = "key-spelling"
    IN_DOUBT = "in-doubt"
    NEW_SESSION = "new-session"
    OLDER_THAN = "older-than"
    REQUESTED = "requested"
    NOT_DESIRED = "not-desired"


class EditKind(StrEnum):
    """What happens to one number of an agent."""

    ADDED = "added"
    CHANGED = "changed"
    CLOSED = "closed"
    """Recorded, no longer desired: sent once as 0."""
    OMITTED = "omitted"
    """Recorded, no longer desired: left out of the call."""


class Edit(Struct, frozen=True):
    """One number that differs between what is recorded and what will be sent."""

    field: str
    """`total` or `channels.<label>`, such as `channels.web_chat`."""
    kind: EditKind
    before: int | None
    after: int | None
    cause: Source | None = None
    """The line that gives the new number: often a profile's, not the agent's."""


class Set(Struct, frozen=True, kw_only=True):
    """Send values that differ from what is recorded (or were sent under the other key spelling)."""

    action: ClassVar[Action] = Action.SET
    agent: AgentId
    team: str | None
    reason: Reason
    before: Concurrency | None
    after: Concurrency
    edits: tuple[Edit, ...] = ()
    source: Source | None = None
    protected: bool = False
    """To be recorded with the values, so that the protection outlives its line in the YAML."""


class Reassert(Struct, frozen=True, kw_only=True):
    """Send the recorded values again."""

    action: ClassVar[Action] = Action.REASSERT
    agent: AgentId
    team: str | None
    reason: Reason
    before: Concurrency
    after: Concurrency
    edits: tuple[Edit, ...] = ()
    source: Source | None = None
    protected: bool = False


class Forget(Struct, frozen=True, kw_only=True):
    """Drop the record of an agent who is no longer desired; nothing is sent."""

    action: ClassVar[Action] = Action.FORGET
    agent: AgentId
    team: str | None
    reason: Reason
    before: Concurrency
    after: None = None
    edits: tuple[Edit, ...] = ()
    source: Source | None = None


class Reset(Struct, frozen=True, kw_only=True):
    """Send the site's reset values to an agent who is no longer desired, then drop the record."""

    action: ClassVar[Action] = Action.RESET
    agent: AgentId
    team: str | None
    reason: Reason
    before: Concurrency
    after: Concurrency
    edits: tuple[Edit, ...] = ()
    source: Source | None = None
    protected: bool = False


Change = Set | Reassert | Forget | Reset
Call = Set | Reassert | Reset
"""The changes that send something: exactly one `setcallnumsbymediatype` each."""


class Scope(Struct, frozen=True, kw_only=True):
    """Which agents were looked at. The rest was not read as removed: it was not read at all."""

    teams: tuple[str, ...] = ()
    agents: tuple[AgentRange, ...] = ()
    excluded: tuple[AgentRange, ...] = ()
    channels: tuple[Channel, ...] = ()
    changed: ChangedSince | None = None
    """Only agents whose desired values differ from an earlier revision's."""

    @property
    def partial(self) -> bool:
        """Tell whether anything may have been left out."""
        narrowed = self.changed is not None and not self.changed.everybody
        return bool(self.teams or self.agents or self.excluded or self.channels or narrowed)


class PlanOptions(Struct, frozen=True, kw_only=True):
    """What was asked beyond the files; kept in a saved plan, so that planning afresh asks the same."""

    scope: Scope = field(default_factory=Scope)
    reassert_all: bool = False
    reassert_older_than: float | None = None
    """Seconds; needs `at`."""
    at: str | None = None
    """RFC 3339 with its offset: the plan's only notion of now. A plan reads no clock."""
    sessions: bool = False
    """Whether the keys of the sessions alive now are compared with the recorded ones. Whoever plans reads them."""

    def __post_init__(self) -> None:
        """Refuse an age that is none."""
        if self.reassert_older_than is not None:
            require_number("reassert_older_than", self.reassert_older_than, 0)


class Base(Struct, frozen=True, kw_only=True):
    """The state a plan was made against."""

    lineage: str | None
    serial: int


class GuardrailFinding(Struct, frozen=True, kw_only=True):
    """A guardrail that the plan exceeds, or an approval that names another number than the plan's."""

    guardrail: str
    """The setting's name, such as `max_changed_percent`."""
    planned: str
    """The plan's number in words, such as `45 of 100 recorded agents (45.0 %)`."""
    limit: str
    agents: tuple[AgentId, ...] = ()
    """The agents it is about, sorted, where it is about particular ones."""
    lifted: bool = False
    """A person named the plan's exact number of changes, so this one does not refuse it."""


class Plan(Struct, frozen=True, kw_only=True):
    """The whole plan. Its changes are sorted by agent, whatever order they come in; no agent is in it twice."""

    site: str
    url: str
    callnums_key: CallnumsKey
    base: Base
    options: PlanOptions
    changes: tuple[Change, ...]
    unchanged: tuple[AgentId, ...]
    findings: tuple[GuardrailFinding, ...] = ()
    """Guardrails exceeded, the lifted ones included."""
    signs_in: bool = False
    """Whether each call is made by signing its agent in and out again; else nobody is signed in or out."""
    fingerprint: str = ""
    """`sha256:…` over agent, action, before, after, url and key spelling of the changes."""
    capacity: tuple[Capacity, ...] = ()
    """What it does to the sessions of each team on each channel, in order of team and channel."""
    standing: tuple[StandingChange, ...] = ()
    """Who is recorded in another team or otherwise protected afterwards, with a call or without, sorted by agent."""
    waits: Waits | None = None
    """Which of the calls were due before and found nobody; `None` when it is the first time for all of them."""
    sessions: SessionsSeen | None = None
    """Who is signed in, if that was asked for; `None` if not."""
    going_back: GoingBack | None = None
    """Set in a plan that undoes a run: its changes lead to what was recorded before, and not to what is desired."""

    def __post_init__(self) -> None:
        """Sort, so that no disorder can exist, and refuse an agent with two fates."""
        settle(self, "changes", tuple(sorted(self.changes, key=lambda change: change.agent)))
        settle(self, "unchanged", tuple(sorted(self.unchanged)))
        settle(self, "standing", tuple(sorted(self.standing, key=lambda each: each.agent)))
        agents = sorted([*(change.agent for change in self.changes), *self.unchanged])
        twice = [agent for agent, following in pairwise(agents) if agent == following]
        if twice:
            raise ValueError(f"agent {twice[0]} is in the plan more than once")

    @property
    def calls(self) -> tuple[Call, ...]:
        """The changes that send something, in order."""
        return tuple(change for change in self.changes if not isinstance(change, Forget))

    @property
    def restored(self) -> Mapping[AgentId, AgentRecord]:
        """The records that are put back without a call: none but in a plan that undoes a run."""
        return {} if self.going_back is None else self.going_back.restored

    @property
    def does_something(self) -> bool:
        """Tell whether applying it changes anything, be it only a record."""
        return bool(self.changes or self.restored or self.standing)

    @property
    def refusals(self) -> tuple[GuardrailFinding, ...]:
        """The findings that stand between this plan and its application."""
        return tuple(finding for finding in self.findings if not finding.lifted)

    @property
    def applyable(self) -> bool:
        """There is something to do and no guardrail objects."""
        return self.does_something and not self.refusals

    def count(self, action: Action) -> int:
        """Count the agents with this action."""
        if action is Action.UNCHANGED:
            return len(self.unchanged)
        return sum(1 for change in self.changes if change.action is action)
