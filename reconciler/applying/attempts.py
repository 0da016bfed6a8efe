"""One agent's turn: make the intent durable, send, try again while that can help, record what it came to.

As numbered steps, which the code below names:

1. make the intent durable, once per turn: no byte goes out before;
2. wait for a connection to be free, and for a slot of the pace; look whether the session is still young enough, else
   read it again;
3. send and judge, if the lock is still ours. Calls of one agent follow one another and never overlap (retcode 000-007);
4. an expired session is read again once; what failed for now is tried again after a wait; back to the pace;
5. let the connection go, then record the outcome, on every way out. An intent of which nothing was sent is withdrawn;
   a deferral is recorded also where nothing was intended, since the change then waits.

There may be more turns than connections, so that the disk is waited for while others are calling: see docs/adr/0014.

Rule of this file: once a call may have been taken without an answer, only an acknowledgement takes the doubt away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from sys import intern
from typing import Protocol, assert_never

from reconciler.applying.pace import Pace, backoff
from reconciler.applying.session_desk import HeldSession, SessionDesk
from reconciler.applying.stop import Stop, stopped_by
from reconciler.errors import SessionSourceError
from reconciler.gateway import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Refused,
    Request,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
    build_request,
)
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Call, Reset
from reconciler.model.session import Session
from reconciler.state import Recorder
from reconciler.values import Struct


class Caller(Protocol):
    """What sends a request; see `gateway.GatewayClient`."""

    async def call(self, request: Request) -> Verdict:
        """Send `request` and judge the answer."""
        ...


class Desk(Struct, frozen=True, kw_only=True):
    """Everything an agent's turn needs besides its call."""

    caller: Caller
    recorder: Recorder
    sessions: SessionDesk
    pace: Pace
    stop: Stop
    url: str
    callnums_key: CallnumsKey
    max_attempts: int
    first_backoff: float
    now: Callable[[], str]
    """The time as RFC 3339 text in UTC."""
    chance: Callable[[], float]
    """A number from 0 to 1, for the jitter of the backoff."""


