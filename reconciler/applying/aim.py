"""What a run is to bring about: its plan, and what else its records need. There are two aims, and no third one.

Rules of this file: an aim is asked under the lock, for one state, and asks nobody but the session source. A plan that
does not keep what was promised is an exception; guardrails are the procedure's business, whatever the aim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from reconciler.applying.promises import hold_to_recorded, hold_to_reviewed, require_same_place
from reconciler.applying.request import ApplyRequest
from reconciler.applying.run import Note
from reconciler.model.agent import AgentId
from reconciler.model.inverse import InversePlan
from reconciler.model.plan import Plan
from reconciler.model.state import State
from reconciler.planning import SessionKeys, agents_to_ask, in_scope, make_plan, plan_back

ReadKeys = Callable[[Sequence[AgentId]], SessionKeys]


class Aim(Protocol):
    """What a run is for."""

    def plan(self, state: State) -> Plan:
        """Return the plan from what is recorded.

        Raises:
            StalePlanError: it would not be what was promised.
        """
        ...

    def notes(self, plan: Plan, state: State) -> Mapping[AgentId, Note]:
        """Return what is to be recorded of agents whose values stay and whose team or protection does not."""
        ...

    def not_due(self, plan: Plan, state: State) -> tuple[AgentId, ...]:
        """Return who waits, was looked at, and has nothing to be sent any more."""
        ...


def aim_of(request: ApplyRequest, session_keys: ReadKeys) -> Aim:
    """Return the aim of `request`."""
    if request.undo is not None:
        return BackFromRun(request.undo, request)
    return TowardsDesired(request, session_keys)


class TowardsDesired:
    """What the YAML says; with a reviewed plan, no more than that."""

    def __init__(self, request: ApplyRequest, session_keys: ReadKeys) -> None:
        """Take what is desired, and who reads the keys of the sessions alive if they are to be compared."""
        self._request = request
        self._desired = request.desired
        self._session_keys = session_keys

    def plan(self, state: State) -> Plan:
        """Plan afresh, and hold the plan against the reviewed one; see `Aim`."""
        desired, request, reviewed = self._desired, self._request, self._request.reviewed
        options = request.options if reviewed is None else reviewed.options
        keys = self._session_keys(agents_to_ask(desired, state, options.scope)) if options.sessions else None
        plan = make_plan(desired, state, options, session_keys=keys, allow_changes=request.allow_changes)
        if reviewed is not None:
            hold_to_reviewed(plan, reviewed, allow_shrink=request.allow_shrink)
        return plan

    def notes(self, plan: Plan, state: State) -> Mapping[AgentId, Note]:
        """Return what is new about agents without a call; see `Aim`."""
        del state
        called = {change.agent for change in plan.changes}
        return {
            each.agent: Note(team=each.after.team, protected=each.after.protected)
            for each in plan.standing
            if each.agent not in called
        }

    def not_due(self, plan: Plan, state: State) -> tuple[AgentId, ...]:
        """Return whose wait is over. A change that is planned still waits; see `Aim`."""
        desired, planned = self._desired, {change.agent for change in plan.changes}
        return tuple(
            agent
            for agent in state.pending
            if agent not in planned
            and in_scope(plan.options.scope, agent, desired.agents.get(agent), state.agents.get(agent))
        )


class BackFromRun:
    """What was recorded before a run. Who has no change here is not looked at, so nothing is noted of them."""

    def __init__(self, undo: InversePlan, request: ApplyRequest) -> None:
        """Take what the run left, and the environment as it is now."""
        self._undo = undo
        self._request = request

    def plan(self, state: State) -> Plan:
        """Plan the way back; see `Aim`."""
        request = self._request
        require_same_place(self._undo, request.desired.site, state)
        scope, approved = request.options.scope, request.allow_changes
        plan = plan_back(self._undo, request.desired, state, scope=scope, allow_changes=approved)
        hold_to_recorded(plan, allow_shrink=request.allow_shrink)
        return plan

    def notes(self, plan: Plan, state: State) -> Mapping[AgentId, Note]:
        """Note nothing; see `Aim`."""
        del plan, state
        return {}

    def not_due(self, plan: Plan, state: State) -> tuple[AgentId, ...]:
        """End no wait: what waits is a change that the YAML asks for; see `Aim`."""
        del plan, state
        return ()
