"""The gateway as an object to call: connections, deadlines and verdicts put together.

Rules of this file: at most `gateway.concurrency` connections, each used by one call at a time and handed out again
only after a whole reply; a call that ended in any other way takes its connection with it. `call` returns a verdict for
everything the world does, and raises only what is a bug of ours or a cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

import httpx

from reconciler.errors import InputError
from reconciler.gateway.connection import Connection
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol import Reply, Request, Verdict, judge, judge_failure
from reconciler.gateway.protocol.secrecy import Secrets
from reconciler.gateway.retcodes import RETCODES, RetcodeTable
from reconciler.gateway.trust import build_context
from reconciler.model.site import GatewaySettings


def _utc_now() -> datetime:
    return datetime.now(UTC)


class GatewayClient:
    """Sends the calls of one run. Use it with `async with`, inside one event loop."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        ca_file: Path | None = None,
        table: RetcodeTable = RETCODES,
        now: Callable[[], datetime] = _utc_now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare the client; nothing is opened yet.

        Args:
            settings: where the gateway is and how many connections it may get.
            ca_file: `settings.ca_file`, resolved; `None` trusts the machine's own authorities.
            table: the meaning of the retcodes.
            now: the clock against which a Retry-After date is read.
            transport: what replaces the network in a test.

        Raises:
            InputError: the URL is not one a Guid may be sent to, or `ca_file` cannot be used.
        """
        _check_url(settings.url)
        self._context = build_context(ca_file, written=settings.ca_file)
        self._timeout = settings.timeout
        self._table = table
        self._now = now
        self._transport = transport
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._idle: list[Connection] = []
        self._secrets = Secrets()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def call(self, request: Request) -> Verdict:
        """Send `request` once and return what it came to. Waits while all connections are busy."""
        # Of every call of the run: a gateway that mixes up sessions repeats another agent's Guid.
        self._secrets.add(request.secrets)
        async with self._slots:
            result = await self._exchange(request)
        match result:
            case Reply():
                return judge(result, now=self._now(), table=self._table, secrets=self._secrets)
            case Failure(kind, detail):
                return judge_failure(kind, detail)
            case _:
                assert_never(result)

    async def _exchange(self, request: Request) -> Reply | Failure:
        # The one used last is used next, so that a slow run needs few connections.
        connection = self._idle.pop() if self._idle else self._open()
        whole = False
        try:
            result = await connection.exchange(request)
            whole = isinstance(result, Reply) and not result.truncated
        finally:
            if whole:
                self._idle.append(connection)
            else:
                await connection.close()
        return result

    def _open(self) -> Connection:
        return Connection(self._context, timeout=self._timeout, transport=self._transport)


def _check_url(text: str) -> None:
    hint = "write it as https://host:port, with a path prefix if the gateway is behind one"
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as exc:
        raise InputError("gateway.url is not a URL", hint=hint) from exc
    if url.scheme != "https" or not url.host:
        raise InputError("gateway.url is not an https URL with a host, and a Guid is sent nowhere else", hint=hint)
    if url.userinfo or url.query or url.fragment:
        raise InputError("gateway.url holds a user, a query or a fragment, which have no place in it", hint=hint)
