"""Servers in this process to test a connection against: real sockets, real TLS, made-up manners."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache

import trustme

SUCCESS = b'{"message": "success", "retcode": "0"}'


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def tls_for(*names: str, ca: trustme.CA | None = None, leaf: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """A server's TLS settings with a certificate for `names`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (leaf or (ca or authority()).issue_cert(*names)).configure_cert(context)
    return context


@cache
def local_tls() -> ssl.SSLContext:
    return tls_for("127.0.0.1", "localhost")


@dataclass
class Server:
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serve(manner: Manner, tls: ssl.SSLContext | None) -> AsyncIterator[Server]:
    """A server that reads requests and lets `manner` answer each; requests on one connection come in turn."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            while not writer.is_closing():
                await take(reader, writer)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.requests.append(await read_request(reader))
        server.busy += 1
        server.busiest = max(server.busiest, server.busy)
        try:
            await manner(writer)
            await writer.drain()
        finally:
            server.busy -= 1

    async with listen(attend, tls) as port:
        server.port = port
        try:
            yield server
        finally:
            for writer in server.writers:
                writer.transport.abort()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


Attend = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listen(attend: Attend, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    listener = await asyncio.start_server(attend, "127.0.0.1", 0, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await asyncio.sleep(0.01)  # what was aborted gets its turn to close


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-len"))
    return head + await reader.readexactly(length)


def reply_bytes(body: bytes = SUCCESS, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(body: bytes = SUCCESS, status: str = "200 OK", *headers: str) -> Manner:
    """The manner of a server that says this at once."""

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(reply_bytes(body, status, *headers))
        await writer.drain()

    return speak


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection rudely: the other side gets a reset, not an end."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
