"""The gateway as an object to call: connections, deadlines and verdicts put together.

Rules of this file: at most `gateway.concurrency` connections, each used by one call at a time and handed out again
only after a whole reply with status 200; a call that ended in any other way takes its connection with it. `call`
returns a verdict for everything the world does, and raises only what is a bug of ours or a cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, assert_never

import httpx

from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.connection import Connection
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol import Reply, Request, Verdict, judge, judge_failure
from reconciler.gateway.retcodes import REPLIES
from reconciler.gateway.rows import VerdictTable
from reconciler.model.gateway_settings import GatewaySettings

_OK = 200


def _utc_now() -> datetime:
    return datetime.now(UTC)


class GatewayClient:
    """Sends the calls of one run. Use it with `async with`, inside one event loop."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        access: GatewayAccess,
        table: VerdictTable = REPLIES,
        now: Callable[[], datetime] = _utc_now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare the client; nothing is opened yet.

        Args:
            settings: how many connections the gateway may get, and how long a call may take.
            access: the way to the gateway, from `open_access` of the same settings.
            table: the meaning of retcodes and statuses.
            now: the clock against which a Retry-After date is read.
            transport: what replaces the network in a test.
        """
        self._access = access
        self._timeout = settings.timeout
        self._table = table
        self._now = now
        self._transport = transport
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._idle: list[Connection] = []
        self._secrets = access.secrets

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def call(self, request: Request) -> Verdict:
        """Send `request` once and return what it came to. Waits while all connections are busy."""
        verdict, _ = await self.ask(request)
        return verdict

    async def ask(self, request: Request) -> tuple[Verdict, Reply | None]:
        """Do as `call` does, and return the reply too, for its headers; `None`: there was none."""
        # Of every call of the run: a gateway that mixes up sessions repeats another agent's Guid.
        self._secrets.add(request.secrets)
        async with self._slots:
            result = await self._exchange(request)
        match result:
            case Reply():
                self._secrets.add([result.guid])
                return judge(result, now=self._now(), table=self._table, secrets=self._secrets), result
            case Failure(kind, detail):
                return judge_failure(kind, detail), None
            case _:
                assert_never(result)

    async def _exchange(self, request: Request) -> Reply | Failure:
        # The one used last is used next, so that a slow run needs few connections.
        connection = self._idle.pop() if self._idle else self._open()
        reusable = False
        try:
            result = await connection.exchange(request)
            # After an error page of its own a load balancer may close the connection without a word, and only when the
            # next call comes (HAProxy does): that call, of another agent perhaps, would be lost.
            reusable = isinstance(result, Reply) and not result.truncated and result.status == _OK
        finally:
            if reusable:
                self._idle.append(connection)
            else:
                await connection.close()
        return result

    def _open(self) -> Connection:
        return Connection(self._access, timeout=self._timeout, transport=self._transport)
