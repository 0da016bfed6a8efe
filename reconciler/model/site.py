"""The settings of one site, as `site.yaml` gives them once read, defaults filled in.

Paths are kept as written (relative to the environment's directory): resolving them is the work of whoever opens them,
and an absolute path must never reach a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.agent import AgentId, AgentRange
from reconciler.model.bounds import require_number, require_whole
from reconciler.model.capacity import CapacityFloor
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.session_settings import FileSessions, SessionUse
from reconciler.model.state_settings import LocalState
from reconciler.values import Struct, field

if TYPE_CHECKING:  # a site uses one of each
    from reconciler.model.session_sources import SessionSettings
    from reconciler.model.states_away import StateSettings


class OnChannelRemoval(StrEnum):
    """What a channel gets that is recorded and no longer desired."""

    ZERO = "zero"
    """It is sent once as 0."""
    OMIT = "omit"
    """It is left out of the call."""


class OnAgentRemoval(StrEnum):
    """What becomes of an agent that is recorded and no longer desired."""

    FORGET = "forget"
    """No call; its record is dropped."""
    RESET = "reset"
    """One last call with the site's `reset` values; then its record is dropped."""


class RetcodeClass(StrEnum):
    """What is done about a retcode of the gateway. The table itself is `gateway.retcodes`."""

    DEFERRED = "deferred"
    """The agent is not there: nothing is wrong, try again in another run."""
    REREAD_SESSION = "re-read-session"
    """The Guid is no longer good: read the session once more, then defer."""
    TRANSIENT = "transient"
    """Wait and try again."""
    PERMANENT = "permanent"
    """Trying again changes nothing for this agent."""
    STOP = "stop"
    """No agent would fare better: the run ends."""


class GuardrailSettings(Struct, frozen=True, kw_only=True):
    """How much may change at once before a person must say the number aloud."""

    max_changed_percent: float | None = 30.0
    """Recorded agents changed or removed, in percent (0 to 100) of the recorded agents; `None` switches it off."""
    min_population: int = 10
    """Below so many recorded agents the percentage does not apply."""
    max_changed_agents: int | None = None
    """The same count as an absolute number; `None` switches it off."""
    max_to_zero: int | None = None
    """Agents for whom a call takes a channel from above 0 to 0, or leaves it out; `None` switches it off."""
    max_delta: Mapping[Channel | None, int] = field(default_factory=dict)
    """By how much a call may change one agent's number on a channel (`None`: the total), up or down."""
    capacity_floor: tuple[CapacityFloor, ...] = ()
    """What must be left of a team's sessions on a channel."""
    protected_agents: tuple[AgentRange, ...] = ()
    protected_teams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a limit that cannot be kept or cannot be exceeded by anything."""
        if self.max_changed_percent is not None:
            require_number("max_changed_percent", self.max_changed_percent, 0, 100)
        require_whole("min_population", self.min_population, 0)
        for name, limit in (("max_changed_agents", self.max_changed_agents), ("max_to_zero", self.max_to_zero)):
            if limit is not None:
                require_whole(name, limit, 0)
        for limit in self.max_delta.values():
            require_whole("max_delta", limit, 0)

    def protects(self, agent: AgentId, teams: tuple[str, ...]) -> bool:
        """Tell whether `agent`, member of any of `teams`, is protected by the site's own lists."""
        return any(agent in span for span in self.protected_agents) or any(t in self.protected_teams for t in teams)


DEFAULT_RESET = Concurrency.of(1, {Channel.WEB_CHAT: 1})


class Site(Struct, frozen=True, kw_only=True):
    """Everything `site.yaml` says."""

    name: str
    gateway: GatewaySettings
    sessions: SessionSettings = field(default_factory=lambda: FileSessions(path="sessions.json"))
    session_use: SessionUse = field(default_factory=SessionUse)
    state: StateSettings = field(default_factory=LocalState)
    on_channel_removal: OnChannelRemoval = OnChannelRemoval.ZERO
    on_agent_removal: OnAgentRemoval = OnAgentRemoval.FORGET
    reset: Concurrency = DEFAULT_RESET
    """What `on_agent_removal: reset` sends."""
    guardrails: GuardrailSettings = field(default_factory=GuardrailSettings)
    retcodes: Mapping[str, RetcodeClass] = field(default_factory=dict)
    """Retcodes (or families, `106-*`) that this site judges otherwise than the table."""
