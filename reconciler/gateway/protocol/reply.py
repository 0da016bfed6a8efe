"""A reply as it came over the wire, and the retcode and message in it, if they can be read.

Rules of this file: a retcode is text, number or string, exactly as written; `true`, `null` and `""` are no retcode, and
neither are two that contradict each other. The media type is not asked for: gateways label JSON as they like. Bytes
that are not UTF-8 can spoil the message and never the retcode, which is ASCII. What cannot be read is told in words,
not raised.
"""

from __future__ import annotations

import json
import re
from typing import Any

from reconciler.gateway.rows import Row
from reconciler.gateway.statuses import COMPRESSED, EMPTY, NO_RETCODE, NOT_JSON, OVERSIZED
from reconciler.values import Struct, repr_without

MAX_BODY = 64 * 1024
"""Bytes of a reply's body that are read; the documented reply has 40."""

_GUID_PREFIX = re.compile(r"\Ajsessionid=", re.IGNORECASE)


class Reply(Struct, frozen=True, kw_only=True):
    """What came back, as far as it matters here. Headers that were absent are empty."""

    status: int
    content_type: str = ""
    body: bytes = b""
    """As it came over the wire, as much of it as the connection takes: `MAX_BODY` bytes of a gateway's."""
    truncated: bool = False
    """The body was longer than that."""
    content_encoding: str = ""
    retry_after: str = ""
    location: str = ""
    set_guid: str = ""
    """The header by which a session is begun or its Guid replaced. Secret."""
    set_cookies: tuple[str, ...] = ()
    """Each `Set-Cookie` header. Secret."""

    __repr__ = repr_without("body", "location", "set_guid", "set_cookies")

    @property
    def guid(self) -> str:
        """The Guid that the reply gives, usable or not; empty if it gives none. Secret."""
        return _GUID_PREFIX.sub("", self.set_guid.partition(";")[0].strip()) if self.set_guid else ""


class Answer(Struct, frozen=True):
    """The gateway's own words. Not yet fit to be shown."""

    retcode: str
    text: str


class Unreadable(Struct, frozen=True):
    """What stands in an answer's place. Its detail is not yet fit to be shown."""

    row: Row
    detail: str = ""


def read_answer(reply: Reply) -> Answer | Unreadable:
    """Return the answer in the body of `reply`, or what is there in its place."""
    if reply.truncated:
        return Unreadable(OVERSIZED, f"more than {MAX_BODY // 1024} KiB")
    if reply.content_encoding.strip().lower() not in ("", "identity"):
        return Unreadable(COMPRESSED)
    if not reply.body.strip():
        return Unreadable(EMPTY)
    try:
        document = _parse(reply.body)
    except (ValueError, RecursionError):
        # The media type, whole: it is cut only after secrets were looked for.
        return Unreadable(NOT_JSON, reply.content_type.partition(";")[0].strip() or "no content type")
    return _read_document(document)


def _parse(body: bytes) -> Any:
    return _DECODER.decode(body.decode("utf-8-sig", "replace"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Which of two counts is for every reader to choose (RFC 8259), and one of them may say "0".
    retcodes = [value for name, value in pairs if name == "retcode"]
    contradiction = any(value != retcodes[0] for value in retcodes)
    return dict(pairs) | ({"retcode": None} if contradiction else {})


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=str)
"""Numbers stay text: `-0` and `0.0` are not what the reference calls success."""


def _read_document(document: Any) -> Answer | Unreadable:
    if not isinstance(document, dict):
        return Unreadable(NO_RETCODE, "not an object")
    retcode, text = document.get("retcode"), document.get("message")
    if not isinstance(retcode, str) or not retcode:
        return Unreadable(NO_RETCODE)
    return Answer(retcode, text if isinstance(text, str) else "")
