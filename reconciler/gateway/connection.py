"""One connection to the gateway, kept open between calls.

Rules of this file: a connection carries one call at a time, and whatever one agent's call leaves behind (a cookie,
half a reply) never meets another agent's. Nothing is read from the environment, no redirect is followed, no cookie is
kept, no reply is unpacked. Each call has one deadline over all of it, from looking up the host to the last byte.

The bytes are those of `outgoing` and `incoming`; why the client, the pool and the network of the HTTP library are not
used is in docs/adr/0011.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from functools import partial
from typing import Protocol, cast

import httpx

from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.dialing import attach
from reconciler.gateway.failures import NETWORK_ERRORS, Failure, Phase, explain
from reconciler.gateway.outgoing import HEADERS, Message, request_bytes
from reconciler.gateway.plain import reply_of
from reconciler.gateway.protocol import Reply
from reconciler.gateway.protocol.reply import MAX_BODY
from reconciler.gateway.tunnel import reach
from reconciler.gateway.wire import Wire

_PORTS = {"https": 443, "http": 80}

_Note = Callable[[Phase], None]
"""Is told how far a call has come."""


class Connection:
    """A single keep-alive connection, opened when it is first needed."""

    def __init__(
        self,
        access: GatewayAccess,
        *,
        timeout: float,
        max_body: int = MAX_BODY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare the connection: `timeout` seconds for one call in all, `max_body` bytes of a reply's body."""
        self._timeout = timeout
        self._proxy = access.proxy
        self._way: _Way = _Network(access, max_body) if transport is None else _Foreign(transport, max_body)
        self._phase = Phase.UNKNOWN

    async def exchange(self, message: Message) -> Reply | Failure:
        """Send `message` and return the reply, or why there is none."""
        self._note(Phase.UNKNOWN)
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            return await self._way.ask(message, self._note, by=deadline)
        except NETWORK_ERRORS as exc:
            return explain(exc, self._phase, proxy=self._proxy)

    def _note(self, phase: Phase) -> None:
        self._phase = phase

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._way.close()


class _Way(Protocol):
    """What carries a message to whom it is for."""

    async def ask(self, message: Message, note: _Note, *, by: float) -> Reply:
        """Send `message` and return the reply, or its beginning if it is too long; `TimeoutError` after that time."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class _Network:
    """One connection, opened when it is first needed and when the last one is of no more use."""

    def __init__(self, access: GatewayAccess, max_body: int) -> None:
        self._access = access
        self._max_body = max_body
        self._wire: Wire | None = None

    async def ask(self, message: Message, note: _Note, *, by: float) -> Reply:
        data = request_bytes(message)
        wire = self._wire
        if wire is None or not wire.usable:
            async with asyncio.timeout_at(by):
                await self.close()
                wire = self._wire = await self._open(httpx.URL(message.url), note)
        note(Phase.SENDING)
        return await wire.ask(data, by=by)

    async def _open(self, url: httpx.URL, note: _Note) -> Wire:
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        note(Phase.CONNECTING)
        connection = await reach(host, port, self._access.proxy)
        # Without TLS only where a setting allows it: a session broker on this machine, and never the gateway.
        context = self._access.context if url.scheme == "https" else None
        if context is not None:
            note(Phase.SHAKING_HANDS)
        _, wire = await attach(partial(Wire, self._max_body), connection, host=host, context=context)
        return wire

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()


_PHASES = {
    "connection.connect_tcp.started": Phase.CONNECTING,
    "connection.start_tls.started": Phase.SHAKING_HANDS,
    "http11.send_request_headers.started": Phase.SENDING,
}
"""How a transport of the library tells how far a call has come: its own words for it, in its `trace` extension."""


class _Foreign:
    """What takes the network's place, as the HTTP library has it."""

    def __init__(self, transport: httpx.AsyncBaseTransport, max_body: int) -> None:
        self._transport = transport
        self._max_body = max_body

    async def ask(self, message: Message, note: _Note, *, by: float) -> Reply:
        async with asyncio.timeout_at(by):
            return await self._ask(message, note)

    async def _ask(self, message: Message, note: _Note) -> Reply:
        async def trace(event: str, _info: object) -> None:
            if event in _PHASES:
                note(_PHASES[event])

        request = httpx.Request(
            message.method,
            message.url,
            headers=[*HEADERS, *message.headers],
            content=message.body,
            extensions={"trace": trace},
        )
        response = await self._transport.handle_async_request(request)
        try:
            return await self._receive(response)
        finally:
            await response.aclose()

    async def _receive(self, response: httpx.Response) -> Reply:
        body = bytearray()
        async for chunk in cast(AsyncIterable[bytes], response.stream):  # not unpacked, so nothing can explode
            body += chunk
            if len(body) > self._max_body:
                break
        headers = [(name.lower(), value) for name, value in response.headers.raw]
        return reply_of(response.status_code, headers, bytes(body), max_body=self._max_body)

    async def close(self) -> None:
        await self._transport.aclose()
