"""The way to the gateway through a proxy: an HTTP CONNECT, and after it TLS from end to end.

Rules of this file: the proxy learns the gateway's host and port and its own credentials, and nothing else: a Guid goes
through the tunnel encrypted. Nothing a proxy says is repeated but its status. Whatever fails here failed before a byte
was sent to the gateway, so it can never leave an agent in doubt.

The library's own proxy is not used: it does not bracket an IPv6 address in its CONNECT, and tells the call's own
headers from those of the CONNECT only by their text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpcore

MAX_HEAD = 16 * 1024
"""Bytes of a proxy's answer, up to the blank line."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")
_OPENED = range(200, 300)
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that takes CONNECT, without TLS of its own."""

    host: str
    """A name or an address, without brackets."""
    port: int
    authorization: str = field(default="", repr=False)
    """The value of Proxy-Authorization; empty for none. Secret."""

    def __str__(self) -> str:
        """Return its URL, which holds no secret."""
        return f"http://{_bracketed(self.host)}:{self.port}"


class TunnelRefusedError(OSError):
    """The proxy answered, and not with a tunnel."""

    def __init__(self, status: int) -> None:
        """Keep the HTTP status; 0 when the answer was not HTTP."""
        super().__init__()
        self.status = status


class TunnelBackend(httpcore.AsyncNetworkBackend):
    """Opens connections that lead through a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        """Take the proxy; nothing is opened yet."""
        self._proxy = proxy
        self._direct = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a stream that ends at `host`.

        Raises:
            TunnelRefusedError: the proxy does not open a tunnel.
            httpcore.ConnectError: (or another network error of the library) the proxy cannot be reached.
        """
        stream = await self._direct.connect_tcp(
            self._proxy.host, self._proxy.port, timeout, local_address, socket_options
        )
        try:
            await stream.write(self._request(f"{_bracketed(host)}:{port}"), timeout)
            _judge(await _read_head(stream, timeout))
        except BaseException:  # a cancellation too: nobody else knows of this socket yet
            await stream.aclose()
            raise
        return stream

    def _request(self, target: str) -> bytes:
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: reconciler"]
        if self._proxy.authorization:
            lines.append(f"Proxy-Authorization: {self._proxy.authorization}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _read_head(stream: httpcore.AsyncNetworkStream, timeout: float | None) -> bytes:  # noqa: ASYNC109 - as above
    head = b""
    while _END not in head and len(head) <= MAX_HEAD:
        more = await stream.read(4096, timeout)
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
