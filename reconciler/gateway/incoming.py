"""The reply to one request, as its bytes come in.

Rules of this file: a byte that comes before the end of a reply is part of it, and one that comes after it belongs to
nobody: `reusable` tells whether there was one. Of a reply only as much is kept as was asked for. No I/O.
"""

from __future__ import annotations

import h11
import httpx

from reconciler.gateway.plain import Unfinished, plain_reply, reply_of
from reconciler.gateway.protocol import Reply

MAX_HEAD = 100 * 1024
"""Bytes of a reply's status line and headers."""

_BEGINNING = b"HTTP/"


class Incoming:
    """One reply: `take` the bytes in their order, and `end` when no more come."""

    def __init__(self, max_body: int) -> None:
        """Keep `max_body` bytes of its body, and read no further than that."""
        self._max_body = max_body
        self._plain = b""
        self._reader: _Reader | None = None
        self._whole = False

    @property
    def reusable(self) -> bool:
        """Tell whether the connection may carry another call, once the reply is there."""
        return self._whole if self._reader is None else self._reader.reusable

    def take(self, data: bytes) -> Reply | None:
        """Return the reply if these bytes make it whole, or longer than it may be.

        Raises:
            httpx.RemoteProtocolError: this is not HTTP.
        """
        if self._reader is None:
            data = self._plain = self._plain + data
            reply = plain_reply(data, max_body=self._max_body)
            if isinstance(reply, Reply):
                self._whole = True
                return reply
            if reply is Unfinished.MORE_TO_COME:
                return None
        return self._by_library(data)

    def end(self) -> Reply | None:
        """Return the reply if the end of all bytes makes it whole, which it does where no length was told.

        Raises:
            httpx.RemoteProtocolError: whoever is there has never spoken HTTP.
            ConnectionResetError: the reply is cut short.
        """
        if self._reader is None and self._plain:
            self._by_library(self._plain)
        try:
            return self._by_library(b"")
        except httpx.RemoteProtocolError:
            raise self._cut_short() from None

    def _by_library(self, data: bytes) -> Reply | None:
        self._reader = self._reader or _Reader(self._max_body)
        return self._reader.take(data)

    def _cut_short(self) -> Exception:
        """Return what an end amid the reply means: whoever had begun one was lost, and others never spoke HTTP."""
        assert self._reader is not None  # noqa: S101 - it has just refused to end
        begun = self._reader.begun
        http = begun is None or begun.startswith(_BEGINNING[: len(begun)])
        return ConnectionResetError() if http else httpx.RemoteProtocolError("no beginning of a reply")


class _Reader:
    """Reads a reply of whatever kind with the HTTP library."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        # To the library a reply follows a request; which one it was makes no difference to a reply with a body.
        for event in (h11.Request(method="GET", target="/", headers=[("Host", "gateway")]), h11.EndOfMessage()):
            self._http.send(event)
        self._head: h11.Response | None = None
        self._body = bytearray()

    @property
    def reusable(self) -> bool:
        """Tell whether the reply ended where the bytes did, on a connection that both sides keep open."""
        return self._http.our_state is self._http.their_state is h11.DONE and not self._http.trailing_data[0]

    @property
    def begun(self) -> bytes | None:
        """What there is of a head that is not whole; `None` when it is."""
        return None if self._head is not None else self._http.trailing_data[0]

    def take(self, data: bytes) -> Reply | None:
        self._http.receive_data(data)
        try:
            return self._read()
        except h11.RemoteProtocolError as exc:
            raise httpx.RemoteProtocolError(str(exc)) from exc

    def _read(self) -> Reply | None:
        while True:
            event = self._http.next_event()
            match event:
                case h11.NEED_DATA:
                    return None
                case h11.Response():
                    self._head = event
                case h11.Data():
                    self._body += event.data
                    if len(self._body) > self._max_body:
                        return self._reply()
                case h11.EndOfMessage():
                    return self._reply()
                case _:
                    pass  # an interim reply, such as 100 Continue

    def _reply(self) -> Reply:
        assert self._head is not None  # noqa: S101 - a body has a head before it
        return reply_of(self._head.status_code, list(self._head.headers), bytes(self._body), max_body=self._max_body)
