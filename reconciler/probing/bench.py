"""What one call of a probe needs, and how it is made: pace, session, intent, call, record. In that order, always.

As numbered steps, which the code below names:

1. wait until a call may be sent: one a second, and none overlaps another. What got no answer may still be at work
   behind some balancer: other numbers are sent only a while later, or, if there is no time for that, for what it helps;
2. read the session, if the one at hand is older than it may be;
3. make the intent durable: the agent is in doubt from here until its own numbers are acknowledged;
4. call, and judge; a session that is refused is read again once;
5. record: acknowledged, unchanged, or left in doubt.

Rule of this file: only the agent's own numbers, acknowledged and sent alone, take the doubt away. A number that was
refused for being too high leaves it, for nobody says that the channels before it were not set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, assert_never

from reconciler.errors import SessionSourceError, StateError
from reconciler.gateway import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Observation,
    Refused,
    Request,
    SessionExpired,
    SessionSource,
    Transient,
    Unanswered,
    Verdict,
    build_request,
)
from reconciler.model.session import Absent, Session
from reconciler.probing.halt import Halt
from reconciler.probing.restoring import may_have_set
from reconciler.probing.subject import Subject
from reconciler.probing.trials import Answer, Kind, Message, Step, Trial, body_of
from reconciler.state import Recorder
from reconciler.values import Struct, replace

MAX_SESSION_AGE = 30.0
"""Seconds a session may have waited when it is used."""
GRACE = 2.0
"""Seconds for the call in flight, once the run is told to stop; what remains is for restoring."""

_NOT_THE_CALL = frozenset({"000-003", "100-004"})
"""Retcodes that refuse the session or the sign-in, whatever the site's table makes of them."""


class Observer(Protocol):
    """What sends a request and watches; see `gateway.GatewayWitness`."""

    async def observe(self, request: Request) -> Observation:
        """Send `request` once."""
        ...


class Result(Struct, frozen=True, kw_only=True):
    """A trial, with what was seen besides."""

    trial: Trial
    message: str = ""
    observation: Observation | None = None
    has_cookies: bool = False
    """The session has cookies, sent or not."""
    sent: bool = False


