"""Changes of the state by hand: records that are dropped, or put there, without a call to the gateway.

Rules of this file: values, and what they make of a state. Who may be meant by a change is decided in `planning`.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.state import AgentRecord, Pending, RecordStatus, State
from reconciler.values import Struct, replace


class Removal(Struct, frozen=True, kw_only=True):
    """Records, and waits of those without a record, that are to be dropped."""

    state: State
    """What is recorded now."""
    records: Mapping[AgentId, AgentRecord]
    waiting: Mapping[AgentId, Pending]
    """Waits that end with it: of those whose record is dropped, and of those who never had one."""
    desired: frozenset[AgentId]
    """Those of them who are desired still, and will be planned as new."""
    protected: tuple[AgentId, ...]
    """Those of the recorded who are protected: as recorded, as desired, or by the site."""

    @property
    def in_doubt(self) -> tuple[AgentId, ...]:
        """Return those whose last call has no known answer."""
        return tuple(agent for agent, each in self.records.items() if each.status is RecordStatus.IN_DOUBT)

    @property
    def result(self) -> State:
        """Return the state without them."""
        state = self.state
        agents = {agent: record for agent, record in state.agents.items() if agent not in self.records}
        pending = {agent: wait for agent, wait in state.pending.items() if agent not in self.waiting}
        return replace(state, agents=agents, pending=pending)


class Adoption(Struct, frozen=True, kw_only=True):
    """Desired values that are to be recorded as acknowledged, on somebody's word."""

    state: State
    """What is recorded now."""
    records: Mapping[AgentId, AgentRecord]
    """What is to be recorded."""
    before: Mapping[AgentId, AgentRecord]
    """What is recorded now of those of them who have a record, which is replaced."""
    recorded: tuple[AgentId, ...]
    """Who has another record and keeps it."""
    same: tuple[AgentId, ...]
    """Whose record says all of it already."""
    waiting: Mapping[AgentId, Pending]
    """Waits that end with it, since nothing is due any more."""
    protected: tuple[AgentId, ...]
    """Those of `before` who are protected: as recorded, as desired, or by the site."""

    @property
    def left_open(self) -> Mapping[Channel, tuple[AgentId, ...]]:
        """Return the channels that are open as recorded and not desired: after this, no plan closes them."""
        found: dict[Channel, list[AgentId]] = {}
        for agent, before in self.before.items():
            kept = {channel for channel, _ in self.records[agent].concurrency.channels}
            for channel, sessions in before.concurrency.channels:
                if sessions and channel not in kept:
                    found.setdefault(channel, []).append(agent)
        return {channel: tuple(found[channel]) for channel in sorted(found)}

    @property
    def result(self) -> State:
        """Return the state with them."""
        state = self.state
        pending = {agent: wait for agent, wait in state.pending.items() if agent not in self.waiting}
        return replace(state, agents={**state.agents, **self.records}, pending=pending)
