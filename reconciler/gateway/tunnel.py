"""The way to the gateway, through a proxy if there is one: an HTTP CONNECT, and after it TLS from end to end.

Rules of this file: the proxy learns the gateway's host and port and its own credentials, and nothing else: a Guid goes
through the tunnel encrypted. Nothing a proxy says is repeated but its status. Whatever fails here failed before a byte
was sent to the gateway, so it can never leave an agent in doubt.
"""

from __future__ import annotations

import asyncio
import re
import socket

from reconciler.gateway.dialing import dial
from reconciler.values import Struct, repr_without

MAX_HEAD = 16 * 1024
"""Bytes of a proxy's answer, up to the blank line."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")
_OPENED = range(200, 300)
_END = b"\r\n\r\n"


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy that takes CONNECT, without TLS of its own."""

    host: str
    """A name or an address, without brackets."""
    port: int
    authorization: str = ""
    """The value of Proxy-Authorization; empty for none. Secret."""

    __repr__ = repr_without("authorization")

    def __str__(self) -> str:
        """Return its URL, which holds no secret."""
        return f"http://{_bracketed(self.host)}:{self.port}"


class TunnelRefusedError(OSError):
    """The proxy answered, and not with a tunnel."""

    def __init__(self, status: int) -> None:
        """Keep the HTTP status; 0 when the answer was not HTTP."""
        super().__init__()
        self.status = status


async def reach(host: str, port: int, proxy: Proxy | None) -> socket.socket:
    """Return a socket whose other end is `host`, straight or through `proxy`.

    Raises:
        TunnelRefusedError: the proxy does not open a tunnel.
        OSError: the host, or the proxy if there is one, cannot be reached.
    """
    if proxy is None:
        return await dial(host, port)
    connection = await dial(proxy.host, proxy.port)
    try:
        await asyncio.get_running_loop().sock_sendall(connection, _request(f"{_bracketed(host)}:{port}", proxy))
        _judge(await _read_head(connection))
    except BaseException:  # a cancellation too: nobody else knows of this socket yet
        connection.close()
        raise
    return connection


def _request(target: str, proxy: Proxy) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: reconciler"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _read_head(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    head = b""
    while _END not in head and len(head) <= MAX_HEAD:
        more = await loop.sock_recv(connection, 4096)
        if not more:
            break
        head += more
    return head


def _judge(head: bytes) -> None:
    match = _STATUS.match(head)
    status = int(match[1]) if match else 0
    if status not in _OPENED:
        raise TunnelRefusedError(status)
    # Behind the head of an opened tunnel nothing can stand: the gateway waits for our first byte.
    if head.partition(_END)[1:] != (_END, b""):
        raise TunnelRefusedError(0)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
