"""What became of each agent of a plan that was applied."""

from __future__ import annotations

from enum import StrEnum

from reconciler.model.agent import AgentId
from reconciler.model.plan import Action
from reconciler.values import Struct


class Result(StrEnum):
    """How it ended for one agent. Exactly one of these, for every agent of the plan that was not unchanged."""

    APPLIED = "applied"
    """The gateway acknowledged."""
    DEFERRED = "deferred"
    """The agent is not signed in, or no session of theirs is known: nothing is wrong, try later."""
    FAILED = "failed"
    """The gateway said no, or could not be reached before anything was sent."""
    IN_DOUBT = "in_doubt"
    """Sent, and no answer came: it may have been taken or not. The next plan sends it again."""
    SKIPPED = "skipped"
    """The run stopped before this agent's turn."""
    FORGOTTEN = "forgotten"
    """The record was dropped; there was nothing to send."""


class Outcome(Struct, frozen=True, kw_only=True, order=True):
    """One agent's result."""

    agent: AgentId
    action: Action
    result: Result
    retcode: str | None = None
    """The gateway's last word as text, such as `100-006`; `None` when it said none."""
    message: str = ""
    """One line for people; what a server sent is escaped before it gets here."""
    attempts: int = 0
    """Calls started for this agent."""
