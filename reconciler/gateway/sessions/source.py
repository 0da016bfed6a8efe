"""What a source of sessions is.

Rules of this file: the protocol alone. A source that only reads what somebody else keeps fresh (a file, a variable)
inherits from it and writes `fetch`; the rest has nothing to do then, and does nothing. Who builds which source is
`opening`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from reconciler.model.agent import AgentId
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.session import Absent, Session


class SessionSource(Protocol):
    """Knows who is signed in. All of it runs in one event loop; `close` comes once, last, and whatever happened."""

    most_at_once: int | None = None
    """For how many agents it may be asked at once; `None`: as many as suits the run."""
    holds_agents: bool = False
    """Whether somebody is signed in for each session it has given and not been told to release: no more may be out then
    than calls are in flight."""

    def prepare(self) -> None:
        """Read the secrets it needs. Comes once, before the event loop is there and before anything else.

        Raises:
            ReconcilerError: a secret cannot be had.
        """
        return

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        """Return the session of each of `agents`, or why there is none; of whom nothing is known is left out.

        Asked anew each time, just before the sessions are used: a Guid is good for a minute or two. It may be
        cancelled at any time.

        Raises:
            SessionSourceError: the source as a whole cannot be had or cannot be trusted.
        """
        ...

    def calling(self, session: Session) -> AbstractAsyncContextManager[Session]:
        """Give the session to send a call in, for as long as it lasts: as fetched, or the newest of the same sign-in.

        Meanwhile the source sends nothing of its own for the agent (retcode 000-007).
        """
        return nullcontext(session)

    async def release(self, agent: AgentId) -> None:  # noqa: ARG002 - for those who hold something
        """Hear that the run needs this agent's session no more. Never raises but for a cancellation."""
        return

    async def close(self) -> None:
        """Let go of everything. Never raises but for a cancellation, after which it has closed what can be closed."""
        return

    def warnings(self) -> Sequence[Diagnostic]:
        """Return what people must be told of what this source did or could not undo; complete once it is closed."""
        return ()
