"""HTTP/1.1 over one TLS connection: a request goes out, its reply comes in, and what nobody asked for ends it.

Rules of this file: a byte that comes before a request, or after the end of its reply, may never be taken for the answer
to a later one, which is another agent's: it spoils the connection. So the bytes are heard as they come, and not read
when they are wanted: what waits unread, in whatever buffer, would be answer enough for the next call.
"""

from __future__ import annotations

import asyncio

import httpx

from reconciler.gateway.incoming import Incoming
from reconciler.gateway.protocol import Reply

_KEPT_OPEN = 5.0
"""Seconds without a call after which a connection is not used again: servers close theirs, and a call may cross it."""


class Wire(asyncio.Protocol):
    """The protocol of one connection; a call at a time."""

    def __init__(self, max_body: int) -> None:
        """Keep `max_body` bytes of each reply's body."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._max_body = max_body
        self._transport: asyncio.WriteTransport | None = None
        self._spoiled = False
        self._last_used = loop.time()
        self._gone = asyncio.Event()
        self._deadline = self._last_used
        self._alarm: asyncio.TimerHandle | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._incoming = Incoming(max_body)

    @property
    def usable(self) -> bool:
        """Tell whether another call may go over this connection."""
        return not self._spoiled and self._loop.time() - self._last_used < _KEPT_OPEN

    async def ask(self, request: bytes, *, by: float) -> Reply:
        """Send `request` and return the whole reply, or its beginning if it is too long.

        Args:
            request: as it goes over the wire.
            by: when the reply has to be there, by the clock of the loop; never sooner than for the call before.

        Raises:
            httpx.RemoteProtocolError: what came back is not HTTP.
            OSError: the connection ended before the reply did, or time did: a `TimeoutError` then.
        """
        self._reply = self._loop.create_future()
        self._incoming = Incoming(self._max_body)
        self._deadline = by
        if self._alarm is None:
            self._ring()
        try:
            if not self._reply.done():  # its time may be up already
                self._write(request)
            return await self._reply
        except BaseException:
            self._spoil()
            raise

    async def close(self) -> None:
        """End the connection, and wait until it has."""
        self._spoil()
        if self._transport is not None:
            await self._gone.wait()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._spoiled:
            raise ConnectionResetError
        self._transport.write(data)

    # What the event loop calls.

    def _ring(self) -> None:
        """See whether the reply is late, and be called again when it will be: one alarm serves many calls."""
        waiting = self._reply is not None and not self._reply.done() and not self._spoiled
        if waiting and self._loop.time() >= self._deadline:
            self._fail(TimeoutError())
        self._alarm = self._loop.call_at(self._deadline, self._ring) if waiting and not self._spoiled else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write to."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a connection of `create_connection`
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take a part of the reply; what belongs to none ends the connection."""
        if self._reply is None or self._reply.done():
            self._spoil()
            return
        try:
            self._settle(self._incoming.take(data))
        except httpx.RemoteProtocolError as exc:
            self._fail(exc)

    def eof_received(self) -> None:
        """Take the end of the other side's bytes, which is the reply's own end where no length was told."""
        if self._reply is not None and not self._reply.done():
            try:
                self._settle(self._incoming.end())
            except (httpx.RemoteProtocolError, ConnectionResetError) as exc:
                self._fail(exc)
        self._spoil()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that it is over, and why."""
        self._fail(exc or ConnectionResetError())
        self._gone.set()

    def _settle(self, reply: Reply | None) -> None:
        """Hand over the reply if it is there, and see whether another call may follow it."""
        if reply is None:
            return
        assert self._reply is not None  # noqa: S101 - nothing is read that nobody waits for
        if self._incoming.reusable:
            self._last_used = self._loop.time()
        else:
            self._spoil()
        self._reply.set_result(reply)

    def _fail(self, error: Exception) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)
        self._spoil()

    def _spoil(self) -> None:
        self._spoiled = True
        if self._alarm is not None:  # else the loop keeps all of this until the time of the call is up
            self._alarm.cancel()
            self._alarm = None
        if self._transport is not None:
            self._transport.abort()
