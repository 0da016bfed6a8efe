"""A request as the bytes that go over the wire.

Rules of this file: what every request says comes first, then what the caller adds. What cannot be put on the wire is
refused here, before a connection is opened for it. No I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import h11
import httpx

from reconciler.gateway.plain import plain_request

HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("Connection", "keep-alive"),
    ("User-Agent", "reconciler"),
)


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


def request_bytes(message: Message) -> bytes:
    """Return `message` as it goes over the wire.

    Raises:
        httpx.LocalProtocolError: a header cannot be put on the wire.
        httpx.InvalidURL: the URL is none.
        UnicodeError: a header or the host is no text that HTTP has a form for.
    """
    headers = (*HEADERS, *message.headers)
    return plain_request(message.method, message.url, headers, message.body) or _by_library(message, headers)


def _by_library(message: Message, headers: Sequence[tuple[str, str]]) -> bytes:
    request = httpx.Request(message.method, message.url, headers=headers, content=message.body)
    connection = h11.Connection(h11.CLIENT)
    try:
        head = h11.Request(
            method=request.method.encode("ascii"), target=request.url.raw_path, headers=request.headers.raw
        )
        body = [h11.Data(data=message.body)] if message.body else []
        return b"".join(connection.send(event) or b"" for event in (head, *body, h11.EndOfMessage()))
    except h11.LocalProtocolError:
        # Its text quotes the header.
        raise httpx.LocalProtocolError("the request cannot be put on the wire") from None
