"""What it means for a call that no reply came at all.

| failure                                          | verdict       | why                                            |
|--------------------------------------------------|---------------|------------------------------------------------|
| certificate, TLS, plain HTTP, name not found     | Misconfigured | every agent would meet the same; the handshake |
|                                                  |               | ended before a Guid was sent                   |
| connection refused, cut or slow before sending   | Transient     | a gateway that restarts does this too; nothing |
|                                                  |               | was sent, so it can never be in doubt          |
| anything after the first byte of the request     | Unanswered    | the gateway may have taken the values          |
| a header that cannot be put on the wire          | Refused       | only this agent's session is at fault          |

Rules of this file: a closed list of kinds and a table of sentences, each with the setting to look at. Who finds out
the kind is `gateway.failures`, the only place that knows the network library's exceptions.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import assert_never

from reconciler.gateway.protocol.verdict import Misconfigured, Refused, Transient, Unanswered, Verdict
from reconciler.model.printable import printable

_MAX_DETAIL = 200


class Effect(Enum):
    """How far the call came."""

    WRONG_SITE = auto()
    """Nothing was sent, and nothing can be before the settings are corrected."""
    NOT_SENT = auto()
    SENT_MAYBE = auto()
    UNSENDABLE = auto()
    """Nothing was sent for this agent; others are not concerned."""


class FailureKind(Enum):
    """Why no reply came: how far the call had come, and what happened with where to look."""

    NAME_NOT_FOUND = Effect.WRONG_SITE, "the host of gateway.url has no address: check its spelling, and DNS"
    WRONG_NAME = (
        Effect.WRONG_SITE,
        (
            "the gateway's certificate is for another name or address than the host of gateway.url: "
            "use a name that stands in the certificate"
        ),
    )
    UNKNOWN_AUTHORITY = (
        Effect.WRONG_SITE,
        (
            "the gateway's certificate is not signed by a trusted authority: let gateway.ca_file name the PEM file "
            "of the authority that signed it (without ca_file the machine's own authorities count)"
        ),
    )
    CERTIFICATE_EXPIRED = (
        Effect.WRONG_SITE,
        (
            "the gateway's certificate has expired or is not valid yet: "
            "ask its operators to renew it, and check this machine's clock"
        ),
    )
    CERTIFICATE_BAD = (
        Effect.WRONG_SITE,
        ("the gateway's certificate cannot be trusted: ask its operators to replace it"),
    )
    PLAIN_HTTP = (
        Effect.WRONG_SITE,
        (
            "the port of gateway.url does not speak TLS, perhaps plain HTTP: "
            "use the gateway's HTTPS port (8043 by default)"
        ),
    )
    CLIENT_CERTIFICATE_WANTED = (
        Effect.WRONG_SITE,
        ("the gateway asks for a client certificate, which is not supported: ask its operators for another port"),
    )
    TLS = Effect.WRONG_SITE, "no TLS connection could be agreed with the gateway: it must offer TLS 1.2 or later"
    NAME_UNAVAILABLE = Effect.NOT_SENT, "the host of gateway.url could not be looked up just now: check DNS"
    CONNECTION_REFUSED = (
        Effect.NOT_SENT,
        ("the connection was refused: check the port of gateway.url, and that the gateway is running"),
    )
    CONNECT_TIMEOUT = (
        Effect.NOT_SENT,
        ("no connection came about within gateway.timeout: check the host and port of gateway.url, and firewalls"),
    )
    NOT_CONNECTED = (
        Effect.NOT_SENT,
        ("no connection to the gateway came about: check the host and port of gateway.url, and the network"),
    )
    ANSWER_TIMEOUT = Effect.SENT_MAYBE, "sent, and no complete answer came within gateway.timeout"
    CONNECTION_LOST = (
        Effect.SENT_MAYBE,
        ("the connection broke after sending had begun and before the answer was whole"),
    )
    GARBLED = Effect.SENT_MAYBE, "sent, and what came back is not HTTP"
    HEADER_UNSENDABLE = (
        Effect.UNSENDABLE,
        ("the session's Guid or a cookie holds a character that cannot be sent: look at the session source"),
    )

    def __init__(self, effect: Effect, sentence: str) -> None:
        self.effect = effect
        self.sentence = sentence


def judge_failure(kind: FailureKind, detail: str = "") -> Verdict:
    """Return what `kind` means for the call; `detail` is the TLS library's own word on it, if any."""
    message = f"{kind.sentence} ({printable(detail, limit=_MAX_DETAIL)})" if detail else kind.sentence
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
