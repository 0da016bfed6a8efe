"""What is recorded of an agent besides the values: the team, and whether it is protected.

Both can protect, so neither is lifted where nobody is asked: a note without a call and a repetition pass no guardrail.
Otherwise a protection would fall in two unguarded steps, first the team or the flag and then the values.
"""

from __future__ import annotations

from typing import NamedTuple

from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.site import GuardrailSettings
from reconciler.model.state import AgentRecord, State


class Standing(NamedTuple):
    """Team and protection, as they are to be recorded."""

    team: str | None
    protected: bool


def desired_standing(wanted: DesiredAgent) -> Standing:
    """Return what is recorded with a call that passes the guardrails, and with an agent's first one."""
    return Standing(wanted.team, wanted.protected)


def is_protected(agent: AgentId, desired: Desired, state: State) -> bool:
    """Tell whether `agent` is protected: as desired, as recorded, or by the site for the agent or one of the teams."""
    sides = [side for side in (desired.agents.get(agent), state.agents.get(agent)) if side is not None]
    teams = tuple(side.team for side in sides if side.team is not None)
    return any(side.protected for side in sides) or desired.site.guardrails.protects(agent, teams)


def unapproved_standing(wanted: DesiredAgent, record: AgentRecord, guardrails: GuardrailSettings) -> Standing:
    """Return what is recorded where nobody approves: a protection may come this way, and never goes."""
    team = record.team if record.team in guardrails.protected_teams else wanted.team
    return Standing(team, wanted.protected or record.protected)
