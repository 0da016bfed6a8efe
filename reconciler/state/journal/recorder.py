"""What a run tells the state as it goes.

Rules of this file: every method returns once what it says is durable, and the order of calls is the order of the
record. An intent stands before its call is sent, an outcome after its answer came; whoever is between the two when the
process dies is in doubt, and known to be. No method takes a session, a Guid or a cookie: only the session's opaque key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import State
from reconciler.state.document.fields import require_time
from reconciler.state.journal.entries import (
    Acknowledged,
    Deferred,
    Entry,
    Forgotten,
    Intended,
    NotApplied,
    NotDue,
    Noted,
)
from reconciler.state.journal.ledger import Ledger

Settle = Callable[[State, Path, bool], State]
"""Makes the final records the state: `(records, rescue directory, journal is whole) -> the state as saved`."""


class OpenJournal(Protocol):
    """What the recorder asks of a journal: see `commit.JournalWriter`, whose asyncio a mere reader need not load."""

    @property
    def whole(self) -> bool:
        """Whether all that was committed is durable."""
        ...

    async def commit(self, *entries: Entry, patient: bool = False) -> None:
        """Return once `entries` are durable, behind all that was committed before; `patient`: others may join them."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Recorder:
    """The record of one run, from `StateStore.begin_run` to `finish`.

    Every method that records raises `JournalError` when its record may not be durable: the run must then stop sending.
    `ValueError` means the caller told an outcome of something it never intended.
    """

    def __init__(self, state: State, *, journal: OpenJournal, settle: Settle, require_lock: Callable[[], None]) -> None:
        self._ledger = Ledger(state)
        self._journal = journal
        self._settle = settle
        self._require_lock = require_lock

    @property
    def state(self) -> State:
        """The records as of now, those included that are just becoming durable."""
        return self._ledger.state

    @property
    def whole(self) -> bool:
        """Whether all that was told is durable, or may still become so; if not, nothing more may be sent."""
        return self._journal.whole

    async def intend(
        self,
        agent: AgentId,
        *,
        concurrency: Concurrency,
        callnums_key: CallnumsKey,
        team: str | None,
        protected: bool,
        at: str,
        patient: bool = False,
    ) -> None:
        """Record that these values are about to be sent. Only after this returns may they be.

        `patient` leaves the journal a moment, so that more can go down together.

        Raises:
            LockLostError: nothing may be sent any more.
        """
        await self._enter(
            Intended(
                agent=agent, concurrency=concurrency, callnums_key=callnums_key, team=team, protected=protected, at=at
            ),
            patient=patient,
        )
        self.require_lock()

    def require_lock(self) -> None:
        """Return if nobody else can hold the lock now. To be called right before each call is sent, a repeated one too.

        Raises:
            LockLostError: the lock may be another's, who may be calling the same agents. What is already under way may
                be told: outcomes are always recorded.
        """
        self._require_lock()

    async def acknowledged(
        self, agent: AgentId, *, at: str, session: str | None = None, keep: bool = True, patient: bool = False
    ) -> None:
        """Record that the gateway acknowledged what was intended.

        Args:
            agent: whose answer it was.
            at: RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
            session: the opaque key of the session it was sent in, never its Guid.
            keep: `False` drops the record: the values were a farewell.
            patient: see `intend`.
        """
        require_time("at", at)
        await self._enter(Acknowledged(agent=agent, at=at, session=session, keep=keep), patient=patient)

    async def not_applied(self, agent: AgentId, *, at: str | None = None, retcode: str | None = None) -> None:
        """Record that what was intended did not take effect: the record from before stands, in doubt if it was.

        Args:
            agent: whose intent it was.
            at: RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`; `None` when nothing was sent.
            retcode: the gateway's word, if there was one.
        """
        if at is not None:
            require_time("at", at)
        await self._enter(NotApplied(agent=agent, at=at, retcode=retcode))

    async def deferred(self, agent: AgentId, *, at: str, retcode: str | None = None) -> None:
        """Record that the agent was not there: what was intended, if anything, did not take effect, and waits.

        Args:
            agent: who was not there, with an intent or without.
            at: RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
            retcode: the gateway's word; `None` when no session was known.
        """
        require_time("at", at)
        await self._enter(Deferred(agent=agent, at=at, retcode=retcode))

    async def not_due(self, agent: AgentId) -> None:
        """Record that the agent's change, which waited, is not due any more."""
        await self._enter(NotDue(agent=agent))

    async def in_doubt(self, agent: AgentId) -> None:
        """Leave the agent in doubt. Its intent is durable and says so already."""
        self._ledger.leave_in_doubt(agent)

    async def forget(self, agent: AgentId) -> None:
        """Drop the agent's record."""
        await self._enter(Forgotten(agent=agent))

    async def note(self, agent: AgentId, *, team: str | None, protected: bool) -> None:
        """Record the agent's team and protection anew; its values were not touched."""
        await self._enter(Noted(agent=agent, team=team, protected=protected))

    def finish(self, *, rescue_directory: Path = Path()) -> State:
        """End the run: make its records the state, remove the journal, and return the state as saved.

        Args:
            rescue_directory: where `errored-state.json` goes if the state cannot be written; `Path()` is the current
                directory.

        Raises:
            StateError: the state could not be written. The hint says where everything is; the journal is kept.
            LockLostError: the same, because the lock on a state of this machine was lost.
        """
        self.close()
        return self._settle(self._ledger.state, rescue_directory, self._journal.whole)

    def close(self) -> None:
        """Let go of the journal without ending the run: the next one finds it and goes on from there."""
        self._journal.close()

    async def _enter(self, entry: Entry, *, patient: bool = False) -> None:
        # The ledger first: it refuses what cannot be, and from there to the journal's queue nothing can come between.
        self._ledger.enter(entry)
        await self._journal.commit(entry, patient=patient)
