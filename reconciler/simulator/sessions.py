"""One agent's session, and what an agent's id and a cookie header look like.

Rules of this file: values and parsing only; who is signed in is `session_book`'s to know. Guids and cookies stay out
of every `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from reconciler.simulator import reference
from reconciler.values import Struct, field, repr_without


class Keeper(StrEnum):
    """Who keeps a session alive."""

    DESK = "desk"
    """A person the rehearsal signed in, whose own client polls: the session lasts until somebody ends it."""
    CALLER = "caller"
    """Whoever signed in by a call, and has to poll or to send heartbeats."""


class SimulatedSession(Struct, frozen=True, kw_only=True):
    """One agent's signed-in session. Instants are by the book's clock."""

    agent: int
    guid: str
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Cookies that must come back with the Guid; empty: none are asked for."""
    key: str | None = None
    """Names this signing-in; it stays the same when the Guid rotates, and differs at the next signing-in."""
    issued_at: float = 0.0
    """When this Guid was issued."""
    former: tuple[tuple[str, float], ...] = ()
    """Guids that were replaced and are still good for a while, each with the instant at which it was issued."""
    unasked_cookies: Mapping[str, str] = field(default_factory=dict)
    """Cookies that are given out with the session and never asked for here: a front may want them."""
    keeper: Keeper = Keeper.DESK
    seen_at: float = 0.0
    """When the caller last signed in, polled or sent a heartbeat; means nothing for a desk."""
    pushed: bool = False
    """Whether the session's events are pushed, so that polling for them is wrong."""
    events: tuple[str, ...] = ()
    """Types of the events that wait for a poll."""
    lost: bool = False
    """The gateway has forgotten the session, and whoever holds its Guid does not know."""

    __repr__ = repr_without("guid", "cookies", "former", "unasked_cookies")

    def document(self) -> dict[str, object]:
        """Return the session as one object of a sessions file. Holds the Guid: write it nowhere else."""
        document: dict[str, object] = {"agentId": str(self.agent), "guid": self.guid}
        if self.cookies or self.unasked_cookies:
            document["cookies"] = {**self.cookies, **self.unasked_cookies}
        if self.key is not None:
            document["session"] = self.key
        return document


def parse_agent(text: str) -> int | None:
    """Return the agent id that `text` is, or `None` when it is none: Table 1 wants plain digits, 101 to 999999."""
    if not (text.isascii() and text.isdigit() and 3 <= len(text) <= 6):  # noqa: PLR2004 - the digits of Table 1's range
        return None
    agent = int(text)
    return agent if agent in reference.AGENT_IDS and text[0] != "0" else None


def parse_cookies(header: str) -> dict[str, str]:
    """Return the cookies of a `Cookie` header."""
    pairs: Iterable[tuple[str, str, str]] = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs}
