"""What it means for a call that no reply came at all.

| failure                                          | verdict       | why                                            |
|--------------------------------------------------|---------------|------------------------------------------------|
| certificate, TLS, not TLS, name not found,       | Misconfigured | every agent would meet the same; the handshake |
| a proxy that refuses                             |               | ended before a Guid was sent                   |
| connection refused, cut or slow before sending   | Transient     | a gateway that restarts does this too; nothing |
|                                                  |               | was sent, so it can never be in doubt          |
| anything after the first byte of the request     | Unanswered    | the gateway may have taken the values          |
| a header that cannot be put on the wire          | Refused       | only this agent's session is at fault          |

Rules of this file: a closed list of kinds, each with what happened, and the setting to look at. Who finds out the kind
is `gateway.failures`, the only place that knows the network library's exceptions.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import assert_never

from reconciler.gateway.protocol.verdict import Misconfigured, Refused, Transient, Unanswered, Verdict
from reconciler.gateway.rows import Grade, Row, by_code
from reconciler.model.printable import printable
from reconciler.model.site import RetcodeClass

_MAX_DETAIL = 200
_AGAIN = "it is sent again"
_NOT_TRIED = frozenset(
    {"NAME_NOT_FOUND", "NAME_UNAVAILABLE", "CERTIFICATE_BAD", "TLS", "NOT_CONNECTED", "SWITCHED_PROTOCOLS"}
)
"""What no test of ours has met on a real connection to a real counterpart, so that its sentence is concluded."""


class Effect(Enum):
    """How far the call came."""

    WRONG_SITE = auto()
    """Nothing was sent, and nothing can be before the settings are corrected."""
    NOT_SENT = auto()
    SENT_MAYBE = auto()
    UNSENDABLE = auto()
    """Nothing was sent for this agent; others are not concerned."""


_KINDS = {
    Effect.WRONG_SITE: RetcodeClass.STOP,
    Effect.NOT_SENT: RetcodeClass.TRANSIENT,
    Effect.SENT_MAYBE: RetcodeClass.TRANSIENT,
    Effect.UNSENDABLE: RetcodeClass.PERMANENT,
}


class FailureKind(Enum):
    """Why no reply came: how far the call had come, what happened, and where to look."""

    NAME_NOT_FOUND = Effect.WRONG_SITE, "the host of gateway.url has no address", "check its spelling, and DNS"
    WRONG_NAME = (
        Effect.WRONG_SITE,
        "the gateway's certificate is for another name or address than the host of gateway.url",
        "use a name that stands in the certificate (an address must stand in it as an IP address entry)",
    )
    SELF_SIGNED = (
        Effect.WRONG_SITE,
        "the gateway's certificate is signed by nobody but itself",
        "compare it with its operators', and let gateway.ca_file name a PEM file of it",
    )
    UNKNOWN_AUTHORITY = (
        Effect.WRONG_SITE,
        "the gateway's certificate is not signed by a trusted authority",
        (
            "let gateway.ca_file name the PEM file of the authority that signed it (without ca_file the machine's own "
            "authorities count)"
        ),
    )
    CERTIFICATE_EXPIRED = (
        Effect.WRONG_SITE,
        "the gateway's certificate has expired",
        "ask its operators to renew it, and check this machine's clock",
    )
    CERTIFICATE_NOT_YET_VALID = (
        Effect.WRONG_SITE,
        "the gateway's certificate is not valid yet",
        "check this machine's clock, then ask the gateway's operators",
    )
    CERTIFICATE_BAD = (
        Effect.WRONG_SITE,
        "the gateway's certificate cannot be trusted",
        "ask its operators to replace it",
    )
    NOT_TLS = (
        Effect.WRONG_SITE,
        "what listens on the port of gateway.url does not speak TLS, but perhaps plain HTTP, SSH or mail",
        "use the gateway's HTTPS port (8043 by default)",
    )
    TLS_TOO_OLD = (
        Effect.WRONG_SITE,
        "the gateway offers no TLS version that is still safe",
        "have its operators switch on TLS 1.2 or later",
    )
    HANDSHAKE_REFUSED = (
        Effect.WRONG_SITE,
        "the gateway refused the TLS handshake",
        "it may share no cipher with this machine, or want a client certificate (gateway.client_certificate)",
    )
    TLS = (
        Effect.WRONG_SITE,
        "no TLS connection could be agreed with the gateway",
        "it must offer TLS 1.2 or later; ask its operators",
    )
    CLIENT_CERTIFICATE_WANTED = (
        Effect.WRONG_SITE,
        "the gateway asks for a client certificate",
        "let gateway.client_certificate name one that its operators gave you",
    )
    CLIENT_CERTIFICATE_REFUSED = (
        Effect.WRONG_SITE,
        "the gateway does not accept gateway.client_certificate",
        "check that it is valid and signed by an authority that the gateway trusts",
    )
    PROXY_CREDENTIALS = (
        Effect.WRONG_SITE,
        "the proxy of gateway.proxy wants a user and password, or others than given",
        "say where they are with gateway.proxy_credentials",
    )
    PROXY_REFUSED = (
        Effect.WRONG_SITE,
        "the proxy of gateway.proxy does not let this machine through to the gateway",
        "have its operators allow CONNECT to the host and port of gateway.url",
    )
    PROXY_NOT_HTTP = (
        Effect.WRONG_SITE,
        "what listens at gateway.proxy is no HTTP proxy",
        "check its host and port; a proxy that speaks TLS or SOCKS itself cannot be used",
    )
    PROXY_FAILED = (
        Effect.NOT_SENT,
        "the proxy of gateway.proxy could not reach the gateway",
        "check the host and port of gateway.url, and ask the proxy's operators",
    )
    PROXY_UNREACHABLE = (
        Effect.NOT_SENT,
        "the proxy of gateway.proxy cannot be reached",
        "check its host and port, and that it is running",
    )
    PROXY_TIMEOUT = (
        Effect.NOT_SENT,
        "the proxy of gateway.proxy opened no way to the gateway within gateway.timeout",
        "check its host and port, those of gateway.url, and firewalls",
    )
    NAME_UNAVAILABLE = Effect.NOT_SENT, "the host of gateway.url could not be looked up just now", "check DNS"
    CONNECTION_REFUSED = (
        Effect.NOT_SENT,
        "the connection was refused",
        "check the port of gateway.url, and that the gateway is running",
    )
    CONNECT_TIMEOUT = (
        Effect.NOT_SENT,
        "no connection came about within gateway.timeout",
        "check the host and port of gateway.url, and firewalls",
    )
    HANDSHAKE_TIMEOUT = (
        Effect.NOT_SENT,
        "a connection came about, and within gateway.timeout no TLS handshake",
        "check that the port of gateway.url is the gateway's HTTPS port; an overloaded gateway does this too",
    )
    HANDSHAKE_CUT = (
        Effect.NOT_SENT,
        "the connection was cut in the midst of the TLS handshake",
        "check that the port of gateway.url is the gateway's HTTPS port, and firewalls that look into TLS",
    )
    NOT_CONNECTED = (
        Effect.NOT_SENT,
        "no connection to the gateway came about",
        "check the host and port of gateway.url, and the network",
    )
    TIMEOUT = (
        Effect.SENT_MAYBE,
        "sent, and no complete answer came within gateway.timeout",
        f"{_AGAIN}; if it lasts, raise gateway.timeout or lower gateway.concurrency",
    )
    CONNECTION_LOST = (
        Effect.SENT_MAYBE,
        "the connection broke after sending had begun and before the answer was whole",
        f"{_AGAIN}; if every call ends so, look at what stands before the gateway, or whether it wants a certificate",
    )
    GARBLED = (
        Effect.SENT_MAYBE,
        "sent, and what came back is not HTTP",
        f"{_AGAIN}; check the port of gateway.url",
    )
    SWITCHED_PROTOCOLS = (
        Effect.SENT_MAYBE,
        "sent, and the answer was a change of protocol (HTTP 101), as for a WebSocket",
        f"{_AGAIN}; this port does not take the call: use the gateway's HTTPS port (8043 by default)",
    )
    HEADER_UNSENDABLE = (
        Effect.UNSENDABLE,
        "the session's Guid or a cookie holds a character that cannot be sent",
        "look at the session source",
    )

    def __init__(self, effect: Effect, meaning: str, remedy: str) -> None:
        self.effect = effect
        self.row = Row(
            code=self.name.lower().replace("_", "-"),
            kind=_KINDS[effect],
            meaning=meaning,
            remedy=remedy,
            grade=Grade.INFERRED if self.name in _NOT_TRIED else Grade.TESTED,
            doubt=effect is Effect.SENT_MAYBE,
        )


FAILURES = by_code(*(kind.row for kind in FailureKind))
"""By code, such as `wrong-name`."""


def judge_failure(kind: FailureKind, detail: str = "") -> Verdict:
    """Return what `kind` means for the call; `detail` is the TLS library's own word on it, or the proxy, if any."""
    sentence = kind.row.sentence
    message = f"{sentence} ({printable(detail, limit=_MAX_DETAIL)})" if detail else sentence
    match kind.effect:
        case Effect.WRONG_SITE:
            return Misconfigured(message=message)
        case Effect.NOT_SENT:
            return Transient(message=message)
        case Effect.SENT_MAYBE:
            return Unanswered(message=message)
        case Effect.UNSENDABLE:
            return Refused(message=message)
        case _:
            assert_never(kind.effect)
