"""Hands out the calls of a plan in order, each with a session read just before.

A Guid is good for a minute or two (see docs/gateway.md), so sessions are read in batches that last a few seconds of
calling, read again when they have waited too long, and not kept here once handed out. The next batch may be read while
the last calls of one are handed out, so that nobody waits for the source. A source that hangs holds up no stop; one
that fails ends the handing out, and whoever has been handed a session is still called.
What the source holds for an agent is its own to keep; it hears when a call begins and ends, and when the turn is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import islice

from reconciler.applying.stop import Stop
from reconciler.errors import SessionSourceError
from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.plan import Call
from reconciler.model.session import Absent, Session
from reconciler.values import Struct


class HeldSession(Struct, frozen=True, kw_only=True):
    """What the source said of one agent, and when."""

    agent: AgentId
    session: Session | None
    """`None`: none is known."""
    absent: Absent | None = None
    """Why there is none, if the source said so."""
    read_at: float
    """By the run's monotonic clock."""


class _Batch(Struct, frozen=True, kw_only=True):
    """Calls, and what a reading of their sessions came to."""

    calls: Sequence[Call]
    sessions: Mapping[AgentId, Session | Absent] | None = None
    """`None`: the run is to stop, or the source failed."""
    read_at: float = 0.0
    error: Exception | None = None


class SessionDesk:
    """One desk for all workers of a run."""

    def __init__(
        self,
        source: SessionSource,
        calls: Iterable[Call],
        *,
        batch: int,
        ahead: int = 0,
        max_age: float,
        monotonic: Callable[[], float],
        stop: Stop,
    ) -> None:
        """Begin with nothing read.

        Args:
            source: who knows the sessions.
            calls: in the order they are to be handed out.
            batch: calls whose sessions are read at once; fewer, if the source wants it so.
            ahead: the next batch is read when fewer calls than that are left, at most half a batch; 0: when none is.
            max_age: seconds a session may wait between being read and being used.
            monotonic: a clock in seconds.
            stop: ends handing out and all waiting for the source.
        """
        self._source = source
        self._calls = iter(calls)
        self._batch = batch if source.most_at_once is None else min(batch, source.most_at_once)
        self._ahead = min(ahead, self._batch // 2)
        self._max_age = max_age
        self._monotonic = monotonic
        self._stop = stop
        self._waiting: deque[Call] = deque()
        self._sessions: dict[AgentId, Session | Absent] = {}
        self._read_at = 0.0
        self._coming: asyncio.Task[_Batch] | None = None
        self._turn = asyncio.Lock()
        self.failure: Exception | None = None
        """Why nothing more is handed out, if that is the source's doing."""

    async def next(self) -> tuple[Call, HeldSession] | None:
        """Return the next call with its session, or `None` when nothing more is handed out: `failure` may say why."""
        async with self._turn:
            if not await self._stock():
                return None
            call = self._waiting.popleft()
            self._look_ahead()
            return call, _held(call.agent, self._sessions.pop(call.agent, None), self._read_at)

    async def fresh(self, held: HeldSession) -> HeldSession:
        """Return `held` as long as it may be used, else the agent's session read anew.

        Raises:
            SessionSourceError: the source failed as a whole.
        """
        return await self.again(held) if self._too_old(held.read_at) else held

    async def again(self, held: HeldSession) -> HeldSession:
        """Return the agent's session read anew; `held` itself when the run is to stop first.

        Raises:
            SessionSourceError: the source failed as a whole.
        """
        sessions = await self._fetch([held.agent])
        if sessions is None:
            return held
        return _held(held.agent, sessions.get(held.agent), self._monotonic())

    def fail(self, error: Exception) -> None:
        """Hand out nothing more; the first reason is kept."""
        self.failure = self.failure or error

    def calling(self, session: Session) -> AbstractAsyncContextManager[Session]:
        """Give the session to send a call in, for as long as the call lasts; see `SessionSource.calling`."""
        return self._source.calling(session)

    async def release(self, agent: AgentId) -> None:
        """Hear that the agent's turn is over. Never raises but for a cancellation."""
        await self._source.release(agent)

    async def close(self) -> None:
        """Give up what is being read ahead, before the source is closed."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)

    async def _stock(self) -> bool:
        """See to it that a call waits and that its session is young enough; return whether one does."""
        if self.failure is not None:
            return False
        if not self._waiting:
            coming, self._coming = self._coming, None
            self._lay_out(await (coming or self._read(self._next_calls())))
        if self._waiting and self._too_old(self._read_at):
            self._lay_out(await self._read(tuple(self._waiting)))
        return bool(self._waiting) and not self._stop.requested

    def _look_ahead(self) -> None:
        """Begin to read the next batch if the one that is handed out comes to its end."""
        if self._coming is None and len(self._waiting) < self._ahead and (calls := self._next_calls()):
            self._coming = asyncio.create_task(self._read(calls))

    def _next_calls(self) -> Sequence[Call]:
        return tuple(islice(self._calls, self._batch))

    async def _read(self, calls: Sequence[Call]) -> _Batch:
        try:
            sessions = await self._fetch([call.agent for call in calls]) if calls else {}
        except Exception as error:  # noqa: BLE001 - it counts when the batch is wanted: until then others have their turns
            return _Batch(calls=calls, error=error)
        return _Batch(calls=calls, sessions=sessions, read_at=self._monotonic())

    def _lay_out(self, batch: _Batch) -> None:
        if batch.error is not None:
            self.fail(batch.error)
        self._waiting = deque(() if batch.error else batch.calls)
        if batch.sessions is not None:
            self._sessions, self._read_at = dict(batch.sessions), batch.read_at

    async def _fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent] | None:
        """Return the sessions known of `agents`, or `None` when the run is to stop first."""
        sessions = await self._stop.unless_stopped(lambda: self._source.fetch(agents))
        for agent, session in (sessions or {}).items():
            # Its call would go out in the other agent's name.
            if isinstance(session, Session) and session.agent != agent:
                raise SessionSourceError(f"the session source gave agent {agent} the session of agent {session.agent}")
        return sessions

    def _too_old(self, read_at: float) -> bool:
        return self._monotonic() - read_at > self._max_age


def _held(agent: AgentId, told: Session | Absent | None, read_at: float) -> HeldSession:
    match told:
        case Absent():
            return HeldSession(agent=agent, session=None, absent=told, read_at=read_at)
        case _:
            return HeldSession(agent=agent, session=told, read_at=read_at)
