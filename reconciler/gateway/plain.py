"""HTTP/1.1 of the plain kind, read and written at once: what nearly every call to a gateway consists of.

Rules of this file: it takes on only what leaves no choice to anybody: a body with a length, headers of printable ASCII,
one reply that is all there is. Of everything else it says so and does no more; `outgoing` and `incoming` then ask the
HTTP library, which is slower and knows the rest. Where this file takes something on, the library says the same: that is
how it is tested. No I/O.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto

from reconciler.gateway.protocol import Reply

_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]"
_URL = re.compile(rf"https?://((?:{_HOST})(?::[1-9][0-9]{{2,4}})?)((?:/[A-Za-z0-9_-]+)+)", re.ASCII)
_DEFAULT_PORTS = (":443", ":80")
"""They are left out of the header `Host`, which is the library's business."""
_TEXTS = re.compile(r"[!-~]+(?: [!-~]+)*(?:\n[!-~]+(?: [!-~]+)*)*", re.ASCII)
"""Values of headers, a line each."""
_NAME = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*", re.ASCII)
_FRAMING = frozenset({"content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"})

_BEGINNING = b"HTTP/1.1 200 "
_MOST = 16 * 1024
"""Bytes of a whole reply that is read here; the documented one has a hundred or two."""
_HEAD = re.compile(rb"HTTP/1\.1 200 (?:[!-~]+(?: [!-~]+)*)?\r\n((?:[A-Za-z0-9-]+: ?[!-~]+(?: [!-~]+)*\r\n)*)\r\n")
_LINE = re.compile(rb"([A-Za-z0-9-]+): ?([ -~]+)\r\n")
_LENGTH = re.compile(rb"[0-9]{1,5}")
_TOLD = frozenset({b"content-encoding", b"content-type", b"location", b"retry-after", b"set-cookie", b"set-guid"})
"""What matters of a reply's headers, see `Reply`."""
_UNPLAIN = frozenset({b"transfer-encoding", b"upgrade"})


class Unfinished(Enum):
    """What stands in a reply's place."""

    MORE_TO_COME = auto()
    """So far it is of the plain kind, and it is not all."""
    NOT_PLAIN = auto()


def plain_request(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes | None:
    """Return the bytes of this request, or `None` if it is not of the plain kind.

    Args:
        method: one whose requests have a body.
        url: the whole of it.
        headers: without those that say where a message ends and whom it is for.
        body: not empty.
    """
    place = _URL.fullmatch(url)
    if place is None or not body or method not in ("POST", "PUT") or place[1].endswith(_DEFAULT_PORTS):
        return None
    values = "\n".join([value for _, value in headers])
    if not _TEXTS.fullmatch(values) or not all(map(_may_be_named, dict(headers))):
        return None
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if lines.count("\n") != len(headers):  # a value brought a line of its own
        return None
    head = f"{method} {place[2]} HTTP/1.1\r\nHost: {place[1]}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


@functools.lru_cache(maxsize=64)  # a few names, the same for every call
def _may_be_named(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name.lower() not in _FRAMING


def plain_reply(data: bytes, *, max_body: int) -> Reply | Unfinished:
    """Return the reply that `data` is, all of it and no byte more, with status 200 and a connection that stays open.

    Args:
        data: all that has come since the request went out.
        max_body: bytes of a body; a longer one is not of the plain kind.
    """
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:  # noqa: PLR2004 - it is not there
        return _beginning(data)
    head = _HEAD.fullmatch(data, 0, end)
    if head is None:
        return Unfinished.NOT_PLAIN
    headers = [(name.lower(), value) for name, value in _LINE.findall(head[1])]
    length = _length(headers)
    if length is None or length > max_body or len(data) > end + length or end + length > _MOST:
        return Unfinished.NOT_PLAIN
    if len(data) < end + length:
        return Unfinished.MORE_TO_COME
    return reply_of(200, headers, data[end:], max_body=max_body)


def reply_of(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, max_body: int) -> Reply:
    """Return what came back as a reply; the names of `headers` are in lower case."""
    found: dict[bytes, list[str]] = {}
    for name, value in headers:
        if name in _TOLD:
            found.setdefault(name, []).append(_decoded(value))

    def told(name: bytes) -> str:
        return ", ".join(found.get(name, ()))

    return Reply(
        status=status,
        content_type=told(b"content-type"),
        body=body[:max_body],
        truncated=len(body) > max_body,
        content_encoding=told(b"content-encoding"),
        retry_after=told(b"retry-after"),
        location=told(b"location"),
        set_guid=told(b"set-guid"),
        set_cookies=tuple(found.get(b"set-cookie", ())),
    )


def _beginning(data: bytes) -> Unfinished:
    """Return whether a reply of the plain kind can begin like this."""
    # The library takes a line to end without a carriage return, too, and so sees the end of a head earlier.
    fits = data.startswith(_BEGINNING[: len(data)]) and data.count(b"\n") == data.count(b"\r\n")
    return Unfinished.MORE_TO_COME if fits and len(data) < _MOST else Unfinished.NOT_PLAIN


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return how long the body is, or `None` if anything but one length has a say in that, or the connection ends."""
    length = None
    for name, value in headers:
        if name == b"content-length":
            if length is not None or not _LENGTH.fullmatch(value):
                return None
            length = int(value)
        elif name in _UNPLAIN or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
    return length


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("iso-8859-1")
