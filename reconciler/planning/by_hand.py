"""Who is meant by a change of the state by hand, and what is to become of them.

Rule of this file: a selection means here whom `state show` lists for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.agent import AgentId
from reconciler.model.by_hand import Adoption, Removal
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Scope
from reconciler.model.state import AgentRecord, State
from reconciler.planning.selection import in_scope
from reconciler.planning.standing import is_protected


def removal(desired: Desired, state: State, scope: Scope) -> Removal:
    """Return what `scope` selects of what is recorded, to be dropped."""
    records = {agent: record for agent, record in state.agents.items() if in_scope(scope, agent, None, record)}
    waiting = {
        agent: wait
        for agent, wait in state.pending.items()
        if agent in records or (agent not in state.agents and in_scope(scope, agent, desired.agents.get(agent), None))
    }
    return Removal(
        state=state,
        records=records,
        waiting=waiting,
        desired=frozenset(agent for agent in (*records, *waiting) if agent in desired.agents),
        protected=_protected(records, desired, state),
    )


def adoption(desired: Desired, state: State, scope: Scope, *, at: str, replace: bool) -> Adoption:
    """Return what `scope` selects of what is desired, to be recorded as acknowledged.

    Args:
        desired: what the YAML says.
        state: what is recorded.
        scope: whom it is about.
        at: when somebody says so: RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        replace: whether records that say something else are replaced; else those agents are left out.
    """
    key = desired.site.gateway.callnums_key
    meant = {
        agent: _adopted(wanted, key, at)
        for agent, wanted in desired.agents.items()
        if in_scope(scope, agent, wanted, state.agents.get(agent))
    }
    same = {agent for agent, record in meant.items() if _says_the_same(record, state.agents.get(agent))}
    other = {agent: state.agents[agent] for agent in meant if agent in state.agents and agent not in same}
    records = {agent: each for agent, each in meant.items() if agent not in same and (replace or agent not in other)}
    before = {agent: record for agent, record in other.items() if agent in records}
    return Adoption(
        state=state,
        records=records,
        before=before,
        recorded=tuple(agent for agent in other if agent not in records),
        same=tuple(sorted(same)),
        waiting={agent: wait for agent, wait in state.pending.items() if agent in records or agent in same},
        protected=_protected(before, desired, state),
    )


def _adopted(wanted: DesiredAgent, key: CallnumsKey, at: str) -> AgentRecord:
    return AgentRecord.of(
        concurrency=wanted.concurrency,
        callnums_key=key,
        acknowledged_at=at,
        session=None,
        team=wanted.team,
        protected=wanted.protected,
    )


def _says_the_same(record: AgentRecord, recorded: AgentRecord | None) -> bool:
    """Tell whether both say the same, whenever and in whatever session it was acknowledged."""
    return recorded is not None and record.holding == recorded.holding


def _protected(agents: Iterable[AgentId], desired: Desired, state: State) -> tuple[AgentId, ...]:
    return tuple(agent for agent in agents if is_protected(agent, desired, state))
