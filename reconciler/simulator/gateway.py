"""The rehearsal gateway's judgement: a call comes in as a value, a reply goes out as a value.

Rules of this file: no I/O, no threads, no clock and no randomness of its own. A call is judged, and what it sets is
live, at the moment it arrives; latency and slow faults hold back only the answer, so a caller that does not wait
for it has changed the agent all the same. Not safe for several threads at once: `server` calls it on one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.simulator import reference
from reconciler.simulator.exchange import Call, RefusedError, Reply, retcode_reply
from reconciler.simulator.faults import Fault, FaultScript
from reconciler.simulator.message import Setting, read_setting
from reconciler.simulator.rules import ALL_CHANNELS, ChannelMode, Rules
from reconciler.simulator.sessions import SessionBook, SimulatedSession, parse_agent
from reconciler.simulator.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A call between its arrival and its end; `Gateway.leave` must be told when it is over."""

    reply: Reply | None
    """`None`: cut the connection instead of answering."""
    delay: float = 0.0
    """Seconds to hold back the answer."""
    agent: int | None = None
    counted: bool = False
    """Whether this was a call to the gateway's interface at all."""


class Gateway:
    """A CC-Gateway with one interface, its signed-in agents and their live numbers."""

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
            rules: how this gateway behaves where the reference is silent.
            clock: seconds that only ever rise, such as `time.monotonic`.
            tokens: returns that many random bytes as hex digits, such as `secrets.token_hex`.
            faults: what goes wrong, and when.
        """
        self.rules = rules
        self.faults = FaultScript(faults)
        self._sessions = SessionBook(clock=clock, tokens=tokens, guid_ttl=rules.guid_ttl)
        self._traffic = Traffic()
        self._live: dict[int, Setting] = {}
        self._skills = dict(rules.skills)

    def sign_in(self, agent: int) -> SimulatedSession:
        """Give the agent a new session; what was set in the one before is lost."""
        self._live.pop(agent, None)
        return self._sessions.sign_in(agent)

    def admit(self, session: SimulatedSession) -> None:
        """Sign an agent in with a Guid that was made elsewhere."""
        self._live.pop(session.agent, None)
        self._sessions.admit(session)

    def sign_out(self, agent: int) -> None:
        """End the agent's session and forget its live numbers.

        Raises:
            RefusedError: the agent is not signed in.
        """
        self._sessions.sign_out(agent)
        self._live.pop(agent, None)

    def rotate(self, agent: int) -> SimulatedSession:
        """Replace the agent's Guid within its session; its live numbers stay.

        Raises:
            RefusedError: the agent is not signed in.
        """
        return self._sessions.rotate(agent)

    def set_skills(self, agent: int, media_types: Iterable[int]) -> None:
        """Give the agent the skill queues of exactly these channels."""
        self._skills[agent] = frozenset(media_types)

    def sessions(self) -> tuple[SimulatedSession, ...]:
        """Return who is signed in, by agent."""
        return self._sessions.all()

    def live(self, agent: int) -> Setting | None:
        """Return the agent's live numbers, or `None` when nothing was set since it signed in."""
        return self._live.get(agent)

    def agents_document(self) -> dict[str, dict[str, object]]:
        """Return all live numbers as JSON values: `{"1001": {"total": 25, "channels": {"51": 9}}}`."""
        return {
            str(agent): {"total": setting.total, "channels": {str(code): n for code, n in setting.channels.items()}}
            for agent, setting in sorted(self._live.items())
        }

    def requests_document(self) -> dict[str, object]:
        """Return the counts of calls as JSON values; see `Traffic.document`."""
        return self._traffic.document()

    def arrive(self, call: Call) -> Visit:
        """Judge a call, carry it out if it is to be, and return how it is to be answered."""
        match = reference.RESOURCE.fullmatch(call.path)
        if match is None:
            return Visit(reply=retcode_reply(reference.BAD_URL, "there is no such resource", status=404))
        agent = parse_agent(match["agentid"])
        nth_of_all, nth_of_agent = self._traffic.begin(agent)
        effect = self.faults.take(agent, nth_of_all=nth_of_all, nth_of_agent=nth_of_agent)
        if effect.reaches and self._traffic.overlaps(agent):
            # Refused before any work: this answer is not held back by latency.
            return Visit(reply=retcode_reply(reference.OVERLAPPING), agent=agent, counted=True)
        reply = self._answer(call, agent) if effect.reaches else None
        return Visit(
            reply=None if effect.reset else effect.reply or reply,
            delay=self.rules.latency + effect.delay,
            agent=agent,
            counted=True,
        )

    def leave(self, visit: Visit) -> None:
        """Note that a call has been answered or cut off; until then another one for its agent overlaps it."""
        if visit.counted:
            self._traffic.end(visit.agent)

    def _answer(self, call: Call, agent: int | None) -> Reply:
        if call.method != reference.METHOD:
            allowed = {"Allow": reference.METHOD}
            return retcode_reply(reference.BAD_URL, "only POST is supported", status=405, headers=allowed)
        try:
            self._carry_out(call, agent)
        except RefusedError as exc:
            return retcode_reply(exc.retcode, exc.detail)
        return retcode_reply(reference.SUCCESS)

    def _carry_out(self, call: Call, agent: int | None) -> None:
        # The caller is checked before the message: the real gateway leaves parameters to the platform behind it.
        if agent is None:
            raise RefusedError(reference.BAD_URL, "the agent id is not in 101-999999")
        self._sessions.authenticate(agent, guid=call.guid, cookie=call.cookie)
        if not reference.CONTENT_TYPE.fullmatch((call.content_type or "").strip()):
            raise RefusedError(reference.BAD_MESSAGE, "the Content-Type is not application/json; charset=UTF-8")
        setting = read_setting(call.body, number_key=self.rules.callnums_key, spelling=self.rules.spelling)
        if not setting.channels.keys() <= self._skills.get(agent, ALL_CHANNELS):
            raise RefusedError(reference.NO_SKILL_QUEUE)
        self._commit(agent, setting)

    def _commit(self, agent: int, setting: Setting) -> None:
        before = self._live.get(agent)
        if before is not None and self.rules.channel_mode is ChannelMode.MERGE:
            merged = {**before.channels, **setting.channels}
            setting = Setting(total=setting.total, channels=dict(sorted(merged.items())))
        self._live[agent] = setting