class Bench:
    """Makes the calls of one probe, one at a time.

    Attributes:
        results: what came of every call, in order; there before anything else can fail.
        unrecorded: why restoring went on without a record.
    """

    def __init__(
        self,
        subject: Subject,
        *,
        url: str,
        observer: Observer,
        source: SessionSource,
        recorder: Recorder,
        halt: Halt,
        now: Callable[[], str],
        monotonic: Callable[[], float],
        interval: float,
        settling: float,
    ) -> None:
        """Begin with no session read and nothing sent.

        Args:
            subject: whom it is about.
            url: the gateway's base URL.
            observer: sends.
            source: knows the session.
            recorder: of this run.
            halt: ends waiting, but for those who restore.
            now: the time as RFC 3339 text in UTC.
            monotonic: a clock in seconds.
            interval: seconds between the starts of two calls.
            settling: seconds in which the gateway ends what it gave no answer to, as far as that can be said.
        """
        self._subject = subject
        self._url = url
        self._observer = observer
        self._source = source
        self._recorder = recorder
        self._halt = halt
        self._now = now
        self._monotonic = monotonic
        self._interval = interval
        self._settling = settling
        self._at_work: tuple[Message, float] | None = None
        self._next_slot = monotonic()
        self._session: Session | None = None
        self._read_at = 0.0
        self.results: list[Result] = []
        self.unrecorded: StateError | None = None

    async def make(self, step: Step, *, restoring: bool = False) -> Result:
        """Send `step` and return what it came to.

        Args:
            step: what to send.
            restoring: a halt does not end it, and neither does a journal that failed: the intent of before stands.

        Raises:
            SessionSourceError: the source as a whole cannot be had or trusted.
            JournalError: what happened cannot be made durable.
        """
        result = await self._once(step, restoring=restoring)
        refused = result.sent and result.trial.answer is Answer.SESSION_REFUSED
        if refused and step.cookies and await self._has_another_session(restoring=restoring):
            return await self._once(step, restoring=restoring)
        return result

    async def _once(self, step: Step, *, restoring: bool) -> Result:
        await self._slot(restoring=restoring)  # 1
        overlapping = not await self._settled(step)
        told = await self._young_session(restoring=restoring)  # 2
        if self._halt.requested and not restoring:
            return self._keep(Result(trial=Trial(step=step, answer=Answer.STOPPED)))
        if not isinstance(told, Session):
            return self._keep(_not_there(step, told))
        intended = await self._intend(step, restoring=restoring)  # 3
        result = await self._call(step, told, restoring=restoring)  # 4
        result = self._keep(replace(result, trial=replace(result.trial, overlapping=overlapping)))
        if result.trial.answer is Answer.NO_ANSWER:
            self._at_work = step.message, self._monotonic() + self._settling
        if intended:
            await self._record(result.trial, told.key)  # 5
        return result

    def _keep(self, result: Result) -> Result:
        self.results.append(result)
        return result

    async def _slot(self, *, restoring: bool) -> None:
        wait = self._next_slot - self._monotonic()
        if restoring:
            await asyncio.sleep(max(wait, 0.0))
        else:
            await self._halt.pause(wait)
        self._next_slot = max(self._next_slot, self._monotonic()) + self._interval

    async def _settled(self, step: Step) -> bool:
        """Wait until no other message can be at work any more; return whether that is so, for a halt ends this too."""
        if self._at_work is None or self._at_work[0] == step.message:  # the same numbers twice do no harm
            return True
        await self._halt.pause(self._at_work[1] - self._monotonic())
        return self._monotonic() >= self._at_work[1]

    async def _young_session(self, *, restoring: bool) -> Session | Absent | None:
        """Return the session, or why there is none; also `None` when the run is to stop first."""
        if self._session is not None and self._monotonic() - self._read_at <= MAX_SESSION_AGE:
            return self._session
        agent = self._subject.agent
        fetching = self._source.fetch([agent])
        known = await (fetching if restoring else self._halt.race(fetching))
        told = None if known is None else known.get(agent)
        if isinstance(told, Session) and told.agent != agent:
            raise SessionSourceError(f"the session source gave agent {agent} the session of agent {told.agent}")
        self._session, self._read_at = (told if isinstance(told, Session) else None), self._monotonic()
        return told

    async def _has_another_session(self, *, restoring: bool) -> bool:
        """Return whether the source has another Guid by now; with the same one the answer would be the same."""
        refused, self._session = self._session, None
        another = await self._young_session(restoring=restoring)
        return isinstance(another, Session) and another != refused

    async def _intend(self, step: Step, *, restoring: bool) -> bool:
        """Return whether the intent is durable; only where the agent's own numbers come back may it be missing."""
        subject = self._subject
        try:
            await self._recorder.intend(
                subject.agent,
                concurrency=subject.values,
                callnums_key=step.message.key,
                team=subject.team,
                protected=subject.protected,
                at=self._now(),
            )
        except StateError as error:  # a disk, or the lock: the intent of the call before stands, and says in doubt
            if not restoring:
                raise
            self.unrecorded = self.unrecorded or error
            return False
        return True

    async def _call(self, step: Step, session: Session, *, restoring: bool) -> Result:
        async with self._source.calling(session) as newest:
            if self._halt.requested and not restoring:  # meanwhile: the source may have had something in flight
                return Result(trial=Trial(step=step, answer=Answer.STOPPED))
            work = self._observer.observe(self._request(step, newest))
            try:
                seen = await (work if restoring else self._halt.race(work, grace=GRACE))
            except BaseException:  # a cancellation, or a bug: whatever it was, the call may have been taken
                self._keep(_given_up(step, session))
                raise
        if seen is None:
            return _given_up(step, session)
        trial = Trial(step=step, answer=judge_answer(seen.verdict), retcode=seen.verdict.retcode)
        cookies = bool(session.cookies)
        return Result(trial=trial, message=seen.verdict.message, observation=seen, has_cookies=cookies, sent=True)

    def _request(self, step: Step, session: Session) -> Request:
        sent = session if step.cookies else replace(session, cookies={})
        request = build_request(self._url, sent, self._subject.values, step.message.key)
        return replace(request, body=body_of(step.message, self._subject.values))

    async def _record(self, trial: Trial, session_key: str | None) -> None:
        agent, plain = self._subject.agent, trial.step.message.kind is Kind.PLAIN
        if plain and trial.answer is Answer.ACKNOWLEDGED and not trial.overlapping:
            await self._recorder.acknowledged(agent, at=self._now(), session=session_key)
        elif may_have_set(trial):
            await self._recorder.in_doubt(agent)
        else:
            await self._recorder.not_applied(agent, at=self._now(), retcode=trial.retcode)


def _given_up(step: Step, session: Session) -> Result:
    trial = Trial(step=step, answer=Answer.NO_ANSWER)
    message = "given up while waiting for the answer"
    return Result(trial=trial, message=message, has_cookies=bool(session.cookies), sent=True)


def _not_there(step: Step, told: Absent | None) -> Result:
    if told is None:
        trial = Trial(step=step, answer=Answer.NOT_SIGNED_IN)
        return Result(trial=trial, message="no session of this agent is known")
    answer = Answer.SESSION_REFUSED if told.ends_run else Answer.NOT_SIGNED_IN
    return Result(trial=Trial(step=step, answer=answer, retcode=told.retcode), message=told.message)


def judge_answer(verdict: Verdict) -> Answer:
    """Return what a verdict is to an experiment."""
    if verdict.retcode in _NOT_THE_CALL:
        return Answer.SESSION_REFUSED
    match verdict:
        case Acknowledged():
            return Answer.ACKNOWLEDGED
        case NotSignedIn():
            return Answer.NOT_SIGNED_IN
        case SessionExpired():
            return Answer.SESSION_REFUSED
        case Refused(retcode=retcode):
            return Answer.FAILED if retcode is None else Answer.REFUSED
        case Transient(sent_maybe=sent_maybe):
            return Answer.NO_ANSWER if sent_maybe else Answer.FAILED
        case Unanswered():
            return Answer.NO_ANSWER
        case Misconfigured():
            return Answer.FAILED
        case _:
            assert_never(verdict)
