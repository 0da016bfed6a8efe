"""HTTP/1.1 over one TLS connection: a request goes out, its reply comes in, and what nobody asked for ends it.

Rules of this file: a byte that comes before a request, or after the end of its reply, may never be taken for the answer
to a later one, which is another agent's: it spoils the connection. So the bytes are heard as they come, and not read
when they are wanted: what waits unread, in whatever buffer, would be answer enough for the next call. Of a reply only
as much is kept as was asked for.
"""

from __future__ import annotations

import asyncio

import h11
import httpx

MAX_HEAD = 100 * 1024
"""Bytes of a reply's status line and headers."""

_BEGINNING = b"HTTP/"
_KEPT_OPEN = 5.0
"""Seconds without a call after which a connection is not used again: servers close theirs, and a call may cross it."""


class Wire(asyncio.Protocol):
    """The protocol of one connection; a call at a time."""

    def __init__(self, max_body: int) -> None:
        """Keep a byte more than `max_body` of each reply, and read no further."""
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._max_body = max_body
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._transport: asyncio.WriteTransport | None = None
        self._spoiled = False
        self._last_used = self._time()
        self._gone = asyncio.Event()
        self._reply: asyncio.Future[httpx.Response] | None = None
        self._head: h11.Response | None = None
        self._body = bytearray()

    @property
    def usable(self) -> bool:
        """Tell whether another call may go over this connection."""
        return not self._spoiled and self._time() - self._last_used < _KEPT_OPEN

    async def ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Send `request` and return the whole reply, or its beginning if it is too long.

        Raises:
            httpx.LocalProtocolError: the request cannot be put on the wire; nothing was sent.
            httpx.RemoteProtocolError: what came back is not HTTP.
            OSError: the connection ended before the reply did.
        """
        self._reply = asyncio.get_running_loop().create_future()
        self._head = None
        self._body.clear()
        try:
            self._write(self._bytes_of(request, body))
            return await self._reply
        except BaseException:
            self._spoil()
            raise

    async def close(self) -> None:
        """End the connection, and wait until it has."""
        self._spoil()
        if self._transport is not None:
            await self._gone.wait()

    def _bytes_of(self, request: httpx.Request, body: bytes) -> bytes:
        try:
            head = h11.Request(
                method=request.method.encode("ascii"), target=request.url.raw_path, headers=request.headers.raw
            )
            events = (head, h11.Data(data=body), h11.EndOfMessage()) if body else (head, h11.EndOfMessage())
            return b"".join(self._http.send(event) or b"" for event in events)
        except h11.LocalProtocolError:
            # Its text quotes the header.
            raise httpx.LocalProtocolError("the request cannot be put on the wire") from None

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._spoiled:
            raise ConnectionResetError
        self._transport.write(data)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write to."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a connection of `create_connection`
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take a part of the reply; what belongs to none ends the connection."""
        if self._reply is None or self._reply.done():
            self._spoil()
            return
        self._http.receive_data(data)
        try:
            self._read()
        except h11.RemoteProtocolError as exc:
            self._fail(httpx.RemoteProtocolError(str(exc)))

    def eof_received(self) -> None:
        """Take the end of the other side's bytes, which is the reply's own end where no length was told."""
        if self._reply is not None and not self._reply.done():
            self._http.receive_data(b"")
            try:
                self._read()
            except h11.RemoteProtocolError:
                self._fail(self._cut_short())
        self._spoil()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that it is over, and why."""
        self._fail(exc or ConnectionResetError())
        self._gone.set()

    def _cut_short(self) -> Exception:
        """Return what an end amid the reply means: whoever had begun one was lost, and others never spoke HTTP."""
        begun = self._http.trailing_data[0]
        http = self._head is not None or begun.startswith(_BEGINNING[: len(begun)])
        return ConnectionResetError() if http else httpx.RemoteProtocolError("no beginning of a reply")

    def _read(self) -> None:
        enough = False
        while not enough:
            event = self._http.next_event()
            match event:
                case h11.NEED_DATA:
                    return
                case h11.Response():
                    self._head = event
                case h11.Data():
                    self._body += event.data
                    enough = len(self._body) > self._max_body
                case h11.EndOfMessage():
                    enough = True
                case _:
                    pass  # an interim reply, such as 100 Continue
        self._settle()

    def _settle(self) -> None:
        """Hand over the reply, and see whether another call may follow it."""
        assert self._head is not None  # noqa: S101 - a body has a head before it
        assert self._reply is not None  # noqa: S101 - nothing is read that nobody waits for
        if self._http.our_state is self._http.their_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            self._last_used = self._time()
        else:
            self._spoil()
        self._reply.set_result(
            httpx.Response(
                self._head.status_code,
                headers=self._head.headers.raw_items(),
                stream=httpx.ByteStream(bytes(self._body)),
            )
        )

    def _fail(self, error: Exception) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)
        self._spoil()

    def _spoil(self) -> None:
        self._spoiled = True
        if self._transport is not None:
            self._transport.abort()
