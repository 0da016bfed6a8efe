"""A reply as it came over the wire, and the retcode and message in it, if they can be read.

Rules of this file: a retcode is text, number or string, exactly as written; `true`, `null` and `""` are no retcode. Of
a repeated key the last one counts. The media type is not asked for: gateways label JSON as they like. Bytes that are
not UTF-8 can spoil the message and never the retcode, which is ASCII. What cannot be read is told in words, not raised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MAX_BODY = 64 * 1024
"""Bytes of a reply's body that are read; the documented reply has 40."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, as far as it matters here. Headers that were absent are empty."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    """As it came over the wire, `MAX_BODY` bytes at most."""
    truncated: bool = False
    """The body was longer than `MAX_BODY`."""
    content_encoding: str = ""
    retry_after: str = ""
    location: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway's own words. Not yet fit to be shown."""

    retcode: str
    text: str


def read_answer(reply: Reply) -> Answer | str:
    """Return the answer in the body of `reply`, or in words, not yet fit to be shown, what is there in its place."""
    if reply.truncated:
        return f"a body of more than {MAX_BODY // 1024} KiB"
    if reply.content_encoding.strip().lower() not in ("", "identity"):
        return "a compressed body, though none was asked for"
    if not reply.body.strip():
        return "an empty body"
    try:
        document = _parse(reply.body)
    except (ValueError, RecursionError):
        # The media type, whole: it is cut only after secrets were looked for.
        kind = reply.content_type.partition(";")[0].strip() or "no content type"
        return f"a body that is not JSON ({kind}), perhaps from a load balancer or proxy"
    return _read_document(document)


def _parse(body: bytes) -> Any:
    # Numbers stay text: `-0` and `0.0` are not what the reference calls success.
    text = body.decode("utf-8-sig", "replace")
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _read_document(document: Any) -> Answer | str:
    if not isinstance(document, dict):
        return "JSON that is not an object"
    retcode, text = document.get("retcode"), document.get("message")
    if not isinstance(retcode, str) or not retcode:
        return "JSON without a readable retcode"
    return Answer(retcode, text if isinstance(text, str) else "")
