"""One call and its reply, as values.

Rules of this file: no I/O and no framework; `server` turns bytes from the wire into a `Call` and a `Reply` into bytes.
Calls and replies carry secrets (Guid, cookies, password), so neither headers nor bodies appear in a `repr`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.simulator import reference
from reconciler.values import Struct, field, repr_without

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"


class Call(Struct, frozen=True, kw_only=True):
    """The pieces of one request that the gateway looks at."""

    method: str
    path: str
    """As sent, without the query and not percent-decoded."""
    content_type: str | None = None
    guid: str | None = None
    """The `Guid` header; `None`: there was none."""
    cookie: str = ""
    """The `Cookie` header, undivided."""
    body: bytes = b""

    __repr__ = repr_without("guid", "cookie", "body")


class Reply(Struct, frozen=True, kw_only=True):
    """What goes back to the caller."""

    status: int = 200
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    __repr__ = repr_without("body", "headers")


class RefusedError(Exception):
    """The gateway refuses a call. Never leaves this room: `Gateway` turns it into a reply."""

    def __init__(self, retcode: str, detail: str = "") -> None:
        """Keep the return code and what exactly was wrong, which must never quote a secret."""
        super().__init__(retcode)
        self.retcode = retcode
        self.detail = detail


def json_reply(document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply whose body is the JSON text of `document`."""
    return Reply(status=status, body=json.dumps(document, separators=(",", ":")).encode(), headers=headers or {})


def retcode_reply(
    retcode: str, detail: str = "", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return the gateway's usual reply; a refusal too has status 200 unless told otherwise."""
    meaning = reference.RETCODES.get(retcode, "failure")
    message = f"{meaning}: {detail}" if detail else meaning
    return json_reply({"message": message, "retcode": retcode}, status=status, headers=headers)
