"""Who is signed in, and with which Guid.

Rules of this file: no I/O, no clock and no randomness of its own; both come in as functions. An agent has at most one
session, and a session belongs to one agent. Guids and cookies stay out of every `repr` and every error text.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.simulator import reference
from reconciler.simulator.exchange import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSession:
    """One agent's signed-in session."""

    agent: int
    guid: str = field(repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Cookies that must come back with the Guid; empty: none are asked for."""
    key: str | None = None
    """Names this signing-in; it stays the same when the Guid rotates, and differs at the next signing-in."""
    issued_at: float = 0.0
    """When this Guid was issued, by the book's clock."""

    def document(self) -> dict[str, object]:
        """Return the session as one object of a sessions file. Holds the Guid: write it nowhere else."""
        document: dict[str, object] = {"agentId": str(self.agent), "guid": self.guid}
        if self.cookies:
            document["cookies"] = dict(self.cookies)
        if self.key is not None:
            document["session"] = self.key
        return document


class SessionBook:
    """All sessions of one gateway."""

    def __init__(
        self, *, clock: Callable[[], float], tokens: Callable[[int], str], guid_ttl: float | None = None
    ) -> None:
        """Begin with nobody signed in.

        Args:
            clock: seconds that only ever rise.
            tokens: returns that many random bytes as hex digits, such as `secrets.token_hex`.
            guid_ttl: seconds after which a Guid has expired; `None`: never.
        """
        self._clock = clock
        self._tokens = tokens
        self._guid_ttl = guid_ttl
        self._sessions: dict[int, SimulatedSession] = {}

    def sign_in(self, agent: int) -> SimulatedSession:
        """Give the agent a new session with a new Guid; one it had before is thrown out."""
        return self.admit(SimulatedSession(agent=agent, guid=self._new_guid(), key=f"login-{self._tokens(8)}"))

    def admit(self, session: SimulatedSession) -> SimulatedSession:
        """Take a session that was made elsewhere; its Guid counts as issued now."""
        issued = replace(session, issued_at=self._clock())
        self._sessions[session.agent] = issued
        return issued

    def rotate(self, agent: int) -> SimulatedSession:
        """Replace the Guid of the agent's session, which is refused from now on.

        Raises:
            RefusedError: the agent is not signed in.
        """
        return self.admit(replace(self._find(agent), guid=self._new_guid()))

    def sign_out(self, agent: int) -> None:
        """End the agent's session.

        Raises:
            RefusedError: the agent is not signed in.
        """
        del self._sessions[self._find(agent).agent]

    def all(self) -> tuple[SimulatedSession, ...]:
        """Return the sessions, by agent."""
        return tuple(session for _, session in sorted(self._sessions.items()))

    def authenticate(self, agent: int, *, guid: str | None, cookie: str) -> None:
        """Let a call pass that carries the agent's own live Guid, and the session's cookies where it has some.

        Raises:
            RefusedError: 100-006 when the agent is not signed in, else 000-003.
        """
        session = self._find(agent)
        if guid is None or not _same(guid, session.guid):
            raise RefusedError(reference.NO_PERMISSION, "the Guid header is missing or is not this session's")
        if self._guid_ttl is not None and self._clock() - session.issued_at >= self._guid_ttl:
            raise RefusedError(reference.NO_PERMISSION, "the Guid has expired")
        sent = _read_cookies(cookie) if session.cookies else {}
        if not all(_same(sent.get(name, ""), value) for name, value in session.cookies.items()):
            raise RefusedError(reference.NO_PERMISSION, "a cookie of the session is missing or differs")

    def _find(self, agent: int) -> SimulatedSession:
        try:
            return self._sessions[agent]
        except KeyError:
            raise RefusedError(reference.NOT_SIGNED_IN) from None

    def _new_guid(self) -> str:
        return f"{uuid.UUID(hex=self._tokens(16))}.AgentGateway1"


def parse_agent(text: str) -> int | None:
    """Return the agent id that `text` is, or `None` when it is none: Table 1 wants plain digits, 101 to 999999."""
    if not (text.isascii() and text.isdigit() and 3 <= len(text) <= 6):  # noqa: PLR2004 - the digits of Table 1's range
        return None
    agent = int(text)
    return agent if agent in reference.AGENT_IDS and text[0] != "0" else None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="surrogateescape"), right.encode(errors="surrogateescape"))


def _read_cookies(header: str) -> dict[str, str]:
    pairs: Iterable[tuple[str, str, str]] = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs}
