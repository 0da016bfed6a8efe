"""Servers in this process to test a connection against: real sockets, real TLS, made-up manners."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
async def serve(manner: Manner, tls: ssl.SSLContext | None, *, host: str = "127.0.0.1") -> AsyncIterator[Server]:
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

    async with listen(attend, tls, host=host) as port:
        server.port = port
        try:
            yield server
        finally:
            for writer in server.writers:
                writer.transport.abort()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def strict_server(tls: ssl.SSLContext, body: bytes = SUCCESS) -> Iterator[Server]:
    """A server that ends a handshake it does not like with an alert and lets the client read it, as OpenSSL's own do.

    The event loop's servers break the connection instead. It answers one call per connection, in a thread of its own.
    """
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=_attend_strictly, args=(listener, tls, server, body), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _attend_strictly(listener: socket.socket, tls: ssl.SSLContext, server: Server, body: bytes) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        raw.settimeout(5)
        with contextlib.suppress(OSError), raw:
            _serve_one(tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), server, body)


def _serve_one(connection: ssl.SSLSocket, server: Server, body: bytes) -> None:
    with connection:
        try:
            connection.do_handshake()
            server.requests.append(connection.recv(65536))
            connection.sendall(reply_bytes(body))
        except ssl.SSLError:
            with socket.socket(fileno=connection.detach()) as rest:
                rest.shutdown(socket.SHUT_WR)
                rest.settimeout(5)
                while rest.recv(65536):  # to close before all is read would be a reset, which overtakes the alert
                    pass


Attend = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listen(attend: Attend, tls: ssl.SSLContext | None, *, host: str = "127.0.0.1") -> AsyncIterator[int]:
    listener = await asyncio.start_server(attend, host, 0, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await asyncio.sleep(0.01)  # what was aborted gets its turn to close


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
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
