"""The one place where exceptions of the network libraries become a `FailureKind`.

Rules of this file: an exception is told apart by its type and by numbers and tokens it carries, along its chain of
causes; its text is never repeated, since a library may quote a header in it. The only detail handed on is the TLS
library's own word on a certificate or a handshake, which the peer's certificate may have shaped but no secret has;
and the proxy, if the way leads through one.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from enum import Enum, auto

import httpx

from reconciler.gateway.protocol import FailureKind
from reconciler.gateway.tunnel import Proxy, TunnelRefusedError
from reconciler.values import Struct

NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""What a call can raise for reasons outside this program. Everything else is a bug of ours and must be seen."""

_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNSENDABLE = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)

# X509_V_ERR_* of OpenSSL, as `ssl.SSLCertVerificationError.verify_code`.
_VERIFY_CODES = {
    2: FailureKind.UNKNOWN_AUTHORITY,
    9: FailureKind.CERTIFICATE_NOT_YET_VALID,
    10: FailureKind.CERTIFICATE_EXPIRED,
    18: FailureKind.SELF_SIGNED,
    19: FailureKind.UNKNOWN_AUTHORITY,
    20: FailureKind.UNKNOWN_AUTHORITY,
    21: FailureKind.UNKNOWN_AUTHORITY,
    62: FailureKind.WRONG_NAME,
    64: FailureKind.WRONG_NAME,
}
# What OpenSSL makes of the first bytes of "HTTP/1.1 400 Bad Request" or "SSH-2.0-", by version.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
_TOO_OLD = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"})
# Alerts with which a gateway turns a client's certificate away.
_UNWANTED = (
    *("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_CERTIFICATE_REVOKED"),
    *("ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_ACCESS_DENIED", "ALERT_DECRYPT_ERROR"),
)
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


_CREDENTIALS_WANTED = 407


class Phase(Enum):
    """How far a call had come when it failed."""

    UNKNOWN = auto()
    """Nothing was heard from the connection: its state must be guessed from the exception alone."""
    CONNECTING = auto()
    """Up to a connection with the gateway, through the proxy if there is one."""
    SHAKING_HANDS = auto()
    SENDING = auto()
    """The first byte of the request may have left."""


class Failure(Struct, frozen=True):
    """Why no reply came."""

    kind: FailureKind
    detail: str = ""


def explain(exc: Exception, phase: Phase, *, proxy: Proxy | None = None) -> Failure:
    """Return what `exc`, raised by a call in `phase`, means; it must be one of `NETWORK_ERRORS`.

    Args:
        exc: what was raised.
        phase: how far the call had come.
        proxy: what the way to the gateway leads through.
    """
    if isinstance(exc, _UNSENDABLE):
        return Failure(FailureKind.HEADER_UNSENDABLE)
    if phase is Phase.SENDING or (phase is Phase.UNKNOWN and not isinstance(exc, _BEFORE_SENDING)):
        return _explain_sent(exc)
    if phase is Phase.SHAKING_HANDS:
        return _explain_handshake(exc)
    return _explain_connecting(exc) if proxy is None else _explain_proxy(exc, proxy)


def _explain_connecting(exc: Exception) -> Failure:
    for cause in _causes(exc):
        match cause:
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


def _explain_proxy(exc: Exception, proxy: Proxy) -> Failure:
    for cause in _causes(exc):
        match cause:
            case TunnelRefusedError(status=status):
                said = f"{proxy} answered HTTP {status}" if status else f"{proxy}"
                return Failure(_refusal(status), said)
            case TimeoutError() | httpx.TimeoutException():
                return Failure(FailureKind.PROXY_TIMEOUT, f"{proxy}")
            case _:
                continue
    return Failure(FailureKind.PROXY_UNREACHABLE, f"{proxy}")


def _refusal(status: int) -> FailureKind:
    match status // 100:
        case 0:
            return FailureKind.PROXY_NOT_HTTP
        case 4 if status == _CREDENTIALS_WANTED:
            return FailureKind.PROXY_CREDENTIALS
        case 5:
            return FailureKind.PROXY_FAILED
        case _:
            return FailureKind.PROXY_REFUSED


def _explain_handshake(exc: Exception) -> Failure:
    for cause in _causes(exc):
        match cause:
            case ssl.SSLCertVerificationError():
                kind = _VERIFY_CODES.get(cause.verify_code, FailureKind.CERTIFICATE_BAD)
                return Failure(kind, cause.verify_message)
            case ssl.SSLEOFError() | ssl.SSLSyscallError() | ssl.SSLWantReadError() | ssl.SSLZeroReturnError():
                continue  # the connection ended or was waited for: not a word about the TLS settings
            case ssl.SSLError():
                return Failure(_handshake_kind(_reason(cause)), _reason(cause).lower().replace("_", " "))
            case TimeoutError() | httpx.TimeoutException():
                return Failure(FailureKind.HANDSHAKE_TIMEOUT)
            case _:
                continue
    return Failure(FailureKind.HANDSHAKE_CUT)


def _handshake_kind(reason: str) -> FailureKind:
    if reason in _NOT_TLS:
        return FailureKind.NOT_TLS
    if reason in _TOO_OLD:
        return FailureKind.TLS_TOO_OLD
    if reason.endswith("ALERT_HANDSHAKE_FAILURE"):
        return FailureKind.HANDSHAKE_REFUSED
    return _alerted(reason) or FailureKind.TLS


def _alerted(reason: str) -> FailureKind | None:
    """Return what an alert of the gateway's says about this side's certificate, if it does."""
    if "CERTIFICATE_REQUIRED" in reason:
        return FailureKind.CLIENT_CERTIFICATE_WANTED
    return FailureKind.CLIENT_CERTIFICATE_REFUSED if reason.endswith(_UNWANTED) else None


def _reason(exc: ssl.SSLError) -> str:
    # An error that Python raised by itself has no token of OpenSSL's.
    return getattr(exc, "reason", None) or ""


def _explain_sent(exc: Exception) -> Failure:
    for cause in _causes(exc):
        # Under TLS 1.3 the gateway looks at a client's certificate only after the client thinks all is agreed.
        kind = _alerted(_reason(cause)) if isinstance(cause, ssl.SSLError) else None
        if kind is not None:
            return Failure(kind)
    if isinstance(exc, (TimeoutError, httpx.TimeoutException)):
        return Failure(FailureKind.TIMEOUT)
    if isinstance(exc, httpx.RemoteProtocolError):
        # One type for a peer that talks nonsense and for one that talks of another protocol.
        return Failure(FailureKind.SWITCHED_PROTOCOLS if "SWITCH_UPGRADE" in str(exc) else FailureKind.GARBLED)
    return Failure(FailureKind.CONNECTION_LOST)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    # The exception, then what it was raised from; members of a group in their order.
    waiting, seen = [exc], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        waiting += [*members, *([] if current.__cause__ is None else [current.__cause__])]
