"""The experiment, driven: step after step while the answers are those it asks about, then the agent's own numbers back.

Rules of this file: whatever ends the walk (an answer that is off, an interruption, a source or a disk that fails, a bug
of ours), restoring comes after it, and its calls count as evidence like all others. An interruption gives restoring a
deadline; without one it has that of its calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

from reconciler.model.channel import Channel
from reconciler.model.probe import MadeCall, ProbeEnd, Restoration
from reconciler.probing.announcement import letter_of
from reconciler.probing.bench import Bench, Result
from reconciler.probing.halt import Halt
from reconciler.probing.restoring import RESTORING_ATTEMPTS, keys_to_restore_with, standing
from reconciler.probing.script import steps
from reconciler.probing.subject import Subject
from reconciler.probing.trials import Answer, Kind, Message, Step, Trial, channel_to_leave_out
from reconciler.values import Struct

RESTORING_GRACE = 3.5
"""Seconds for restoring after an interruption: a CI host kills 7.5 s after it; a call had two, closing gets one."""

_ENDS = {
    Answer.NOT_SIGNED_IN: ProbeEnd.NOT_SIGNED_IN,
    Answer.SESSION_REFUSED: ProbeEnd.SESSION_REFUSED,
    Answer.FAILED: ProbeEnd.FAILED,
    Answer.NO_ANSWER: ProbeEnd.UNANSWERED,
    Answer.STOPPED: ProbeEnd.STOPPED,
}
_OFF_WITHOUT_COOKIES = frozenset({Answer.FAILED, Answer.NO_ANSWER, Answer.STOPPED})
_HOPELESS = frozenset({Answer.NOT_SIGNED_IN, Answer.SESSION_REFUSED, Answer.STOPPED})


class Seen(Enum):
    """What somebody says of the channel that was left out."""

    KEPT = auto()
    GONE = auto()
    UNCLEAR = auto()


class Question(Struct, frozen=True, kw_only=True):
    """What somebody is asked to look at, and while it lasts the agent has one channel left out."""

    channel: Channel
    number: int
    """What the channel had before."""
    seconds: float
    """After so long nobody waits for the answer any more."""


Look = Callable[[Question], Awaitable[Seen]]


class Experiment:
    """One probe's calls; everything that was seen is kept here, whatever happens."""

    def __init__(self, subject: Subject, bench: Bench, halt: Halt, *, look: Look | None, pause: float) -> None:
        """Begin with nothing sent.

        Args:
            subject: the agent.
            bench: makes the calls.
            halt: thrown when the run is to stop.
            look: asks somebody what is seen while a channel is left out; `None` leaves none out.
            pause: seconds to wait for that.
        """
        self._subject = subject
        self._bench = bench
        self._halt = halt
        self._look = look
        self._pause = pause
        self.seen: Seen | None = None
        self.error: BaseException | None = None
        self.detail = ""
        self.end = ProbeEnd.STOPPED

    @property
    def results(self) -> Sequence[Result]:
        """What came of every call."""
        return self._bench.results

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The calls so far, with their answers."""
        return tuple(result.trial for result in self.results)

    @property
    def standing(self) -> Restoration:
        """How the agent stands."""
        return standing(self.trials, self._subject.configured)

    def calls(self) -> tuple[MadeCall, ...]:
        """Return what was sent, for the report."""
        return tuple(_told(result, self._subject) for result in self.results if result.sent)

    async def run(self) -> None:
        """Make the experiment and restore the agent. Nothing is raised but a cancellation: see `error`."""
        try:
            self.end = await self._walk()
        except Exception as error:  # noqa: BLE001 - whatever it is, the agent gets its numbers back first
            self.fail(error)
        try:
            await self._halt.race(self._restore(), grace=RESTORING_GRACE)
        except Exception as error:  # noqa: BLE001 - the first reason counts, and the agent's standing is told
            self.fail(error)
        self.error = self.error or self._bench.unrecorded or self._halt.error

    def fail(self, error: Exception) -> None:
        """Note what broke; the first reason counts."""
        self.error = self.error or error

    async def _walk(self) -> ProbeEnd:
        left_out = self._look is not None and channel_to_leave_out(self._subject.values) is not None
        script = steps(self._subject.configured, has_cookies=self._has_cookies, partial=left_out)
        step = next(script)
        while True:
            trial = (await self._bench.make(step)).trial
            if trial.answer in (_OFF_WITHOUT_COOKIES if not step.cookies else _ENDS):
                self.detail = self.results[-1].message
                return _ENDS[trial.answer]
            if step.message.kind is Kind.PARTIAL and trial.answer is Answer.ACKNOWLEDGED:
                await self._let_look()
            try:
                step = script.send(trial)
            except StopIteration:
                return self._completed()

    def _completed(self) -> ProbeEnd:
        if any(trial.answer is Answer.ACKNOWLEDGED for trial in self.trials):
            return ProbeEnd.COMPLETE
        self.detail = self.results[0].message
        return ProbeEnd.REFUSED

    def _has_cookies(self) -> bool:
        return any(result.has_cookies for result in self.results)

    async def _let_look(self) -> None:
        channel = channel_to_leave_out(self._subject.values)
        if self._look is None or channel is None:
            return
        number = self._subject.values.as_mapping()[channel]
        asked = self._look(Question(channel=channel, number=number, seconds=self._pause))
        self.seen = await self._halt.race(_awaited(asked)) or Seen.UNCLEAR

    async def _restore(self) -> None:
        if self.standing is not Restoration.IN_DOUBT:
            return
        for key in keys_to_restore_with(self.trials, self._subject.configured):
            own = Step(message=Message(kind=Kind.PLAIN, key=key))
            for _ in range(RESTORING_ATTEMPTS):
                answer = (await self._bench.make(own, restoring=True)).trial.answer
                if answer is Answer.ACKNOWLEDGED or answer in _HOPELESS:
                    return
                if answer is Answer.REFUSED:
                    break


async def _awaited(asked: Awaitable[Seen]) -> Seen:
    return await asked


def _told(result: Result, subject: Subject) -> MadeCall:
    seen, trial = result.observation, result.trial
    return MadeCall(
        letter=letter_of(trial.step.message, subject.configured),
        with_cookies=trial.step.cookies,
        answer=trial.answer.value,
        retcode=trial.retcode,
        message=result.message,
        milliseconds=0.0 if seen is None else round(seen.seconds * 1000, 1),
        extras=() if seen is None else seen.extras,
    )
