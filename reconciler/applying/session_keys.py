"""Who is signed in, and under which key: what a plan that compares sessions is given.

Rules of this file: sessions are fetched in batches and dropped at once; only their keys leave it. Nobody is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.errors import SessionSourceError
from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session
from reconciler.model.session_settings import MAX_BATCH
from reconciler.planning import SessionKeys


async def read_session_keys(source: SessionSource, agents: Sequence[AgentId], *, batch: int = MAX_BATCH) -> SessionKeys:
    """Return the keys of the sessions that `source` knows of `agents`; `None` for a session without a key.

    Args:
        source: who knows the sessions, opened for this alone; it is closed in the end.
        agents: whom to ask for; an answer about anybody else is dropped.
        batch: how many to ask for at once, if the source takes so many.

    Raises:
        SessionSourceError: the source failed as a whole, or mixed up its agents.
    """
    keys: dict[AgentId, str | None] = {}
    size = min(batch, source.most_at_once or batch)
    try:
        for start in range(0, len(agents), size):
            asked = agents[start : start + size]
            keys.update(_keys(asked, await source.fetch(asked)))
    finally:
        await source.close()
    return keys


def _keys(asked: Sequence[AgentId], found: Mapping[AgentId, Session | Absent]) -> Iterator[tuple[AgentId, str | None]]:
    for agent in asked:
        session = found.get(agent)
        if isinstance(session, Session):
            if session.agent != agent:
                raise SessionSourceError(f"the session source gave agent {agent} the session of agent {session.agent}")
            yield agent, session.key
