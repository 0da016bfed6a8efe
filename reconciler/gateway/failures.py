"""The one place where exceptions of the network libraries become a `FailureKind`.

Rules of this file: an exception is told apart by its type and by numbers and tokens it carries, along its chain of
causes; its text is never repeated, since a library may quote a header in it. The only detail handed on is the TLS
library's own word on a certificate or a handshake, which the peer's certificate may have shaped but no secret has.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import httpx

from reconciler.gateway.protocol import FailureKind

NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""What a call can raise for reasons outside this program. Everything else is a bug of ours and must be seen."""

_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNSENDABLE = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)

# X509_V_ERR_* of OpenSSL, as `ssl.SSLCertVerificationError.verify_code`.
_VERIFY_CODES = {
    2: FailureKind.UNKNOWN_AUTHORITY,
    9: FailureKind.CERTIFICATE_EXPIRED,
    10: FailureKind.CERTIFICATE_EXPIRED,
    18: FailureKind.UNKNOWN_AUTHORITY,
    19: FailureKind.UNKNOWN_AUTHORITY,
    20: FailureKind.UNKNOWN_AUTHORITY,
    21: FailureKind.UNKNOWN_AUTHORITY,
    62: FailureKind.WRONG_NAME,
    64: FailureKind.WRONG_NAME,
}
# What OpenSSL makes of the first bytes of "HTTP/1.1 400 Bad Request", by version.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class Phase(Enum):
    """How far a call had come when it failed."""

    UNKNOWN = auto()
    """Nothing was heard from the connection: its state must be guessed from the exception alone."""
    CONNECTING = auto()
    SENDING = auto()
    """The first byte of the request may have left."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no reply came."""

    kind: FailureKind
    detail: str = ""


def explain(exc: Exception, phase: Phase) -> Failure:
    """Return what `exc`, raised by a call in `phase`, means; it must be one of `NETWORK_ERRORS`."""
    if isinstance(exc, _UNSENDABLE):
        return Failure(FailureKind.HEADER_UNSENDABLE)
    if phase is Phase.CONNECTING or (phase is Phase.UNKNOWN and isinstance(exc, _BEFORE_SENDING)):
        return _explain_connecting(exc)
    return _explain_sent(exc)


def _explain_connecting(exc: Exception) -> Failure:
    for cause in _causes(exc):
        match cause:
            case ssl.SSLCertVerificationError():
                kind = _VERIFY_CODES.get(cause.verify_code, FailureKind.CERTIFICATE_BAD)
                return Failure(kind, cause.verify_message)
            case ssl.SSLEOFError() | ssl.SSLSyscallError() | ssl.SSLWantReadError() | ssl.SSLZeroReturnError():
                continue  # the connection ended or was waited for: not a word about the TLS settings
            case ssl.SSLError():
                return _explain_handshake(cause)
            case socket.gaierror():
                known_absent = cause.errno in _NO_SUCH_NAME
                return Failure(FailureKind.NAME_NOT_FOUND if known_absent else FailureKind.NAME_UNAVAILABLE)
            case ConnectionRefusedError():
                return Failure(FailureKind.CONNECTION_REFUSED)
            case TimeoutError() | httpx.TimeoutException():
                return Failure(FailureKind.CONNECT_TIMEOUT)
            case _:
                continue
    return Failure(FailureKind.NOT_CONNECTED)


def _explain_handshake(exc: ssl.SSLError) -> Failure:
    reason = _reason(exc)
    kind = FailureKind.PLAIN_HTTP if reason in _NOT_TLS else FailureKind.TLS
    return Failure(kind, reason.lower().replace("_", " "))


def _reason(exc: ssl.SSLError) -> str:
    # An error that Python raised by itself has no token of OpenSSL's.
    return getattr(exc, "reason", None) or ""


def _explain_sent(exc: Exception) -> Failure:
    for cause in _causes(exc):
        # Under TLS 1.3 the server asks for a client's certificate only after the client thinks all is agreed.
        if isinstance(cause, ssl.SSLError) and "CERTIFICATE_REQUIRED" in _reason(cause):
            return Failure(FailureKind.CLIENT_CERTIFICATE_WANTED)
    if isinstance(exc, (TimeoutError, httpx.TimeoutException)):
        return Failure(FailureKind.ANSWER_TIMEOUT)
    # A peer that closes without a word raises the same type as one that talks nonsense.
    if isinstance(exc, httpx.RemoteProtocolError) and "disconnected" not in str(exc):
        return Failure(FailureKind.GARBLED)
    return Failure(FailureKind.CONNECTION_LOST)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    # The exception, then what it was raised from or while handling; members of a group in their order. The context
    # counts even where it was put aside: the library's pool raises again `from None` what its connection explained.
    waiting, seen = [exc], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        waiting += [*members, *(link for link in (current.__cause__, current.__context__) if link is not None)]
