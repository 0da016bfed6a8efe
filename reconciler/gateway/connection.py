"""One connection to the gateway, kept open between calls.

Rules of this file: a connection carries one call at a time, and whatever one agent's call leaves behind (a cookie,
half a reply) never meets another agent's. Nothing is read from the environment, no redirect is followed, no cookie is
kept, no reply is unpacked. Each call has one deadline over all of it, since the library's own timeouts begin anew
with every read.

One library client per connection is deliberate: a shared pool is scanned at every call, and that is what limits it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, cast

import httpcore
import httpx

from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.failures import NETWORK_ERRORS, Failure, Phase, explain
from reconciler.gateway.protocol import Reply
from reconciler.gateway.protocol.reply import MAX_BODY
from reconciler.gateway.tunnel import TunnelBackend

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "reconciler"}
_PHASES = {
    "connection.connect_tcp.started": Phase.CONNECTING,
    "connection.start_tls.started": Phase.SHAKING_HANDS,
    "http11.send_request_headers.started": Phase.SENDING,
}


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
        if transport is None and access.proxy is not None:
            transport = _Tunnelled(access, TunnelBackend(access.proxy))
        self._client = httpx.AsyncClient(
            verify=access.context,
            transport=transport,
            headers=_HEADERS,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(connect=timeout, read=timeout, write=timeout, pool=timeout),
            limits=_ONE,
            follow_redirects=False,
            trust_env=False,
            http2=False,
        )

    async def exchange(self, request: Message) -> Reply | Failure:
        """Send `request` and return the reply, or why there is none."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(request, progress)
        except NETWORK_ERRORS as exc:
            return explain(exc, progress.phase, proxy=self._proxy)
        finally:
            await progress.clean_up()

    async def _send(self, request: Message, progress: _Progress) -> Reply:
        async with self._client.stream(
            request.method,
            request.url,
            headers=list(request.headers),
            content=request.body,
            extensions={"trace": progress.note},
        ) as response:
            return await _receive(response, self._max_body)

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._client.aclose()


class _Tunnelled(httpx.AsyncHTTPTransport):
    """The library's transport, on connections of ours."""

    def __init__(self, access: GatewayAccess, backend: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=access.context, limits=_ONE, trust_env=False)
        # The library offers no other way in for a network backend; a test fails should it take this one away.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=access.context,
            max_connections=_ONE.max_connections,
            max_keepalive_connections=_ONE.max_keepalive_connections,
            keepalive_expiry=_ONE.keepalive_expiry,
            network_backend=backend,
        )


class _Stream(Protocol):
    async def aclose(self) -> None: ...


class _Progress:
    """Hears from the library how far a call has come."""

    def __init__(self) -> None:
        self.phase = Phase.UNKNOWN
        self._stream: _Stream | None = None

    async def note(self, event: str, info: dict[str, Any]) -> None:
        self.phase = _PHASES.get(event, self.phase)
        if event == "connection.connect_tcp.complete":
            self._stream = info["return_value"]

    async def clean_up(self) -> None:
        # A call that is cancelled, by its deadline or a signal, in the midst of the handshake leaves its socket open:
        # the library closes it after exceptions, and a cancellation is none.
        if self.phase in (Phase.CONNECTING, Phase.SHAKING_HANDS) and self._stream is not None:
            await self._stream.aclose()


async def _receive(response: httpx.Response, max_body: int) -> Reply:
    body = bytearray()
    raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())  # raw: not unpacked, so nothing can explode
    async with aclosing(raw) as chunks:
        async for chunk in chunks:
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
