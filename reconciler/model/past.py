"""What past runs did to which agent: the state's history, as its journals tell it.

Rules of this file: values only. A run is known by its lock's id and by when it began; nothing here holds a Guid, a
cookie or a path.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord
from reconciler.values import Struct, replace


class Ending(StrEnum):
    """How a run's journal came into the history."""

    ENDED = "ended"
    """By the run itself, once the state held it all."""
    CUT_SHORT = "cut-short"
    """The process ended first; a later run took over what it had left."""
    BY_HAND = "by-hand"
    """No run with calls at all: a state command, which sends nothing."""
    NOT_ENDED = "not-ended"
    """It is still in its place: the run is under way, or was cut short and nobody has come by since."""


class Event(StrEnum):
    """What became of an agent."""

    APPLIED = "applied"
    FAILED = "failed"
    DEFERRED = "deferred"
    IN_DOUBT = "in_doubt"
    NOT_APPLIED = "not_applied"
    """It was intended, and nothing of it took effect; no more is known, and perhaps nothing was sent."""
    FORGOTTEN = "forgotten"
    """The record was dropped, without a call."""
    NOTED = "noted"
    """Team or protection was recorded anew, without a call."""
    NOT_DUE = "not_due"
    """The change had waited, and there is nothing to send any more."""
    RECORDED = "recorded"
    """A record was put there by hand, without a call."""


class PastEvent(Struct, frozen=True, kw_only=True):
    """One thing that became of one agent in a run."""

    agent: AgentId
    event: Event
    at: str | None = None
    """RFC 3339, UTC: of the answer, or of the intent where none is known; `None` where only the run's time is known."""
    retcode: str | None = None
    """The gateway's word; `None` when there was none, or it is not known any more."""
    record: AgentRecord | None = None
    """What was intended, or recorded; of a `NOTED` and others without values `None`."""
    kept: bool = True
    """`False`: the call was the last one to this agent, and the record was dropped with its answer."""


class PastRun(Struct, frozen=True, kw_only=True):
    """One run, and what it did, in the order in which it became known."""

    run: str
    """The id of its lock."""
    started_at: str
    """RFC 3339, UTC."""
    ending: Ending
    site: str
    lineage: str | None
    serial: int
    """Of the state it began from."""
    operation: str | None = None
    """The command, such as `apply`; `None` in journals that do not say."""
    who: str | None = None
    """`user@host`, likewise."""
    url: str | None = None
    """The page of the CI job, if it was one."""
    events: tuple[PastEvent, ...] = ()

    def only(self, wanted: Callable[[AgentId], bool]) -> PastRun:
        """Return this run with the events of those agents for whom `wanted` is true."""
        return replace(self, events=tuple(event for event in self.events if wanted(event.agent)))
