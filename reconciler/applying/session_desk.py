"""Hands out the calls of a plan in order, each with a session read just before.

A Guid is good for a minute or two (GATEWAY §2), so sessions are read in batches that last a few seconds of calling,
read again when they have waited too long, and not kept here once handed out. A source that hangs holds up no stop.
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


class SessionDesk:
    """One desk for all workers of a run."""

    def __init__(
        self,
        source: SessionSource,
        calls: Iterable[Call],
        *,
        batch: int,
        max_age: float,
        monotonic: Callable[[], float],
        stop: Stop,
    ) -> None:
        """Begin with nothing read.

        Args:
            source: who knows the sessions.
            calls: in the order they are to be handed out.
            batch: calls whose sessions are read at once; fewer, if the source wants it so.
            max_age: seconds a session may wait between being read and being used.
            monotonic: a clock in seconds.
            stop: ends handing out and all waiting for the source.
        """
        self._source = source
        self._calls = iter(calls)
        self._batch = batch if source.most_at_once is None else min(batch, source.most_at_once)
        self._max_age = max_age
        self._monotonic = monotonic
        self._stop = stop
        self._waiting: deque[Call] = deque()
        self._sessions: dict[AgentId, Session | Absent] = {}
        self._read_at = 0.0
        self._turn = asyncio.Lock()

    async def next(self) -> tuple[Call, HeldSession] | None:
        """Return the next call with its session, or `None` when all were handed out or the run is to stop.

        Raises:
            SessionSourceError: the source failed as a whole.
        """
        async with self._turn:
            if not await self._stock():
                return None
            call = self._waiting.popleft()
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

    def calling(self, session: Session) -> AbstractAsyncContextManager[Session]:
        """Give the session to send a call in, for as long as the call lasts; see `SessionSource.calling`."""
        return self._source.calling(session)

    async def release(self, agent: AgentId) -> None:
        """Hear that the agent's turn is over. Never raises but for a cancellation."""
        await self._source.release(agent)

    async def _stock(self) -> bool:
        """See to it that a call waits and that its session is young enough; return whether one does."""
        anew = not self._waiting
        if anew:
            self._waiting.extend(islice(self._calls, self._batch))
        if self._waiting and (anew or self._too_old(self._read_at)):
            sessions = await self._fetch([call.agent for call in self._waiting])
            if sessions is not None:
                self._sessions, self._read_at = dict(sessions), self._monotonic()
        return bool(self._waiting) and not self._stop.requested

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
