"""What HTTP statuses mean, and a reply with status 200 that holds no answer of the gateway's.

Rules of this file: rows only. The status comes first: a retcode in a reply that is not a 200 is reported and decides
nothing.

Why a 200 without a readable retcode is not a failure: whatever wrote it may have done so before or after the gateway
took the values, and nothing in it tells which. To record "failed" would claim the old values still hold. So it is in
doubt, and sent again. Why a 5xx is in doubt as well: a proxy says 502 or 504 also when the gateway took the request
and its answer was lost.
"""

from __future__ import annotations

from reconciler.gateway.rows import Grade, Row, by_code
from reconciler.model.site import RetcodeClass

HIGHEST_STATUS = 599

_HTTP = "RFC 9110"
NOT_KNOWN = "whether the values were taken is not known, and they are sent again"
"""Of a call that sets numbers. Whoever sends something else says it in other words."""
_FRONT = "look at what answers at gateway.url: a load balancer, a proxy or another service"


def status_code(status: int) -> str:
    """Return the code of an HTTP status, such as `http-404`; numbers that HTTP does not have count as 5xx."""
    return f"http-{status}" if 100 <= status <= HIGHEST_STATUS else "http-5xx"  # noqa: PLR2004 - the lowest there is


def _status(code: str, meaning: str, remedy: str, *, kind: RetcodeClass, doubt: bool = False) -> Row:
    return Row(code=code, kind=kind, meaning=meaning, remedy=remedy, page=_HTTP, grade=Grade.STANDARD, doubt=doubt)


def _refused(code: str, meaning: str, remedy: str) -> Row:
    return _status(code, meaning, remedy, kind=RetcodeClass.PERMANENT)


def _turned_away(code: str, meaning: str, remedy: str) -> Row:
    return _status(code, meaning, remedy, kind=RetcodeClass.TRANSIENT)


def _doubtful(code: str, meaning: str, remedy: str) -> Row:
    return _status(code, meaning, remedy, kind=RetcodeClass.TRANSIENT, doubt=True)


def _unreadable(code: str, meaning: str) -> Row:
    return Row(
        code=code,
        kind=RetcodeClass.TRANSIENT,
        meaning=meaning,
        remedy=f"{NOT_KNOWN}; {_FRONT}",
        grade=Grade.INFERRED,
        doubt=True,
    )


STATUSES = by_code(
    _doubtful("http-1xx", "a status that this interface does not give", f"{NOT_KNOWN}; {_FRONT}"),
    _doubtful("http-2xx", "a status that this interface does not give", f"{NOT_KNOWN}; {_FRONT}"),
    _refused(
        "http-3xx",
        "gateway.url is answered with a redirect",
        "redirects are never followed with a Guid; correct gateway.url",
    ),
    _refused(
        "http-4xx",
        "the call was refused before the gateway looked at it",
        "look at the status, and at what stands before the gateway",
    ),
    _refused(
        "http-401",
        "something before the gateway asks for a sign-in of its own, or gateway.url has a wrong path",
        "check gateway.url, and ask its operators what stands before the gateway",
    ),
    _refused(
        "http-403",
        "the gateway, or a firewall or proxy before it, forbids this call from here",
        "ask its operators to allow it",
    ),
    _refused("http-404", "there is no such interface at gateway.url", "check its port and path prefix"),
    _refused(
        "http-405",
        "gateway.url leads to something that does not take this call",
        "check its port and path prefix",
    ),
    _turned_away(
        "http-408",
        "the request did not arrive in time",
        "look at the network between, or lower gateway.concurrency",
    ),
    Row(
        code="http-426",
        kind=RetcodeClass.STOP,
        meaning="the port of gateway.url wants the connection upgraded, as for a WebSocket: it does not take this call",
        remedy="use the gateway's HTTPS port (8043 by default); a site in WebSocket mode still needs it for this call",
        grade=Grade.INFERRED,
    ),
    _turned_away(
        "http-429",
        "too many requests",
        "every agent waits as long as the server asks; lower gateway.requests_per_second if it lasts",
    ),
    _doubtful("http-5xx", "the gateway, or a proxy before it, is in trouble", f"ask its operators; {NOT_KNOWN}"),
)
"""By code; `http-4xx` is every 4xx without a row of its own."""

NOT_JSON = _unreadable("html-200", "HTTP 200 with a body that is not JSON")
EMPTY = _unreadable("empty-200", "HTTP 200 with an empty body")
OVERSIZED = _unreadable("oversized-200", "HTTP 200 with a body larger than any answer of the gateway")
COMPRESSED = _unreadable("compressed-200", "HTTP 200 with a compressed body, though none was asked for")
NO_RETCODE = _unreadable("no-retcode-200", "HTTP 200 with JSON that holds no readable retcode")

BODIES = by_code(NOT_JSON, EMPTY, OVERSIZED, COMPRESSED, NO_RETCODE)
"""Replies with status 200 that no retcode can be read from, by code."""
