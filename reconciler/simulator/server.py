"""HTTPS around the gateway's judgement. Only home of aiohttp.

Rules of this file: it moves bytes and waits; it decides nothing. It never redirects, keeps no access log, and nothing
that a client sent (a Guid least of all) reaches a log: of an error only its type is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import AsyncIterator

from aiohttp import web

from reconciler.errors import InputError
from reconciler.simulator.authority import Authority
from reconciler.simulator.control import PREFIX, Control
from reconciler.simulator.exchange import Call, Reply
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.listener import Listener
from reconciler.values import Struct

_GRACE = 0.2
"""Seconds that calls in flight are given when the server stops."""
_ABORTIVE_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing then sends a reset, with nothing before it."""


class RunningServer(Struct, frozen=True, kw_only=True):
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base address, as `gateway.url` of a site wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"


class _Front:
    """Takes requests off the wire and puts replies back on it."""

    def __init__(self, gateway: Gateway, control: Control | None) -> None:
        self._gateway = gateway
        self._control = control

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        body = await _read_body(request)
        if self._control is not None and path.startswith(PREFIX):
            return _respond(self._control.answer(request.method, path, body))
        visit = self._gateway.arrive(_read_call(request, path, body))
        try:
            if visit.delay:
                await asyncio.sleep(visit.delay)
        finally:
            self._gateway.leave(visit)
        if visit.reply is None:
            _cut(request)
            return web.Response()  # nobody is there to read it
        return _respond(visit.reply)


async def _read_body(request: web.BaseRequest) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return b""  # a megabyte is no message of this interface, and is judged like none at all


def _read_call(request: web.BaseRequest, path: str, body: bytes) -> Call:
    headers = request.headers
    guids = headers.getall("Guid", [])
    return Call(
        method=request.method,
        path=path,
        content_type=headers.get("Content-Type"),
        guid=guids[0] if len(guids) == 1 else None,
        cookie="; ".join(headers.getall("Cookie", [])),
        body=body,
    )


def _respond(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def _cut(request: web.BaseRequest) -> None:
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE_CLOSE)
        transport.abort()


def _keep_only_type(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[0] is not None:
        record.msg, record.args = "%s: %s", (record.getMessage(), record.exc_info[0].__name__)
        record.exc_info = None
    return True


_LOGGER = logging.getLogger(__name__)
_LOGGER.addFilter(_keep_only_type)


def _bind(host: str, port: int) -> Listener:
    try:
        return Listener.bind_to(host, port)
    except (OSError, ValueError, OverflowError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or exc
        raise InputError(
            f"cannot listen on {host}, port {port}: {reason}", hint="choose another --host or --port"
        ) from exc


@contextlib.asynccontextmanager
async def serve(
    gateway: Gateway, *, authority: Authority, host: str = "127.0.0.1", port: int = 0, control: Control | None = None
) -> AsyncIterator[RunningServer]:
    """Serve the gateway over HTTPS while the context lasts; leaving it takes well under a second.

    Args:
        gateway: the judgement to serve; it must be used on this loop only.
        authority: issues the server's certificate.
        host: the address to listen on.
        port: the port to listen on; 0: any free one.
        control: also serve `/rehearsal/`; `None`: those paths do not exist.

    Raises:
        InputError: the address cannot be listened on.
    """
    server = web.Server(_Front(gateway, control).handle, access_log=None, logger=_LOGGER)
    runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
    with _bind(host, port) as listener:
        running = RunningServer(host=host, port=listener.port)
        await runner.setup()
        try:
            await web.SockSite(runner, listener, ssl_context=authority.server_context(host)).start()
            yield running
        finally:
            await listener.stop_accepting()
            await runner.cleanup()
            await listener.hang_up(patience=_GRACE)
