"""A live session of one agent, as a session source gives it, or why there is none.

Rule: a Guid and a cookie are secrets. They are kept out of `repr` and of equality's error texts, and nothing here
turns them into text; only `gateway.protocol` reads them, to put them on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.agent import AgentId
from reconciler.values import Struct, field, repr_without


class Session(Struct, frozen=True, kw_only=True):
    """What one call for one agent needs. Good for a minute or two: read it just before use, never store it."""

    agent: AgentId
    guid: str
    """The opaque printable token for the `Guid` header."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Cookies of the agent's own sign-in, to be sent back with the Guid; never shared between agents."""
    key: str | None = None
    """The source's opaque name for this sign-in (a login time, say). Recorded in the state, so never the Guid."""

    __repr__ = repr_without("guid", "cookies")


class Absent(Struct, frozen=True, kw_only=True):
    """There is no session of this agent, and the source knows why. The agent is deferred."""

    message: str
    """One line for people; what a server sent is escaped before it gets here, and no secret is in it."""
    retcode: str | None = None
    """The gateway's own word on it, such as `100-002`; `None` when it said none."""
    ends_run: bool = False
    """No other agent would fare better, or somebody may be locked out: nobody else is to be tried."""
