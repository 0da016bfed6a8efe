"""Who is signed in, and with which Guid.

Rules of this file: no I/O, no clock and no randomness of its own; both come in as functions. An agent has at most one
session, and a session belongs to one agent. Time passes lazily: whatever is asked about an agent first ends or renews
what is due for it. Guids and cookies stay out of every error text.
"""

from __future__ import annotations

import hmac
import math
import uuid
from collections.abc import Callable

from reconciler.simulator import reference
from reconciler.simulator.attendance import Attendance, Step
from reconciler.simulator.exchange import RefusedError
from reconciler.simulator.rules import AuthMode, Rules
from reconciler.simulator.sessions import Keeper, SimulatedSession, parse_cookies
from reconciler.values import replace

_COOKIE = "JSESSIONID"
_DEFAULT_NODE = "AgentGateway1"


class SessionBook:
    """All sessions of one gateway.

    Attributes:
        rules: how sessions begin, age and end; may be exchanged at any time.
        revision: rises whenever a session begins, ends, or gets another Guid.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        clock: Callable[[], float],
        tokens: Callable[[int], str],
        attendance: Attendance,
        on_end: Callable[[int], None],
    ) -> None:
        """Begin with nobody signed in.

        Args:
            rules: see the attribute.
            clock: seconds that only ever rise.
            tokens: returns that many random bytes as hex digits, such as `secrets.token_hex`.
            attendance: told what happens to sessions.
            on_end: called with the agent whose session has just ended.
        """
        self.rules = rules
        self.revision = 0
        self._clock = clock
        self._tokens = tokens
        self._attendance = attendance
        self._on_end = on_end
        self._sessions: dict[int, SimulatedSession] = {}
        self._signed_out_by_us: set[int] = set()

    def sign_in(self, agent: int) -> SimulatedSession:
        """Give the agent a new session at a desk; one it had before is thrown out."""
        session = self._begin(agent)
        return self.admit(replace(session, unasked_cookies={**session.unasked_cookies, **self.rules.session_cookies}))

    def sign_in_caller(self, agent: int, *, pushed: bool, events: tuple[str, ...]) -> SimulatedSession:
        """Give the agent a new session that a caller has to keep; one it had before is thrown out."""
        return self.admit(replace(self._begin(agent), keeper=Keeper.CALLER, pushed=pushed, events=events))

    def admit(self, session: SimulatedSession) -> SimulatedSession:
        """Take a session that was made elsewhere; its Guid counts as issued now."""
        self._end(session.agent)
        self._signed_out_by_us.discard(session.agent)
        now = self._clock()
        return self._keep(replace(session, issued_at=now, seen_at=now))

    def rotate(self, agent: int) -> SimulatedSession:
        """Replace the Guid of the agent's session, which is refused from now on.

        Raises:
            RefusedError: the agent is not signed in.
        """
        return self._keep(
            replace(self._find(agent), guid=self._new_guid(), issued_at=self._clock(), former=()),
        )

    def sign_out(self, agent: int) -> None:
        """End the agent's session.

        Raises:
            RefusedError: the agent is not signed in.
        """
        self._end(self._find(agent).agent)

    def lose(self, agent: int) -> None:
        """Forget the agent's session, if it has one, while whoever holds its Guid believes in it."""
        session = self._current(agent)
        if session is not None and not session.lost:
            self._sessions[agent] = replace(session, lost=True)
            self._attendance.note(Step.LOST, agent)
            self._on_end(agent)

    def is_signed_in(self, agent: int) -> bool:
        """Whether the agent has a session that the gateway knows."""
        session = self._current(agent)
        return session is not None and not session.lost

    def all(self) -> tuple[SimulatedSession, ...]:
        """Return the sessions by agent, lost ones among them: their holders still have them."""
        sessions = (self._current(agent) for agent in sorted(self._sessions))
        return tuple(session for session in sessions if session is not None)

    def authenticate(self, agent: int, *, guid: str | None, cookie: str) -> SimulatedSession:
        """Return the session of a call that carries the agent's own live Guid, and the cookies that it needs.

        Raises:
            RefusedError: 100-006 or 100-008 when the agent is not signed in, else 000-003.
        """
        session = self._find(agent)
        sent = parse_cookies(cookie) if session.cookies else {}
        if not all(_same(sent.get(name, ""), value) for name, value in session.cookies.items()):
            # A front sends who lacks its cookie to another node, and a session lives on one node only.
            retcode = reference.NOT_SIGNED_IN if self.rules.sticky_cookies else reference.NO_PERMISSION
            raise RefusedError(retcode, "a cookie of the session is missing or differs")
        self._check_guid(session, guid)
        return session

    def see(self, session: SimulatedSession) -> SimulatedSession:
        """Note a sign of life of the session's caller, and renew the Guid if it is due; return the session as it is."""
        seen = self._sessions[session.agent] = replace(session, seen_at=self._clock())
        if self._rotates(seen) and self._clock() - seen.issued_at >= self.rules.guid_interval:
            self._attendance.note(Step.ROTATION, session.agent)
            return self.renew(seen)
        return seen

    def renew(self, session: SimulatedSession) -> SimulatedSession:
        """Replace the Guid, which stays good beside the new one until it is too old; none is replaced when static."""
        if self.rules.auth_mode is AuthMode.STATIC:
            return session
        now = self._clock()
        former = ((session.guid, session.issued_at), *session.former)
        alive = tuple((guid, issued) for guid, issued in former if now - issued < self.rules.guid_timeout)
        return self._keep(replace(session, guid=self._new_guid(), issued_at=now, former=alive))

    def take_event(self, session: SimulatedSession) -> str | None:
        """Return the type of the next event of the session, which is thereby delivered."""
        if not session.events:
            return None
        self._sessions[session.agent] = replace(session, events=session.events[1:])
        return session.events[0]

    def _begin(self, agent: int) -> SimulatedSession:
        node = self.rules.node
        sticky = self.rules.sticky_cookies
        own = {_COOKIE: f"{self._tokens(16)}.{node or _DEFAULT_NODE}"} if sticky or node else {}
        return SimulatedSession(
            agent=agent,
            guid=self._new_guid(),
            key=f"login-{self._tokens(8)}",
            cookies=own if sticky else {},
            unasked_cookies={} if sticky else own,
        )

    def _keep(self, session: SimulatedSession) -> SimulatedSession:
        self._sessions[session.agent] = session
        self.revision += 1
        return session

    def _end(self, agent: int) -> None:
        if self._sessions.pop(agent, None) is not None:
            self.revision += 1
            self._on_end(agent)

    def _current(self, agent: int) -> SimulatedSession | None:
        session = self._sessions.get(agent)
        if session is None or session.lost:
            return session
        now = self._clock()
        if session.keeper is Keeper.CALLER and now - session.seen_at >= self.rules.idle_timeout:
            self._attendance.note(Step.TIMED_OUT, agent)
            self._end(agent)
            self._signed_out_by_us.add(agent)
            return None
        desk = session.keeper is Keeper.DESK  # whose client asks in time
        if desk and self._rotates(session) and now - session.issued_at >= self.rules.guid_interval:
            self._attendance.note(Step.ROTATION, agent)
            return self.renew(session)
        return session

    def _find(self, agent: int) -> SimulatedSession:
        session = self._current(agent)
        if session is None or session.lost:
            ours = agent in self._signed_out_by_us
            raise RefusedError(reference.HAS_SIGNED_OUT if ours else reference.NOT_SIGNED_IN)
        return session

    def _check_guid(self, session: SimulatedSession, guid: str | None) -> None:
        known = ((session.guid, session.issued_at), *session.former)
        issued = [instant for each, instant in known if guid is not None and _same(guid, each)]
        if not issued:
            raise RefusedError(reference.NO_PERMISSION, "the Guid header is missing or is not this session's")
        if self._clock() - issued[0] >= self._lifetime(session):
            raise RefusedError(reference.NO_PERMISSION, "the Guid has expired")

    def _lifetime(self, session: SimulatedSession) -> float:
        if self.rules.guid_ttl is not None:
            return self.rules.guid_ttl
        return self.rules.guid_timeout if self._rotates(session) else math.inf

    def _rotates(self, session: SimulatedSession) -> bool:
        asked = session.keeper is Keeper.CALLER or self.rules.desks_rotate
        return asked and self.rules.auth_mode is AuthMode.DYNAMIC

    def _new_guid(self) -> str:
        return f"{uuid.UUID(hex=self._tokens(16))}.{self.rules.node or _DEFAULT_NODE}"


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="surrogateescape"), right.encode(errors="surrogateescape"))
