"""What can go wrong between this program and a session server, in sentences for people.

Rules of this file: the server is spoken of by its setting, `sessions.url`; nothing that it said is repeated, except the
TLS library's own word on a certificate or a handshake. A failure that may pass is a `Setback`: it is asked again a few
times, within the one deadline that a batch has.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reconciler.errors import SessionSourceError
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol import FailureKind
from reconciler.model.printable import printable
from reconciler.values import Struct

PAUSES = (0.5, 1.0)
"""Seconds before the second and the third time of asking; there is no fourth."""

_MAX_DETAIL = 200
_PORT = "check the host and port of sessions.url, and that the server is running"
_CLOCK = "ask its operators to renew it, and check this machine's clock"
_AUTHORITY = "let sessions.ca_file name the PEM file of the authority that signed it"

_ROWS: dict[FailureKind, tuple[str, str]] = {
    FailureKind.NAME_NOT_FOUND: ("cannot be found: the host of sessions.url has no address", "check its spelling"),
    FailureKind.NAME_UNAVAILABLE: ("cannot be looked up just now", "check DNS"),
    FailureKind.CONNECTION_REFUSED: ("refused the connection", _PORT),
    FailureKind.CONNECTION_LOST: ("broke the connection off", "look at its log, and at what stands before it"),
    FailureKind.HANDSHAKE_CUT: (
        "broke the TLS handshake off",
        "check that the port of sessions.url is the one for TLS",
    ),
    FailureKind.WRONG_NAME: (
        "has a certificate for another name or address than the host of sessions.url",
        "use a name that stands in the certificate",
    ),
    FailureKind.SELF_SIGNED: ("has a certificate that nobody but itself signed", _AUTHORITY),
    FailureKind.UNKNOWN_AUTHORITY: ("has a certificate that is not signed by a trusted authority", _AUTHORITY),
    FailureKind.CERTIFICATE_EXPIRED: ("has a certificate that has expired", _CLOCK),
    FailureKind.CERTIFICATE_NOT_YET_VALID: ("has a certificate that is not valid yet", _CLOCK),
    FailureKind.NOT_TLS: ("does not speak TLS on the port of sessions.url", "check the port, and the URL's beginning"),
    FailureKind.CLIENT_CERTIFICATE_WANTED: (
        "asks for a client certificate, which no session source can show",
        "ask its operators for another port",
    ),
    FailureKind.GARBLED: ("answered something that is not HTTP", "check the port of sessions.url"),
    FailureKind.HEADER_UNSENDABLE: ("cannot be asked: the token holds a character that cannot be sent", "correct it"),
}
_LATE: dict[FailureKind, tuple[str, str]] = {
    FailureKind.CONNECT_TIMEOUT: ("took no connection", "check the host and port of sessions.url, and firewalls"),
    FailureKind.HANDSHAKE_TIMEOUT: (
        "came to no TLS connection",
        "check that the port of sessions.url is the one for TLS, and firewalls",
    ),
    FailureKind.TIMEOUT: ("gave no whole answer", "if it is only slow, raise sessions.timeout or lower sessions.batch"),
}
_NO_TLS = ("agreed on no TLS connection, or has a certificate that cannot be trusted", "it must offer TLS 1.2 or later")
_ELSE = ("cannot be reached", _PORT)
_TLS_KINDS = frozenset({FailureKind.TLS, FailureKind.TLS_TOO_OLD, FailureKind.CERTIFICATE_BAD})
_PASSING = frozenset(
    {
        *(FailureKind.CONNECTION_REFUSED, FailureKind.CONNECTION_LOST, FailureKind.NOT_CONNECTED),
        *(FailureKind.NAME_UNAVAILABLE, FailureKind.HANDSHAKE_CUT),
    }
)

Answer = TypeVar("Answer")


class Setback(Struct, frozen=True, kw_only=True):
    """No answer this time. Another time may be better."""

    error: SessionSourceError
    """What is raised if it is not."""
    wait: float = 0.0
    """Seconds the server asked to be left alone."""


def unreachable(failure: Failure, origin: str, *, timeout: float) -> SessionSourceError | Setback:
    """Return what `failure` means for `origin`, such as `the Redis server redis://…`: a setback if it may pass."""
    if failure.kind in _LATE:
        meaning, remedy = _LATE[failure.kind]
        return SessionSourceError(f"{origin} {meaning} within {timeout:g} s", hint=remedy)
    meaning, remedy = _ROWS.get(failure.kind, _NO_TLS if failure.kind in _TLS_KINDS else _ELSE)
    detail = f" ({printable(failure.detail, limit=_MAX_DETAIL)})" if failure.detail else ""
    error = SessionSourceError(f"{origin} {meaning}{detail}", hint=remedy)
    return Setback(error=error) if failure.kind in _PASSING else error


async def patiently(
    ask: Callable[[float], Awaitable[Answer | Setback | SessionSourceError]], *, seconds: float
) -> Answer:
    """Return the answer of `ask`, which is asked again after a setback as long as all of it takes at most `seconds`.

    Args:
        ask: is told how many seconds it has, and keeps to them.
        seconds: for everything, pauses included.

    Raises:
        SessionSourceError: it failed, or had one setback after another.
    """
    now = asyncio.get_running_loop().time
    end = now() + seconds
    pauses = iter(PAUSES)
    while True:
        result = await ask(end - now())
        if isinstance(result, SessionSourceError):
            raise result
        if not isinstance(result, Setback):
            return result
        pause = max(next(pauses, math.inf), result.wait)
        if now() + pause >= end:
            raise result.error
        await asyncio.sleep(pause)
