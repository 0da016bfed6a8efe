"""One connection to the gateway, kept open between calls.

Rules of this file: a connection carries one call at a time, and whatever one agent's call leaves behind (a cookie,
half a reply) never meets another agent's. Nothing is read from the environment, no redirect is followed, no cookie is
kept, no reply is unpacked. Each call has one deadline over all of it, since the library's own timeouts begin anew
with every read.

One library client per connection is deliberate: a shared pool is scanned at every call, and that is what limits it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, cast

import httpx

from reconciler.gateway.failures import NETWORK_ERRORS, Failure, Phase, explain
from reconciler.gateway.protocol import Reply, Request
from reconciler.gateway.protocol.reply import MAX_BODY

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "reconciler"}
_PHASES = {
    "connection.connect_tcp.started": Phase.CONNECTING,
    "http11.send_request_headers.started": Phase.SENDING,
}


class Connection:
    """A single keep-alive connection, opened when it is first needed."""

    def __init__(
        self, context: ssl.SSLContext, *, timeout: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare the connection; `timeout` is the seconds one call may take in all."""
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            verify=context,
            transport=transport,
            headers=_HEADERS,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(connect=timeout, read=timeout, write=timeout, pool=timeout),
            limits=_ONE,
            follow_redirects=False,
            trust_env=False,
            http2=False,
        )

    async def exchange(self, request: Request) -> Reply | Failure:
        """Send `request` and return the reply, or why there is none."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(request, progress)
        except NETWORK_ERRORS as exc:
            return explain(exc, progress.phase)
        finally:
            await progress.clean_up()

    async def _send(self, request: Request, progress: _Progress) -> Reply:
        async with self._client.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            extensions={"trace": progress.note},
        ) as response:
            return await _receive(response)

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._client.aclose()


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
        if self.phase is Phase.CONNECTING and self._stream is not None:
            await self._stream.aclose()


async def _receive(response: httpx.Response) -> Reply:
    body = bytearray()
    raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())  # raw: not unpacked, so nothing can explode
    async with aclosing(raw) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_BODY:
                break
    headers = response.headers
    return Reply(
        status=response.status_code,
        content_type=headers.get("Content-Type", ""),
        body=bytes(body[:MAX_BODY]),
        truncated=len(body) > MAX_BODY,
        content_encoding=headers.get("Content-Encoding", ""),
        retry_after=headers.get("Retry-After", ""),
        location=headers.get("Location", ""),
    )
