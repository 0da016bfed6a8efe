"""After a rollback the YAML still says what it said: who would be set again by the next plan, and what to do.

Rule of this file: it does not guess from what was undone. It plans for the agents that were taken back, and looks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.plan import Plan, Reassert
from reconciler.model.state import AgentRecord, State, empty_state
from reconciler.planning import make_plan
from reconciler.values import replace

_NAMED = 12
_T = TypeVar("_T")


def still_desired(desired: Desired, plan: Plan, after: State | None = None) -> tuple[AgentId, ...]:
    """Return the agents of a rollback whom the next plan would change again.

    Args:
        desired: what the YAML says.
        plan: the rollback's.
        after: what is recorded after it; without one, what would be if all of it were acknowledged.
    """
    agents = {*(call.agent for call in plan.calls), *plan.restored}
    records = _foreseen(plan) if after is None else after.agents
    state = replace(empty_state(plan.site), agents=_of(records, agents))
    following = make_plan(replace(desired, agents=_of(desired.agents, agents)), state)
    return tuple(change.agent for change in following.changes if not isinstance(change, Reassert))


def git_must_follow(agents: Sequence[AgentId]) -> tuple[Diagnostic, ...]:
    """Return what to tell people of these agents, if there are any."""
    if not agents:
        return ()
    ranges = [str(span) for span in summarise_agents(agents)]
    named = ", ".join(ranges[:_NAMED]) + (", …" if len(ranges) > _NAMED else "")
    count = "1 agent" if len(agents) == 1 else f"{len(agents)} agents"
    return (
        Diagnostic(
            severity=Severity.WARNING,
            code="git-must-follow",
            summary=f"the YAML still asks for something else for {count}, and the next plan will list them: {named}",
            detail="revert the commit that asked for it; with that, the plan is empty for them",
        ),
    )


def _of(everybody: Mapping[AgentId, _T], agents: Collection[AgentId]) -> dict[AgentId, _T]:
    return {agent: each for agent, each in everybody.items() if agent in agents}


def _foreseen(plan: Plan) -> dict[AgentId, AgentRecord]:
    acknowledged = {
        call.agent: AgentRecord.of(concurrency=call.after, callnums_key=plan.callnums_key, acknowledged_at=None)
        for call in plan.calls
    }
    return {**acknowledged, **plan.restored}
