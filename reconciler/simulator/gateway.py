"""The rehearsal gateway's judgement: a call comes in as a value, a reply goes out as a value.

Rules of this file: no I/O, no threads, no clock and no randomness of its own. A call is judged, and what it sets is
live, at the moment it arrives; latency, slow faults and the wait of a poll hold back only the answer, so a caller that
does not wait for it has changed the agent all the same. Not safe for several threads at once: `server` calls it on one
loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from reconciler.simulator import reference
from reconciler.simulator.agent_service import AgentService, Answer
from reconciler.simulator.attendance import Attendance
from reconciler.simulator.exchange import Call, RefusedError, Reply, retcode_reply
from reconciler.simulator.faults import Effect, Fault, FaultScript
from reconciler.simulator.message import Setting, read_setting
from reconciler.simulator.reference import Operation
from reconciler.simulator.rules import ALL_CHANNELS, ChannelMode, Rules
from reconciler.simulator.session_book import SessionBook
from reconciler.simulator.sessions import SimulatedSession, parse_agent
from reconciler.simulator.traffic import Traffic
from reconciler.simulator.whens import Arrival
from reconciler.values import Struct, repr_without

_PATTERNS: Final[Mapping[Operation, re.Pattern[str]]] = {
    operation: resource.pattern for operation, resource in reference.RESOURCES.items()
}

_EXCLUSIVE: Final[Mapping[Operation, tuple[Operation, ...]]] = {
    Operation.SET: (Operation.SET,),
    **dict.fromkeys(_COMINGS := (Operation.SIGN_IN, Operation.FORCE, Operation.SIGN_OUT), _COMINGS),
}
"""Operations of one agent that must not overlap each other; the others may overlap anything."""


class Visit(Struct, frozen=True, kw_only=True):
    """A call between its arrival and its end; `Gateway.leave` must be told when it is over."""

    reply: Reply | None
    """`None`: cut the connection instead of answering."""
    delay: float = 0.0
    """Seconds to hold back the answer."""
    agent: int | None = None
    traffic: Traffic | None = None
    """Where the call is counted; `None`: it was none of the gateway's interfaces."""

    __repr__ = repr_without("traffic")


