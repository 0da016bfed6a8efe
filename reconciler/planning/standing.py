"""What becomes of an agent's team and protection, which are recorded besides the values.

Both can protect, so neither is lifted where nobody is asked: a note without a call and a repetition pass no guardrail.
Otherwise a protection would fall in two unguarded steps, first the team or the flag and then the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.plan import Change, Reassert, Set
from reconciler.model.site import GuardrailSettings
from reconciler.model.standing import Standing, StandingChange
from reconciler.model.state import AgentRecord, State


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


def standing_of_called(changes: Iterable[Change], records: Mapping[AgentId, AgentRecord]) -> Iterator[StandingChange]:
    """Yield whose standing changes along with the call that is planned for them, and who is not removed."""
    for change in changes:
        record = records.get(change.agent)
        if record is not None and isinstance(change, Set | Reassert):
            before, after = Standing(record.team, record.protected), Standing(change.team, change.protected)
            if before != after:
                yield StandingChange(agent=change.agent, before=before, after=after)


def standing_of_unchanged(unchanged: Iterable[AgentId], desired: Desired, state: State) -> Iterator[StandingChange]:
    """Yield whose standing changes and nothing else."""
    for agent in unchanged:
        wanted, record = desired.agents[agent], state.agents[agent]
        if (wanted.team, wanted.protected) != (record.team, record.protected):
            before = Standing(record.team, record.protected)
            after = unapproved_standing(wanted, record, desired.site.guardrails)
            if before != after:
                yield StandingChange(agent=agent, before=before, after=after)
