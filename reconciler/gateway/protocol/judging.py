"""What a reply of the gateway, or of something that stands before it, says about one call. No I/O, no clock.

| reply                                        | verdict                                                      |
|----------------------------------------------|--------------------------------------------------------------|
| 200, JSON object, retcode "0"                | Acknowledged: the only success there is                      |
| 200, JSON object, another retcode            | its row of `retcodes`                                        |
| 200 without a readable retcode, other 2xx/1xx| Unanswered                                                   |
| any other status                             | its row of `statuses`; a 5xx leaves a doubt                  |

Rules of this file: the status comes first, then the retcode, and their rows say what is done. A server that is
overloaded says so to everybody: a 429, or a wish in Retry-After, holds up the whole run (`Transient.overloaded`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import assert_never
from urllib.parse import urlsplit

from reconciler.gateway.protocol.reply import Answer, Reply, Unreadable, read_answer
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
from reconciler.gateway.retcodes import REPLIES, SUCCESS, UNKNOWN, lookup
from reconciler.gateway.rows import Row, VerdictTable
from reconciler.gateway.statuses import status_code
from reconciler.model.printable import printable
from reconciler.model.site import RetcodeClass
from reconciler.values import replace

MAX_TEXT = 200
MAX_RETRY_AFTER = 60.0

_MAX_RETCODE = 32
_OK = 200
_WITHHELD = "(withheld: it repeats a session's secret)"
_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_NO_PART_OF_A_URL = re.compile(r"[\t\r\n]")  # `urlsplit` passes over them, too
_TOO_MANY = 429
_REDIRECTS = 3


def judge(reply: Reply, *, now: datetime, table: VerdictTable = REPLIES, secrets: Secrets | None = None) -> Verdict:
    """Return what `reply` says about the call.

    Args:
        reply: what came back.
        now: an aware time, against which a Retry-After date is read.
        table: the meaning of retcodes and statuses; a site may have its own.
        secrets: what is withheld if the server repeats it: `Request.secrets` of the run so far.
    """
    secrets = Secrets() if secrets is None else secrets
    answer = read_answer(reply)
    if isinstance(answer, Unreadable) and secrets.are_in(reply.content_type):  # a part of it would be shown
        answer = read_answer(replace(reply, content_type=_WITHHELD))
    if reply.status != _OK:
        return _judge_status(reply, answer, now, lookup(status_code(reply.status), table), secrets)
    if isinstance(answer, Unreadable):
        return Unanswered(message=_sentence(answer.row, _aside(answer.detail, secrets)))
    # Where rows of both kinds stand in one table, a retcode that spells "http-426" is still no status.
    row = UNKNOWN if answer.retcode.startswith("http") else lookup(answer.retcode, table)
    return _judge_retcode(reply, answer, now, row, secrets)


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
    wait = parse_retry_after(reply.retry_after, now=now)
    return _of_row(row, retcode, row.sentence + _said(answer, secrets), wait=wait, overloaded=False)


def _judge_status(reply: Reply, answer: Answer | Unreadable, now: datetime, row: Row, secrets: Secrets) -> Verdict:
    redirect = reply.status // 100 == _REDIRECTS
    where = f" to {_target(reply.location, secrets) or 'another path'}" if redirect else ""
    retcode, message = None, f"HTTP {reply.status}: {_sentence(row, where)}"
    if isinstance(answer, Answer) and answer.retcode != SUCCESS:
        retcode, message = _shown(answer.retcode, secrets, limit=_MAX_RETCODE), message + _said(answer, secrets)
    if reply.status < _OK or reply.status // 100 == _OK // 100:
        return Unanswered(retcode=retcode, message=message)
    wait = parse_retry_after(reply.retry_after, now=now)
    return _of_row(row, retcode, message, wait=wait, overloaded=reply.status == _TOO_MANY or wait is not None)


def _of_row(row: Row, retcode: str | None, message: str, *, wait: float | None, overloaded: bool) -> Verdict:
    match row.kind:
        case RetcodeClass.DEFERRED:
            return NotSignedIn(retcode=retcode, message=message)
        case RetcodeClass.REREAD_SESSION:
            return SessionExpired(retcode=retcode, message=message)
        case RetcodeClass.TRANSIENT:
            return Transient(
                retcode=retcode, message=message, retry_after=wait, overloaded=overloaded, sent_maybe=row.doubt
            )
        case RetcodeClass.PERMANENT:
            return Refused(retcode=retcode, message=message)
        case RetcodeClass.STOP:
            return Misconfigured(retcode=retcode, message=message)
        case _:
            assert_never(row.kind)


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


def _sentence(row: Row, aside: str) -> str:
    return f"{row.meaning}{aside}: {row.remedy}"


def _aside(detail: str, secrets: Secrets) -> str:
    shown = _shown(detail, secrets)
    return f" {shown}" if shown == _WITHHELD else f" ({shown})" if shown else ""


def _said(answer: Answer, secrets: Secrets) -> str:
    text = _shown(answer.text, secrets)
    return f' (the gateway says "{text}")' if text else ""


def _shown(text: str, secrets: Secrets, *, limit: int = MAX_TEXT) -> str:
    # Looked for before the text is cut, so that no half of a secret is left at the end; and after it is escaped, since
    # a line break becomes a backslash and a letter, which a Guid may have.
    shown = printable(text, limit=limit)
    return _WITHHELD if secrets.are_in(text) or (shown != text and secrets.are_in(shown)) else shown