class Gateway:
    """A CC-Gateway with the interfaces of `reference`, its signed-in agents and their live numbers.

    Attributes:
        rules: how it behaves where the reference is silent; `set_rules` exchanges them.
        faults: what goes wrong, and when.
        attendance: counts of signing in, staying and signing out.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        clock: Callable[[], float],
        tokens: Callable[[int], str],
        faults: Iterable[Fault] = (),
    ) -> None:
        """Begin with nobody signed in and nothing set.

        Args:
            rules: see the attribute.
            clock: seconds that only ever rise, such as `time.monotonic`.
            tokens: returns that many random bytes as hex digits, such as `secrets.token_hex`.
            faults: see the attribute.
        """
        self.rules = rules
        self.faults = FaultScript(faults)
        self.attendance = Attendance()
        self._clock = clock
        self._live: dict[int, Setting] = {}
        self._skills = dict(rules.skills)
        self._passwords = dict(rules.passwords)
        self._last_login_time = 0
        self._traffic = {operation: Traffic() for operation in Operation}
        self._sessions = SessionBook(rules, clock=clock, tokens=tokens, attendance=self.attendance, on_end=self._forget)
        self._service = AgentService(
            self._sessions,
            attendance=self.attendance,
            password_of=self._passwords.get,
            login_time=self._next_login_time,
        )

    def set_rules(self, rules: Rules) -> None:
        """Behave by other rules from now on; skill queues and passwords that were given one by one stay."""
        self.rules = self._sessions.rules = rules

    def sign_in(self, agent: int) -> SimulatedSession:
        """Give the agent a new session at a desk; what was set in the one before is lost."""
        return self._sessions.sign_in(agent)

    def admit(self, session: SimulatedSession) -> None:
        """Sign an agent in with a Guid that was made elsewhere."""
        self._sessions.admit(session)

    def sign_out(self, agent: int) -> None:
        """End the agent's session and forget its live numbers.

        Raises:
            RefusedError: the agent is not signed in.
        """
        self._sessions.sign_out(agent)

    def rotate(self, agent: int) -> SimulatedSession:
        """Replace the agent's Guid within its session; its live numbers stay, the former Guid is refused at once.

        Raises:
            RefusedError: the agent is not signed in.
        """
        return self._sessions.rotate(agent)

    def lose(self, agent: int) -> None:
        """Forget the agent's session and live numbers, while whoever holds the Guid still believes in it."""
        self._sessions.lose(agent)

    def set_skills(self, agent: int, media_types: Iterable[int]) -> None:
        """Give the agent the skill queues of exactly these channels."""
        self._skills[agent] = frozenset(media_types)

    def set_password(self, agent: int, password: str) -> None:
        """Let nobody sign the agent in who does not have this password."""
        self._passwords[agent] = password

    def sessions(self) -> tuple[SimulatedSession, ...]:
        """Return who is signed in, by agent; lost sessions are among them, for their holders still have them."""
        return self._sessions.all()

    def revision(self) -> int:
        """Return a number that rises whenever a session begins, ends or gets another Guid; what is due happens now."""
        self._sessions.all()
        return self._sessions.revision

    def live(self, agent: int) -> Setting | None:
        """Return the agent's live numbers, or `None` when nothing was set since it signed in."""
        self._sessions.is_signed_in(agent)
        return self._live.get(agent)

    def agents_document(self) -> dict[str, dict[str, object]]:
        """Return all live numbers as JSON values: `{"1001": {"total": 25, "channels": {"51": 9}}}`."""
        self._sessions.all()
        return {
            str(agent): {"total": setting.total, "channels": {str(code): n for code, n in setting.channels.items()}}
            for agent, setting in sorted(self._live.items())
        }

    def requests_document(self) -> dict[str, object]:
        """Return the counts of calls that set numbers as JSON values; see `Traffic.document`."""
        return self._traffic[Operation.SET].document()

    def attendance_document(self) -> dict[str, object]:
        """Return who came, stayed and went as JSON values; see `Attendance.document`."""
        return self.attendance.document(self.sessions())

    def arrive(self, call: Call) -> Visit:
        """Judge a call, carry it out if it is to be, and return how it is to be answered."""
        operation, agent_id = _find_operation(call.path)
        if operation is None:
            return Visit(reply=retcode_reply(reference.BAD_URL, "there is no such resource", status=404))
        agent = parse_agent(agent_id)
        traffic = self._traffic[operation]
        nth_of_all, nth_of_agent = traffic.begin(agent)
        effect = self.faults.take(
            Arrival(
                operation=operation, agent=agent, nth_of_all=nth_of_all, nth_of_agent=nth_of_agent, at=self._clock()
            )
        )
        self._disturb(effect, agent)
        if effect.reaches and self._overlaps(operation, agent):
            traffic.refuse_overlap()
            # Refused before any work: this answer is not held back by latency.
            return Visit(reply=retcode_reply(reference.OVERLAPPING), agent=agent, traffic=traffic)
        answer = self._answer(operation, call, agent) if effect.reaches else None
        return Visit(
            reply=None if effect.reset else effect.reply or (answer.reply if answer else None),
            delay=self.rules.latency + effect.delay + (answer.wait if answer else 0.0),
            agent=agent,
            traffic=traffic,
        )

    def leave(self, visit: Visit) -> None:
        """Note that a call has been answered or cut off; until then another one for its agent may overlap it."""
        if visit.traffic is not None:
            visit.traffic.end(visit.agent)

    def _disturb(self, effect: Effect, agent: int | None) -> None:
        if agent is None:
            return
        if effect.loses_session:
            self._sessions.lose(agent)
        if effect.signs_out and self._sessions.is_signed_in(agent):
            self._sessions.sign_out(agent)

    def _overlaps(self, operation: Operation, agent: int | None) -> bool:
        return sum(self._traffic[each].open_calls(agent) for each in _EXCLUSIVE.get(operation, ())) > 1

    def _answer(self, operation: Operation, call: Call, agent: int | None) -> Answer:
        method = reference.RESOURCES[operation].method
        if call.method != method:
            reply = retcode_reply(
                reference.BAD_URL, f"only {method} is supported", status=405, headers={"Allow": method}
            )
            return Answer(reply=reply)
        try:
            return self._carry_out(operation, call, agent)
        except RefusedError as exc:
            if operation is not Operation.SET:
                self.attendance.note_refusal(exc.retcode)
            return Answer(reply=retcode_reply(exc.retcode, exc.detail))

    def _carry_out(self, operation: Operation, call: Call, agent: int | None) -> Answer:
        if agent is None:
            raise RefusedError(reference.BAD_URL, "the agent id is not in 101-999999")
        if operation is not Operation.SET:
            return self._service.carry_out(operation, agent, call)
        self._set_numbers(agent, call)
        return Answer(reply=retcode_reply(reference.SUCCESS))

    def _set_numbers(self, agent: int, call: Call) -> None:
        # The caller is checked before the message: the real gateway leaves parameters to the platform behind it.
        self._sessions.authenticate(agent, guid=call.guid, cookie=call.cookie)
        if not reference.CONTENT_TYPE.fullmatch((call.content_type or "").strip()):
            raise RefusedError(reference.BAD_MESSAGE, "the Content-Type is not application/json; charset=UTF-8")
        setting = read_setting(call.body, number_key=self.rules.callnums_key, spelling=self.rules.spelling)
        if not setting.channels.keys() <= self._skills.get(agent, ALL_CHANNELS - self.rules.missing_skills):
            raise RefusedError(reference.NO_SKILL_QUEUE)
        self._commit(agent, setting)

    def _commit(self, agent: int, setting: Setting) -> None:
        before = self._live.get(agent)
        if before is not None and self.rules.channel_mode is ChannelMode.MERGE:
            merged = {**before.channels, **setting.channels}
            setting = Setting(total=setting.total, channels=dict(sorted(merged.items())))
        self._live[agent] = setting

    def _forget(self, agent: int) -> None:
        self._live.pop(agent, None)

    def _next_login_time(self) -> int:
        self._last_login_time = max(self._last_login_time + 1, int(self._clock() * 1000))
        return self._last_login_time


def _find_operation(path: str) -> tuple[Operation | None, str]:
    for operation, pattern in _PATTERNS.items():
        match = pattern.fullmatch(path)
        if match is not None:
            return operation, match["agentid"]
    return None, ""
