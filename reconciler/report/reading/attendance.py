"""What a saved plan says of sessions and waits, read back and held against the rest of it."""

from __future__ import annotations

from reconciler.model.agent import AgentId
from reconciler.model.attendance import SessionsSeen, Waits
from reconciler.model.plan import Plan
from reconciler.report.reading.envelope import agents_once
from reconciler.report.reading.values import ContradictionError, Fields, count, instant


def sessions_seen(value: object) -> SessionsSeen:
    """Read what was seen of the sessions."""
    fields = Fields(value)
    asked, known, keyless = (fields.take(name, count) for name in ("asked", "known", "keyless"))
    absent = fields.take("absent", agents_once)
    fields.finish()
    return SessionsSeen(asked=asked, known=known, keyless=keyless, absent=absent)


def waits(value: object) -> Waits:
    """Read who has waited before."""
    fields = Fields(value)
    agents, since = fields.take("agents", agents_once), fields.take("since", instant)
    fields.finish()
    return Waits(agents=agents, since=since)


def require_attendance(plan: Plan, *, unchanged: int) -> None:
    """Refuse a plan whose sessions and waits are those of another.

    Raises:
        ContradictionError: they speak of agents without a call, of another number of agents, or were not asked for.
    """
    if plan.options.sessions is not (plan.sessions is not None):
        raise ContradictionError("contradicts options.sessions, which says whether they were looked at", ".sessions")
    called = {call.agent for call in plan.calls}
    if plan.sessions is not None:
        if plan.sessions.asked != len(called) + unchanged:
            raise ContradictionError("contradicts the summary, which counts other agents", ".sessions.asked")
        _require_called(plan.sessions.absent, called, ".sessions.absent")
    if plan.waits is not None:
        _require_called(plan.waits.agents, called, ".waits.agents")


def _require_called(agents: tuple[AgentId, ...], called: set[AgentId], place: str) -> None:
    for agent in agents:
        if agent not in called:
            raise ContradictionError(f"agent {agent} has no call in this plan", place)
