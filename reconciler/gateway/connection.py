"""One connection to the gateway, kept open between calls.

Rules of this file: a connection carries one call at a time, and whatever one agent's call leaves behind (a cookie,
half a reply) never meets another agent's. Nothing is read from the environment, no redirect is followed, no cookie is
kept, no reply is unpacked. Each call has one deadline over all of it, from looking up the host to the last byte.

Of the HTTP library only requests, replies and the door between the two are used, not its client, pool and network: see
docs/adr/0011.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Sequence
from functools import partial
from typing import Any, Protocol, cast

import httpx

from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.dialing import attach
from reconciler.gateway.failures import NETWORK_ERRORS, Failure, Phase, explain
from reconciler.gateway.protocol import Reply
from reconciler.gateway.protocol.reply import MAX_BODY
from reconciler.gateway.tunnel import reach
from reconciler.gateway.wire import Wire

_HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("Connection", "keep-alive"),
    ("User-Agent", "reconciler"),
)
_PORTS = {"https": 443, "http": 80}
_CONNECT, _TLS, _SEND = (
    "connection.connect_tcp.started",
    "connection.start_tls.started",
    "http11.send_request_headers.started",
)
"""How a transport tells how far a call has come: the library's own words for it, in its `trace` extension."""

_PHASES = {_CONNECT: Phase.CONNECTING, _TLS: Phase.SHAKING_HANDS, _SEND: Phase.SENDING}


class Message(Protocol):
    """What goes over a connection: a call to the gateway, or a question to a session broker."""

    @property
    def method(self) -> str: ...  # noqa: D102 - HTTP's own word

    @property
    def url(self) -> str: ...  # noqa: D102 - HTTP's own word

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Secret."""
        ...

    @property
    def body(self) -> bytes: ...  # noqa: D102 - HTTP's own word


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
        self._max_body = max_body
        self._proxy = access.proxy
        self._transport = _Network(access, max_body) if transport is None else transport

    async def exchange(self, message: Message) -> Reply | Failure:
        """Send `message` and return the reply, or why there is none."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(message, progress)
        except NETWORK_ERRORS as exc:
            return explain(exc, progress.phase, proxy=self._proxy)

    async def _send(self, message: Message, progress: _Progress) -> Reply:
        response = await self._transport.handle_async_request(
            httpx.Request(
                message.method,
                message.url,
                headers=[*_HEADERS, *message.headers],
                content=message.body,
                extensions={"trace": progress.note},
            )
        )
        try:
            return await _receive(response, self._max_body)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._transport.aclose()


class _Network(httpx.AsyncBaseTransport):
    """Sends requests over one connection, opened when it is first needed and when the last one is of no more use."""

    def __init__(self, access: GatewayAccess, max_body: int) -> None:
        self._access = access
        self._max_body = max_body
        self._wire: Wire | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]
        if self._wire is None or not self._wire.usable:
            await self.aclose()
            self._wire = await self._open(request.url, trace)
        await trace(_SEND, {})
        return await self._wire.ask(request, await request.aread())

    async def _open(self, url: httpx.URL, trace: Any) -> Wire:
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        await trace(_CONNECT, {})
        connection = await reach(host, port, self._access.proxy)
        # Without TLS only where a setting allows it: a session broker on this machine, and never the gateway.
        context = self._access.context if url.scheme == "https" else None
        if context is not None:
            await trace(_TLS, {})
        _, wire = await attach(partial(Wire, self._max_body), connection, host=host, context=context)
        return wire

    async def aclose(self) -> None:
        if self._wire is not None:
            await self._wire.close()


class _Progress:
    """Hears from the transport how far a call has come."""

    def __init__(self) -> None:
        self.phase = Phase.UNKNOWN

    async def note(self, event: str, _info: object) -> None:
        self.phase = _PHASES.get(event, self.phase)


async def _receive(response: httpx.Response, max_body: int) -> Reply:
    body = bytearray()
    async for chunk in cast(AsyncIterable[bytes], response.stream):  # not unpacked, so nothing can explode
        body += chunk
        if len(body) > max_body:
            break
    headers = response.headers
    return Reply(
        status=response.status_code,
        content_type=headers.get("Content-Type", ""),
        body=bytes(body[:max_body]),
        truncated=len(body) > max_body,
        content_encoding=headers.get("Content-Encoding", ""),
        retry_after=headers.get("Retry-After", ""),
        location=headers.get("Location", ""),
        set_guid=headers.get("Set-GUID", ""),
        set_cookies=tuple(headers.get_list("Set-Cookie")),
    )
