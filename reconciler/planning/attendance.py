"""Who has to be asked for before a plan compares sessions, what the answer came to, and who has waited before.

Rules of this file: it is given keys and never a session; a key is compared and counted, and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.agent import AgentId
from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.desired import Desired
from reconciler.model.plan import Change, Forget, Scope
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import State
from reconciler.planning.age import instant
from reconciler.planning.selection import in_scope

SessionKeys = Mapping[AgentId, str | None]
"""Who has a session now, and its key: `None` where the source gives none. Who is not in it has no session."""


def agents_to_ask(desired: Desired, state: State, scope: Scope) -> tuple[AgentId, ...]:
    """Return the agents whose sessions matter to a plan, sorted: all that it looks at and would not just forget."""
    forgets = desired.site.on_agent_removal is OnAgentRemoval.FORGET
    candidates = desired.agents if forgets else {*desired.agents, *state.agents}
    return tuple(
        agent
        for agent in sorted(candidates)
        if in_scope(scope, agent, desired.agents.get(agent), state.agents.get(agent))
    )


def sessions_seen(changes: Iterable[Change], unchanged: Iterable[AgentId], keys: SessionKeys) -> SessionsSeen:
    """Return what `keys`, read for `agents_to_ask`, tell about the plan of these changes."""
    called = [change.agent for change in changes if not isinstance(change, Forget)]
    asked = [*called, *unchanged]
    found = [agent for agent in asked if agent in keys]
    return SessionsSeen(
        asked=len(asked),
        known=len(found),
        keyless=sum(1 for agent in found if keys[agent] is None),
        absent=tuple(agent for agent in called if agent not in keys),
    )


def waits_of(changes: Iterable[Change], state: State) -> Waits | None:
    """Return which calls of `changes` wait for their agents, by the state, or `None` if none does."""
    agents = [change.agent for change in changes if not isinstance(change, Forget) and change.agent in state.pending]
    if not agents:
        return None
    since = min((state.pending[agent].first_deferred_at for agent in agents), key=instant)
    return Waits(agents=tuple(agents), since=since)
