"""What a session broker's answer says: sessions, or in a sentence why there are none. No I/O.

Rules of this file: sessions come with status 200 alone, as a JSON array or as one JSON object a line. Nothing that the
broker said is repeated but its status: an answer may hold sessions, and an error page the token.
"""

from __future__ import annotations

from datetime import datetime

from reconciler.errors import SessionSourceError
from reconciler.gateway.protocol import Reply
from reconciler.gateway.protocol.judging import parse_retry_after
from reconciler.gateway.sessions.parsing import Sessions, parse_array, parse_lines
from reconciler.gateway.sessions.pipes import MAX_OUTPUT
from reconciler.gateway.sessions.trouble import Setback

_OK = 200
_BUSY = frozenset({408, 425, 429})
_SHAPE = "it must answer 200 with a JSON array of sessions, [] when nobody is signed in, or with one session a line"
_URL = "check the path of sessions.url"

_REFUSALS = {
    401: ("wants a token, and none is given", "say where it is with sessions.token, such as env:BROKER_TOKEN"),
    403: ("forbids it", "ask its operators what the token may do, and from where"),
    404: ("has nothing at this path (HTTP 404)", _URL),
    405: ("does not take this method (HTTP 405)", "set sessions.method to the other one of GET and POST"),
    413: ("finds the question too large (HTTP 413)", "lower sessions.batch"),
    414: ("finds the question too long (HTTP 414)", "lower sessions.batch, or set sessions.method to POST"),
}


def read_answer(
    reply: Reply, *, origin: str, with_token: bool, now: datetime
) -> Sessions | Setback | SessionSourceError:
    """Return the sessions in `reply`, or why there are none; a setback if asking again may help.

    Args:
        reply: what came back.
        origin: what errors call the broker.
        with_token: whether a token was sent.
        now: an aware time, against which a Retry-After date is read.

    Raises:
        SessionSourceError: there are sessions, and one of them is bad.
    """
    if reply.status in _BUSY or reply.status >= 500:  # noqa: PLR2004 - the server's own trouble
        error = SessionSourceError(f"{origin} is in trouble (HTTP {reply.status})", hint="look at its log")
        return Setback(error=error, wait=parse_retry_after(reply.retry_after, now=now) or 0.0)
    if reply.status != _OK:
        meaning, remedy = _refusal(reply.status, with_token=with_token)
        return SessionSourceError(f"{origin} {meaning}", hint=remedy)
    unreadable = _unreadable(reply)
    if unreadable:
        return SessionSourceError(f"{origin} answered {unreadable}", hint=_SHAPE)
    return _sessions(reply.body, f"the answer of {origin}")


def _refusal(status: int, *, with_token: bool) -> tuple[str, str]:
    if status == 401 and with_token:  # noqa: PLR2004 - Unauthorized
        return "does not accept the token (HTTP 401)", "renew it where sessions.token says it is"
    if status // 100 == 3:  # noqa: PLR2004 - a redirect
        return f"answered with a redirect (HTTP {status}), which is not followed with a token", _URL
    return _REFUSALS.get(status, (f"answered HTTP {status}", _SHAPE))


def _unreadable(reply: Reply) -> str:
    """Return what is there in the place of sessions, or nothing if it may be sessions."""
    if reply.truncated:
        return f"more than {MAX_OUTPUT // 1024 // 1024} MiB"
    if reply.content_encoding.strip().lower() not in ("", "identity"):
        return "a compressed body, though none was asked for"
    if not reply.body.strip():
        return "an empty body"
    if reply.body.lstrip().startswith(b"<"):
        return "HTML or XML, perhaps the page of a login or of a proxy"
    return ""


def _sessions(body: bytes, origin: str) -> Sessions:
    is_array = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return parse_array(body, origin=origin) if is_array else parse_lines(body, origin=origin)
