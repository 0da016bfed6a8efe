"""One exchange with a Redis server: connect, log in, send all commands at once, read all replies, close.

The only module that knows the `redis` library. Rules of this file: no pool, no retries of the library's own, no
greeting but a login, a name and a database; what the server may send is bounded, whatever it says it is. The library's
exceptions may quote what was read, so they become values here and are never chained.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from reconciler.errors import SessionSourceError
from reconciler.gateway.failures import Failure, Phase, explain
from reconciler.gateway.protocol import FailureKind
from reconciler.gateway.sessions.pipes import MAX_OUTPUT
from reconciler.gateway.sessions.redis_denials import denied
from reconciler.gateway.sessions.trouble import Setback, unreachable
from reconciler.model.session_servers import RedisAddress
from reconciler.values import Struct, repr_without

MAX_ANSWER = MAX_OUTPUT
"""Bytes a server may send in one exchange."""

Command = tuple[str | int, ...]

_LAST_WORDS = frozenset({"DENIED"})  # after which the server closes the connection


class Denial(Struct, frozen=True):
    """The server's error in reply to one command."""

    code: str
    """Its first word, such as `WRONGTYPE`. The rest may quote a key or a value."""


Reply = bytes | list[bytes | None] | Denial | None


class RedisServer(Struct, frozen=True, kw_only=True):
    """Where a server is, and how one logs in."""

    address: RedisAddress
    username: str | None
    password: str | None
    context: ssl.SSLContext | None
    """`None` without TLS."""
    client_name: str
    timeout: float
    """In seconds, to speak of it."""

    __repr__ = repr_without("password")

    @property
    def origin(self) -> str:
        """Return what errors call it."""
        return f"the Redis server {self.address}"


async def exchange(
    server: RedisServer, commands: Sequence[Command], *, seconds: float
) -> list[Reply] | Setback | SessionSourceError:
    """Return the reply to each of `commands`, or why there are none; all of it takes `seconds` at most."""
    connection = _Connection(server)
    prelude = _prelude(server)
    try:
        async with asyncio.timeout(seconds):
            replies = await _converse(connection, [*prelude, *commands])
    except TimeoutError:
        return unreachable(Failure(connection.late), server.origin, timeout=server.timeout)
    except (RedisError, OSError, EOFError, ValueError, RecursionError, _TooMuchError) as exc:
        return connection.failure or _explain(exc, server)
    finally:
        await connection.hang_up()
    if server.address.database and isinstance(replies[1], Denial):
        return _no_database(server)
    return replies[len(prelude) :]


async def _converse(connection: _Connection, commands: Sequence[Command]) -> list[Reply]:
    await connection.connect()  # type: ignore[no-untyped-call]  # the library's, without a type
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    return [await _reply(connection) for _ in commands]


def _prelude(server: RedisServer) -> list[Command]:
    # A user may not be allowed to name its connection, and need not.
    named: Command = ("CLIENT", "SETNAME", server.client_name)
    return [named, ("SELECT", server.address.database)] if server.address.database else [named]


class _TooMuchError(Exception):
    """The server sent more than it may."""


class _BoundedReader(asyncio.StreamReader):
    """Ends the exchange when too much has come, before a value of any size is collected."""

    _left = MAX_ANSWER

    def feed_data(self, data: Any) -> None:  # bytes, by a wider name in the library's types
        self._left -= len(data)
        if self._left >= 0:
            super().feed_data(data)
        elif self.exception() is None:
            self.set_exception(_TooMuchError())


class _Connection(AbstractConnection):
    """The library's connection, over a stream of ours."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(
            username=server.username,
            password=server.password,
            protocol=2,
            driver_info=None,  # or it would tell the server about itself
            socket_timeout=None,  # the one deadline is the caller's
            socket_connect_timeout=None,
        )
        self._server = server
        self.failure: Setback | SessionSourceError | None = None
        """Why no connection came about, if none did."""
        self.late = FailureKind.CONNECT_TIMEOUT if server.context is None else FailureKind.HANDSHAKE_TIMEOUT
        """What it means if time runs out now."""

    def repr_pieces(self) -> list[tuple[str, str | int]]:
        return [("server", self._server.origin)]

    def _host_error(self) -> str:
        return self._server.origin

    async def hang_up(self) -> None:
        """Close the connection at once: a farewell over TLS could wait for the server's for longer than the run."""
        if self._writer is not None:
            self._writer.transport.abort()
        await self.disconnect(nowait=True)

    async def _connect(self) -> None:
        # `asyncio.open_connection`, with a reader that is bounded.
        loop = asyncio.get_running_loop()
        reader = _BoundedReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        address, context = self._server.address, self._server.context
        try:
            transport, _ = await loop.create_connection(lambda: protocol, address.host, address.port, ssl=context)
        except (OSError, UnicodeError) as exc:
            phase = Phase.SHAKING_HANDS if isinstance(exc, ssl.SSLError) else Phase.CONNECTING
            self.failure = unreachable(explain(exc, phase), self._server.origin, timeout=self._server.timeout)
            raise
        self.late = FailureKind.TIMEOUT
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _reply(connection: _Connection) -> Reply:
    try:
        reply: Any = await connection.read_response(disable_decoding=True)
    except ResponseError as exc:
        if _code(exc) in _LAST_WORDS:
            raise
        return Denial(_code(exc))
    if isinstance(reply, list) and all(each is None or isinstance(each, bytes) for each in reply):
        return reply
    if reply is None or isinstance(reply, bytes):
        return reply
    raise ValueError("no reply to any command of ours")


def _code(exc: RedisError) -> str:
    # The library takes the first word off the text of those it knows.
    word = exc.status_code or str(exc).partition(" ")[0]
    return word if word.isascii() and word.isalpha() and word.isupper() else "ERR"


def _explain(exc: Exception, server: RedisServer) -> Setback | SessionSourceError:
    match exc:
        case _TooMuchError():
            return SessionSourceError(
                f"{server.origin} sent more than {MAX_ANSWER // 1024 // 1024} MiB",
                hint="sessions are small: look at what sessions.key or sessions.hash leads to; or lower sessions.batch",
            )
        case AuthenticationError(status_code="ERR"):
            return denied("NOPASS", server.origin)
        case RedisConnectionError(status_code="ERR"):  # the only one of its errors that the library takes for this
            return denied("MAXCLIENTS", server.origin)
        case RedisConnectionError(status_code=str()) | ResponseError():
            return denied(_code(exc), server.origin)
        case RedisConnectionError() | OSError() | EOFError():
            remedy = (
                "look at its log" if server.context else "look at its log; a port for TLS wants rediss:// for redis://"
            )
            return Setback(error=SessionSourceError(f"{server.origin} broke the connection off", hint=remedy))
        case _:
            return SessionSourceError(
                f"{server.origin} answered something that is not Redis's protocol",
                hint="check the port of sessions.url, and whether it must begin with rediss://",
            )


def _no_database(server: RedisServer) -> SessionSourceError:
    return SessionSourceError(
        f"{server.origin} has no database {server.address.database}, or does not let this user have it",
        hint="check the number at the end of sessions.url; a user needs SELECT for any but 0",
    )
