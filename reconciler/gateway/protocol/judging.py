"""What a reply of the gateway, or of something that stands before it, says about one call. No I/O, no clock.

| reply                                        | verdict                                                      |
|----------------------------------------------|--------------------------------------------------------------|
| 200, JSON object, retcode "0"                | Acknowledged: the only success there is                      |
| 200, JSON object, another retcode            | its row of the retcode table                                 |
| 200 without a readable retcode, other 2xx/1xx| Unanswered                                                   |
| 408, 429                                     | Transient: the request was turned away, so nothing was sent  |
| 5xx, and numbers that HTTP does not have     | Transient, sent_maybe                                        |
| 3xx, 4xx                                     | Refused                                                      |

Why a 200 without a readable retcode (HTML of a load balancer, an empty or cut or compressed body, no retcode) is not
a failure: whatever wrote it may have done so before or after the gateway took the values, and nothing in it tells
which. To record "failed" would claim the old values still hold. So it is in doubt, and sent again.

Why a 5xx may have been sent: a proxy says 502 or 504 also when the gateway took the request and its answer was lost.

The status comes first: a retcode in a reply that is not a 200 is reported and decides nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import assert_never
from urllib.parse import urlsplit

from reconciler.gateway.protocol.reply import Answer, Reply, read_answer
from reconciler.gateway.protocol.secrecy import Secrets
from reconciler.gateway.protocol.verdict import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Refused,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
)
from reconciler.gateway.retcodes import RETCODES, SUCCESS, RetcodeTable, Row, lookup
from reconciler.model.printable import printable
from reconciler.model.site import RetcodeClass

MAX_TEXT = 200
MAX_RETRY_AFTER = 60.0

_MAX_RETCODE = 32
_OK = 200
_WITHHELD = "(withheld: it repeats a session's secret)"
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_NO_PART_OF_A_URL = re.compile(r"[\t\r\n]")  # `urlsplit` passes over them, too
_NOT_KNOWN = "whether the values were taken is not known"

_TURNED_AWAY = {
    408: "the request did not arrive in time",
    429: "too many requests: lower gateway.requests_per_second if it lasts",
}
_REFUSAL = "the call was refused before the gateway looked at it"
_REFUSALS = {
    401: "something before the gateway asks for a sign-in of its own, or gateway.url has a wrong path",
    403: "the gateway, or a firewall or proxy before it, forbids this call from here: ask its operators to allow it",
    404: "there is no such interface at gateway.url: check its port and path prefix",
    405: "gateway.url leads to something that does not take this call: check its port and path prefix",
}


def judge(reply: Reply, *, now: datetime, table: RetcodeTable = RETCODES, secrets: Secrets | None = None) -> Verdict:
    """Return what `reply` says about the call.

    Args:
        reply: what came back.
        now: an aware time, against which a Retry-After date is read.
        table: the meaning of the retcodes; a site may have its own.
        secrets: what is withheld if the server repeats it: `Request.secrets` of the run so far.
    """
    secrets = Secrets() if secrets is None else secrets
    if secrets.are_in(reply.content_type):
        reply = replace(reply, content_type=_WITHHELD)
    answer = read_answer(reply)
    if reply.status != _OK:
        return _judge_status(reply, answer, now, secrets)
    if isinstance(answer, str):
        return Unanswered(message=f"HTTP 200 with {_shown(answer, secrets)}, so {_NOT_KNOWN}")
    return _judge_retcode(reply, answer, now, lookup(answer.retcode, table), secrets)


def parse_retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks to wait, 60 at most; `None` if it is absent, past or garbage."""
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # A date that ends in -0000 comes back without a zone; HTTP knows no other than UTC.
    wait = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(wait, MAX_RETRY_AFTER) if wait >= 0 else None


def _judge_retcode(reply: Reply, answer: Answer, now: datetime, row: Row, secrets: Secrets) -> Verdict:
    if answer.retcode == SUCCESS:
        return Acknowledged(message=_shown(answer.text, secrets))
    retcode = _shown(answer.retcode, secrets, limit=_MAX_RETCODE)
    message = f"{row.meaning}: {row.remedy}{_said(answer, secrets)}"
    match row.kind:
        case RetcodeClass.DEFERRED:
            return NotSignedIn(retcode=retcode, message=message)
        case RetcodeClass.REREAD_SESSION:
            return SessionExpired(retcode=retcode, message=message)
        case RetcodeClass.TRANSIENT:
            wait = parse_retry_after(reply.retry_after, now=now)
            return Transient(retcode=retcode, message=message, retry_after=wait)
        case RetcodeClass.PERMANENT:
            return Refused(retcode=retcode, message=message)
        case RetcodeClass.STOP:
            return Misconfigured(retcode=retcode, message=message)
        case _:
            assert_never(row.kind)


def _judge_status(reply: Reply, answer: Answer | str, now: datetime, secrets: Secrets) -> Verdict:
    status, retcode, said = reply.status, None, ""
    if isinstance(answer, Answer) and answer.retcode != SUCCESS:
        retcode, said = _shown(answer.retcode, secrets, limit=_MAX_RETCODE), _said(answer, secrets)
    wait = parse_retry_after(reply.retry_after, now=now)
    match status // 100:
        case 4 if status in _TURNED_AWAY:
            message = f"HTTP {status}: {_TURNED_AWAY[status]}{said}"
            return Transient(retcode=retcode, message=message, retry_after=wait)
        case 4:
            message = f"HTTP {status}: {_REFUSALS.get(status, _REFUSAL)}{said}"
            return Refused(retcode=retcode, message=message)
        case 3:
            return Refused(retcode=retcode, message=_redirect(reply, secrets))
        case 1 | 2:
            message = f"HTTP {status}, which this interface does not give, so {_NOT_KNOWN}{said}"
            return Unanswered(retcode=retcode, message=message)
        case _:
            message = f"HTTP {status}: the gateway, or a proxy before it, is in trouble{said}"
            return Transient(retcode=retcode, message=message, retry_after=wait, sent_maybe=True)


def _redirect(reply: Reply, secrets: Secrets) -> str:
    where = _target(reply.location, secrets) or "another path"
    return (
        f"HTTP {reply.status}: gateway.url is answered with a redirect to {where}, and redirects are never followed "
        "with a Guid: correct gateway.url"
    )


def _target(location: str, secrets: Secrets) -> str:
    # The host and port only: what follows them can hold a session, and what comes before them a password.
    location = _NO_PART_OF_A_URL.sub("", location)
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    if not host:
        return ""
    # A Guid with a slash or an @ would leave one half of itself in the host.
    if secrets.are_in(location, before=location.index("//") + 2 + len(parts.netloc)):
        return _WITHHELD
    return _shown(f"{parts.scheme or 'https'}://{host}", secrets)


def _said(answer: Answer, secrets: Secrets) -> str:
    text = _shown(answer.text, secrets)
    return f' (the gateway says "{text}")' if text else ""


def _shown(text: str, secrets: Secrets, *, limit: int = MAX_TEXT) -> str:
    # Looked for before the text is cut, so that no half of a secret is left at the end; and after it is escaped, since
    # a line break becomes a backslash and a letter, which a Guid may have.
    shown = printable(text, limit=limit)
    return _WITHHELD if secrets.are_in(text) or secrets.are_in(shown) else shown