class Turn:
    """The turn of one agent; `outcome` is true at every moment of it, for it may be cancelled at any."""

    def __init__(
        self,
        call: Call,
        held: HeldSession,
        desk: Desk,
        *,
        connections: asyncio.Semaphore,
        on_settled: Callable[[Outcome], None],
    ) -> None:
        """Take the call, the session it is to be sent in, and what all turns share.

        Args:
            call: what is to be sent.
            held: the agent's session.
            desk: what all turns need.
            connections: as many as there may be calls in flight.
            on_settled: told what the calls have come to before anybody else gets the connection.
        """
        self._call = call
        self._held = held
        self._desk = desk
        self._connections = connections
        self._on_settled = on_settled
        self._intended = False
        self._in_flight = False
        self._attempts = 0
        self._failures = 0
        self._reread = False
        self._doubt = False
        self._verdict: Verdict | None = None

    async def take(self) -> Outcome:
        """Apply the call and return what it came to.

        Nothing is raised but a cancellation: a source, a disk or a bug that ended the turn becomes the run's reason to
        stop, and the outcome says what is known of the agent all the same.
        """
        try:
            await self._or_stop(self._send_until_settled())
            self._on_settled(self.outcome)
        finally:
            await self._or_stop(self._record())
        return self.outcome

    @property
    def outcome(self) -> Outcome:
        """What the turn has come to so far, as if it ended here."""
        verdict = self._verdict
        result, message = _judge(verdict)
        if self._in_flight:
            result, message = Result.IN_DOUBT, "given up while waiting for the answer"
        elif self._doubt and result is not Result.APPLIED:
            result, message = Result.IN_DOUBT, _told_with_doubt(verdict, message)
        return Outcome(
            agent=self._call.agent,
            action=self._call.action,
            result=result,
            retcode=None if verdict is None or self._in_flight else verdict.retcode,
            message=intern(message),  # a hundred thousand agents hear the same
            attempts=self._attempts,
        )

    async def _or_stop(self, step: Awaitable[None]) -> None:
        try:
            await step
        except SessionSourceError as error:
            self._desk.sessions.fail(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, outcome and state must tell the truth about the agent
            self._desk.stop.request(error)

    async def _send_until_settled(self) -> None:
        if self._held.session is None:
            self._verdict = self._not_there("no session of this agent is known")
            return
        if not await self._intend():  # 1
            return
        async with self._connections:
            again = True
            while again and await self._desk.pace.turn():  # 2
                session = await self._young_session()
                if session is None or not self._may_send:
                    return
                await self._send(session)
                again = await self._can_help()

    async def _young_session(self) -> Session | None:
        """Return the session to use, or `None` when the agent has none any more."""
        self._held = await self._desk.sessions.fresh(self._held)
        if self._held.session is None:
            self._verdict = self._not_there("no session of this agent is known any more")
        return self._held.session

    def _not_there(self, words: str) -> NotSignedIn:
        """Return why nothing can be sent, in the source's words if it has any, and end the run if it says so."""
        absent = self._held.absent
        if absent is None:
            return NotSignedIn(message=words)
        if absent.ends_run:
            self._desk.sessions.fail(SessionSourceError(f"stopped: agent {self._call.agent}: {absent.message}"))
        return NotSignedIn(retcode=absent.retcode, message=absent.message)

    async def _intend(self) -> bool:  # 1
        """Return whether to send: the intent is durable, and nobody said stop meanwhile."""
        if not self._intended and not self._desk.stop.requested:
            self._intended = True  # from here on it may be in the journal, whatever happens
            await self._desk.recorder.intend(
                self._call.agent,
                concurrency=self._call.after,
                callnums_key=self._desk.callnums_key,
                team=self._call.team,
                protected=self._call.protected,
                at=self._desk.now(),
                patient=self._all_busy,
            )
        return self._may_send

    @property
    def _all_busy(self) -> bool:
        """Tell whether the disk may take its time: whoever waits for it would wait for a connection otherwise."""
        return self._connections.locked()

    @property
    def _may_send(self) -> bool:
        # A journal that failed is seen here at once: whoever waits for it throws the switch only in a later turn.
        return self._desk.recorder.whole and not self._desk.stop.requested

    async def _send(self, session: Session) -> None:  # 3
        async with self._desk.sessions.calling(session) as newest:
            if not self._may_send:  # meanwhile: the source may have had something of its own in flight
                return
            self._desk.recorder.require_lock()
            request = build_request(self._desk.url, newest, self._call.after, self._desk.callnums_key)
            self._attempts += 1
            self._in_flight = True
            self._verdict = verdict = await self._desk.caller.call(request)
            self._in_flight = False
        self._doubt |= _leaves_doubt(verdict)
        if isinstance(verdict, Misconfigured):
            self._desk.stop.request(stopped_by(verdict.retcode, verdict.message))

    async def _can_help(self) -> bool:  # 4
        """Return whether another call can help, once it is time for it."""
        match self._verdict:
            case SessionExpired() if not self._reread:
                self._reread = True
                return await self._has_another_session()
            case Transient(retry_after=wish, overloaded=overloaded):
                return await self._back_off(wish, everybody=overloaded)
            case Unanswered():
                return await self._back_off(None)
            case _:
                return False

    async def _has_another_session(self) -> bool:
        """Return whether the source has another Guid by now; with the same one the answer would be the same."""
        refused = self._held.session
        self._held = await self._desk.sessions.again(self._held)
        return self._held.session not in (None, refused)

    async def _back_off(self, retry_after: float | None, *, everybody: bool = False) -> bool:
        """Wait before another call, and let everybody wait if the gateway asked for it; return whether to call."""
        self._failures += 1
        chance, first = self._desk.chance(), self._desk.first_backoff
        seconds = backoff(self._failures, chance=chance, retry_after=retry_after, first=first)
        if everybody:
            self._desk.pace.hold(seconds)
        return self._failures < self._desk.max_attempts and await self._desk.stop.pause(seconds)

    async def _record(self) -> None:  # 5
        recorder, agent, session = self._desk.recorder, self._call.agent, self._held.session
        outcome = self.outcome
        match outcome.result:
            case Result.DEFERRED:
                await recorder.deferred(agent, at=self._desk.now(), retcode=outcome.retcode)
            case _ if not self._intended:
                return
            case Result.APPLIED:
                key, keep = session.key if session else None, not isinstance(self._call, Reset)
                await recorder.acknowledged(agent, at=self._desk.now(), session=key, keep=keep, patient=self._all_busy)
            case Result.IN_DOUBT:
                await recorder.in_doubt(agent)
            case Result.FAILED:
                await recorder.not_applied(agent, at=self._desk.now(), retcode=outcome.retcode)
            case _:
                await recorder.not_applied(agent)


def _judge(verdict: Verdict | None) -> tuple[Result, str]:
    match verdict:
        case None:
            return Result.SKIPPED, "the run stopped before anything was sent"
        case Acknowledged(message=message):
            return Result.APPLIED, message
        case NotSignedIn(message=message) | SessionExpired(message=message):
            return Result.DEFERRED, message
        case Unanswered(message=message):
            return Result.IN_DOUBT, message
        case Transient(message=message) | Refused(message=message) | Misconfigured(message=message):
            return Result.FAILED, message
        case _:
            assert_never(verdict)


def _leaves_doubt(verdict: Verdict | None) -> bool:
    return isinstance(verdict, Unanswered) or (isinstance(verdict, Transient) and verdict.sent_maybe)


def _told_with_doubt(last: Verdict | None, message: str) -> str:
    """Return the last verdict's message, with why it is not the whole story when a call before it left the doubt."""
    return message if _leaves_doubt(last) else f"an earlier call may have been taken; the last one: {message}"
