"""The one agent a probe is made with: whose numbers, in which spelling, and whether it may be touched at all. Pure.

Recorded numbers first: to send them again changes nothing that this tool knows of. An agent of whom nothing is recorded
gets the desired ones, as the first apply would send them; one that is neither has no numbers to go back to.
"""

from __future__ import annotations

from reconciler.errors import GuardrailRefusedError, UsageError
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import RecordStatus, State
from reconciler.planning import unapproved_standing
from reconciler.values import Struct


class Subject(Struct, frozen=True, kw_only=True):
    """The agent, and what it is to have before and after."""

    agent: AgentId
    values: Concurrency
    configured: CallnumsKey
    """The spelling to begin with: the recorded one, or the site's."""
    recorded: bool
    """The values are those last sent; else they are the desired ones, never sent yet."""
    in_doubt: bool
    team: str | None
    protected: bool


def choose_subject(agent: AgentId, desired: Desired, state: State, *, allow_protected: bool) -> Subject:
    """Return the subject, with the team and protection that are to be recorded of it.

    Raises:
        UsageError: the agent is neither recorded nor desired.
        GuardrailRefusedError: it is protected, and that was not lifted.
    """
    wanted, record = desired.agents.get(agent), state.agents.get(agent)
    guardrails, gateway = desired.site.guardrails, desired.site.gateway
    if record is not None:
        team, protected = record.team, record.protected
        if wanted is not None:
            standing = unapproved_standing(wanted, record, guardrails)
            team, protected = standing.team, standing.protected
        values, key = record.concurrency, record.callnums_key
    elif wanted is not None:
        team, protected, values, key = wanted.team, wanted.protected, wanted.concurrency, gateway.callnums_key
    else:
        raise UsageError(
            f"agent {agent} is neither recorded nor desired, so there are no numbers to give back",
            hint="probe with an agent of the environment",
        )
    teams = tuple(side.team for side in (wanted, record) if side is not None and side.team is not None)
    shielded = protected or guardrails.protects(agent, teams)
    if shielded and not allow_protected:
        raise GuardrailRefusedError(
            f"agent {agent} is protected; nothing was sent",
            hint="probe with another agent, or say that it is meant with --allow-protected",
        )
    return Subject(
        agent=agent,
        values=values,
        configured=key,
        recorded=record is not None,
        in_doubt=record is not None and record.status is RecordStatus.IN_DOUBT,
        team=team,
        protected=protected,
    )
