"""Which agents a plan looks at: the selection flags as one predicate.

An agent outside the selection is not read as removed. It is simply not in the plan.
"""

from __future__ import annotations

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.desired import DesiredAgent
from reconciler.model.plan import Scope
from reconciler.model.state import AgentRecord


def in_scope(scope: Scope, agent: AgentId, wanted: DesiredAgent | None, record: AgentRecord | None) -> bool:
    """Tell whether `scope` selects `agent`.

    The kinds of selection narrow one another; within a kind, any match will do. A team or channel matches when it is
    desired or recorded, so that an agent who moves out of a team is still seen from there.
    """
    if scope.changed is not None and agent not in scope.changed:
        return False
    if any(agent in span for span in scope.excluded):
        return False
    if scope.agents and not any(agent in span for span in scope.agents):
        return False
    if scope.teams and not _teams(wanted, record) & set(scope.teams):
        return False
    return not scope.channels or bool(_channels(wanted, record) & set(scope.channels))


def _teams(wanted: DesiredAgent | None, record: AgentRecord | None) -> set[str | None]:
    return {side.team for side in (wanted, record) if side is not None}


def _channels(wanted: DesiredAgent | None, record: AgentRecord | None) -> set[Channel]:
    return {channel for side in (wanted, record) if side is not None for channel, _ in side.concurrency.channels}
