"""Sessions from Redis, where the floor's own software keeps them: a key for each agent, or a field.

Rules of this file: one round trip for a batch, one connection for a round trip, so that nothing grows stale between
batches. A key that is not there, or is empty, is an agent who is not signed in. One that holds anything but a session
ends the run, though only its own agent is concerned: a template that leads to other data would otherwise look like a
floor where nobody is signed in. Keys are shown, values never.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.fields import SessionFieldError
from reconciler.gateway.sessions.redis_connection import Command, Denial, RedisServer, Reply, exchange
from reconciler.gateway.sessions.redis_denials import denied
from reconciler.gateway.sessions.redis_values import MAX_VALUE, read_hash, read_value
from reconciler.gateway.sessions.source import SessionSource
from reconciler.gateway.sessions.trouble import Setback, patiently
from reconciler.model.agent import AgentId
from reconciler.model.printable import printable
from reconciler.model.session import Session
from reconciler.model.session_servers import (
    FieldPerAgent,
    HashFields,
    HashPerAgent,
    KeyPerAgent,
    RedisLayout,
    RedisSessions,
)

_WRONG_TYPE = "WRONGTYPE"


class RedisSource(SessionSource):
    """Asks a Redis server for each batch of agents."""

    def __init__(self, settings: RedisSessions, *, password: str | None, context: ssl.SSLContext | None) -> None:
        """Remember whom to ask and for which keys; `context` is `None` without TLS."""
        self._layout = settings.layout
        self._timeout = settings.timeout
        self._server = RedisServer(
            address=settings.address,
            username=settings.username,
            password=password,
            context=context,
            client_name=settings.client_name,
            timeout=settings.timeout,
        )

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of `agents` that stand in Redis."""
        asked = tuple(dict.fromkeys(agents))
        if not asked:
            return {}
        commands = _commands(self._layout, asked)

        async def ask(seconds: float) -> list[Reply] | Setback | SessionSourceError:
            replies = await exchange(self._server, commands, seconds=seconds)
            return replies if isinstance(replies, (Setback, SessionSourceError)) else self._accept(replies, asked)

        replies = await patiently(ask, seconds=self._timeout)
        found = (self._read(agent, reply) for agent, reply in zip(asked, replies, strict=True))
        return {session.agent: session for session in found if session is not None}

    def _accept(self, replies: list[Reply], asked: Sequence[AgentId]) -> list[Reply] | Setback | SessionSourceError:
        """Return a reply for each agent, or what the server has against all of it."""
        if isinstance(self._layout, FieldPerAgent):
            (reply,) = replies
            values = reply if isinstance(reply, list) else ()
            replies = [*values] if len(values) == len(asked) else [reply] * len(asked)
        for reply in replies:
            if isinstance(reply, Denial) and reply.code != _WRONG_TYPE:
                return denied(reply.code, self._server.origin)
        return replies

    def _read(self, agent: AgentId, reply: Reply) -> Session | None:
        try:
            return _session(self._layout, agent, reply)
        except SessionFieldError as exc:
            reason = str(exc)
        raise SessionSourceError(
            f"{self._server.origin}, {_place(self._layout, agent)}: {reason}",
            hint=f"correct it or delete it; meanwhile --exclude-agent {agent} applies the others",
        )


def _session(layout: RedisLayout, agent: AgentId, reply: Reply) -> Session | None:
    match layout, reply:
        case _, Denial():
            raise SessionFieldError(f"is not a {'string' if isinstance(layout, KeyPerAgent) else 'hash'}")
        case ((KeyPerAgent() | FieldPerAgent()), (bytes() | None) as value):
            return read_value(value, agent) if value else None
        case HashPerAgent(fields=fields), [guid, *more] if len(more) == len(_optional(fields)):
            return read_hash(agent, guid, dict(zip(_optional(fields), more, strict=True))) if guid else None
        case _:
            raise SessionFieldError("is not what was asked for")


def _commands(layout: RedisLayout, agents: Sequence[AgentId]) -> list[Command]:
    match layout:
        case KeyPerAgent(key=key):
            # Not MGET, which takes a key of another type for one that is not there, and a value of any size.
            return [("GETRANGE", key.of(agent), 0, MAX_VALUE) for agent in agents]
        case HashPerAgent(key=key, fields=fields):
            return [("HMGET", key.of(agent), fields.guid, *_optional(fields).values()) for agent in agents]
        case FieldPerAgent(hash=name, field=template):
            return [("HMGET", name, *(template.of(agent) for agent in agents))]
        case _:
            assert_never(layout)


def _optional(fields: HashFields) -> dict[str, str]:
    named = {"cookies": fields.cookies, "session": fields.session}
    return {what: name for what, name in named.items() if name is not None}


def _place(layout: RedisLayout, agent: AgentId) -> str:
    match layout:
        case KeyPerAgent(key=key) | HashPerAgent(key=key):
            return f"key {printable(key.of(agent), limit=200)}"
        case FieldPerAgent(hash=name, field=template):
            return f"hash {printable(name, limit=200)}, field {printable(template.of(agent), limit=200)}"
        case _:
            assert_never(layout)
