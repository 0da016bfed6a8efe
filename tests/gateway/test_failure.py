from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from reconciler.gateway import FailureKind, Misconfigured, Refused, Transient, Unanswered, Verdict, judge_failure
from reconciler.gateway.failures import NETWORK_ERRORS, Phase, explain
from reconciler.gateway.protocol.failure import Effect

VERDICTS: dict[Effect, type[Verdict]] = {
    Effect.WRONG_SITE: Misconfigured,
    Effect.NOT_SENT: Transient,
    Effect.SENT_MAYBE: Unanswered,
    Effect.UNSENDABLE: Refused,
}


@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name.lower().replace("_", "-"))
def test_every_failure_has_a_verdict_and_a_sentence(kind: FailureKind) -> None:
    verdict = judge_failure(kind)

    assert isinstance(verdict, VERDICTS[kind.effect])
    assert (None, kind.row.sentence) == (verdict.retcode, verdict.message)


def test_a_failure_before_sending_is_never_in_doubt() -> None:
    verdict = judge_failure(FailureKind.CONNECTION_REFUSED)

    assert isinstance(verdict, Transient)
    assert not verdict.sent_maybe


def test_the_detail_of_a_failure_is_escaped() -> None:
    assert judge_failure(FailureKind.TLS, "a\nb").message.endswith("(a\\nb)")


def caused(exc: Exception, *causes: BaseException) -> Exception:
    link: BaseException = exc
    for cause in causes:
        link.__cause__ = cause
        link = cause
    return exc


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    exc = ssl.SSLCertVerificationError(1, "certificate verify failed")
    exc.verify_code, exc.verify_message = code, "its own word"
    return exc


def tls_error(reason: str) -> ssl.SSLError:
    exc = ssl.SSLError(1, "secret text")
    exc.reason = reason
    return exc


LOOP = OSError("a cause that is its own cause")
LOOP.__cause__ = ValueError()
LOOP.__cause__.__cause__ = LOOP


@pytest.mark.parametrize(
    ("exc", "phase", "kind"),
    [
        pytest.param(certificate_error(62), Phase.SHAKING_HANDS, FailureKind.WRONG_NAME, id="host-name"),
        pytest.param(certificate_error(64), Phase.SHAKING_HANDS, FailureKind.WRONG_NAME, id="ip-address"),
        pytest.param(certificate_error(18), Phase.SHAKING_HANDS, FailureKind.SELF_SIGNED, id="self-signed"),
        pytest.param(certificate_error(20), Phase.SHAKING_HANDS, FailureKind.UNKNOWN_AUTHORITY, id="unknown-ca"),
        pytest.param(certificate_error(10), Phase.SHAKING_HANDS, FailureKind.CERTIFICATE_EXPIRED, id="expired"),
        pytest.param(
            certificate_error(9), Phase.SHAKING_HANDS, FailureKind.CERTIFICATE_NOT_YET_VALID, id="not-yet-valid"
        ),
        pytest.param(certificate_error(23), Phase.SHAKING_HANDS, FailureKind.CERTIFICATE_BAD, id="revoked"),
        pytest.param(tls_error("WRONG_VERSION_NUMBER"), Phase.SHAKING_HANDS, FailureKind.NOT_TLS, id="plain-http"),
        pytest.param(tls_error("NO_PROTOCOLS_AVAILABLE"), Phase.SHAKING_HANDS, FailureKind.TLS_TOO_OLD, id="old-tls"),
        pytest.param(ssl.SSLError(), Phase.SHAKING_HANDS, FailureKind.TLS, id="tls-without-a-reason"),
        pytest.param(
            socket.gaierror(socket.EAI_NONAME, "x"), Phase.CONNECTING, FailureKind.NAME_NOT_FOUND, id="no-such-name"
        ),
        pytest.param(
            socket.gaierror(socket.EAI_AGAIN, "x"), Phase.CONNECTING, FailureKind.NAME_UNAVAILABLE, id="dns-away"
        ),
        pytest.param(
            caused(
                httpx.ConnectError(""),
                OSError("all failed"),
                ExceptionGroup("", [OSError(errno.ENETUNREACH, ""), ConnectionRefusedError()]),
            ),
            Phase.CONNECTING,
            FailureKind.CONNECTION_REFUSED,
            id="refused-at-one-of-two-addresses",
        ),
        pytest.param(httpx.ConnectTimeout(""), Phase.UNKNOWN, FailureKind.CONNECT_TIMEOUT, id="connect-timeout"),
        pytest.param(TimeoutError(), Phase.CONNECTING, FailureKind.CONNECT_TIMEOUT, id="deadline-while-connecting"),
        pytest.param(httpx.PoolTimeout(""), Phase.UNKNOWN, FailureKind.CONNECT_TIMEOUT, id="pool-timeout"),
        pytest.param(httpx.ConnectError(""), Phase.UNKNOWN, FailureKind.NOT_CONNECTED, id="connect-error"),
        pytest.param(ssl.SSLWantReadError(), Phase.SHAKING_HANDS, FailureKind.HANDSHAKE_CUT, id="cut-in-the-handshake"),
        pytest.param(LOOP, Phase.CONNECTING, FailureKind.NOT_CONNECTED, id="causes-in-a-circle"),
        pytest.param(TimeoutError(), Phase.UNKNOWN, FailureKind.TIMEOUT, id="deadline-in-an-unknown-phase"),
        pytest.param(TimeoutError(), Phase.SENDING, FailureKind.TIMEOUT, id="deadline-after-sending"),
        pytest.param(httpx.ReadTimeout(""), Phase.SENDING, FailureKind.TIMEOUT, id="read-timeout"),
        pytest.param(httpx.WriteTimeout(""), Phase.SENDING, FailureKind.TIMEOUT, id="write-timeout"),
        pytest.param(httpx.ReadError(""), Phase.SENDING, FailureKind.CONNECTION_LOST, id="read-error"),
        pytest.param(httpx.WriteError(""), Phase.UNKNOWN, FailureKind.CONNECTION_LOST, id="write-error"),
        pytest.param(
            ConnectionRefusedError(), Phase.SENDING, FailureKind.CONNECTION_LOST, id="any-error-after-sending"
        ),
        pytest.param(ConnectionResetError(), Phase.SENDING, FailureKind.CONNECTION_LOST, id="closed-without-a-word"),
        pytest.param(httpx.RemoteProtocolError("illegal"), Phase.SENDING, FailureKind.GARBLED, id="not-http"),
        pytest.param(
            tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            Phase.SENDING,
            FailureKind.CLIENT_CERTIFICATE_WANTED,
            id="client-certificate-wanted",
        ),
        pytest.param(tls_error("BAD_RECORD_MAC"), Phase.SENDING, FailureKind.CONNECTION_LOST, id="tls-after-sending"),
        pytest.param(
            TimeoutError(), Phase.SHAKING_HANDS, FailureKind.HANDSHAKE_TIMEOUT, id="deadline-in-the-handshake"
        ),
        pytest.param(
            ConnectionResetError(), Phase.SHAKING_HANDS, FailureKind.HANDSHAKE_CUT, id="reset-in-the-handshake"
        ),
        pytest.param(
            tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"),
            Phase.SHAKING_HANDS,
            FailureKind.HANDSHAKE_REFUSED,
            id="no-common-cipher",
        ),
        pytest.param(
            tls_error("TLSV1_ALERT_UNKNOWN_CA"),
            Phase.SHAKING_HANDS,
            FailureKind.CLIENT_CERTIFICATE_REFUSED,
            id="client-certificate-refused",
        ),
        pytest.param(
            tls_error("SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            Phase.SENDING,
            FailureKind.CLIENT_CERTIFICATE_REFUSED,
            id="client-certificate-refused-after-sending",
        ),
        pytest.param(
            httpx.RemoteProtocolError("Received server _SWITCH_UPGRADE event without a pending proposal"),
            Phase.SENDING,
            FailureKind.SWITCHED_PROTOCOLS,
            id="websocket",
        ),
        pytest.param(
            httpx.LocalProtocolError("Illegal header value"), Phase.SENDING, FailureKind.HEADER_UNSENDABLE, id="header"
        ),
        pytest.param(
            UnicodeEncodeError("ascii", "ü", 0, 1, "no"), Phase.UNKNOWN, FailureKind.HEADER_UNSENDABLE, id="not-ascii"
        ),
    ],
)
def test_an_exception_is_told_apart_by_type_and_phase(exc: Exception, phase: Phase, kind: FailureKind) -> None:
    assert isinstance(exc, NETWORK_ERRORS)
    failure = explain(exc, phase)

    assert kind is failure.kind
    assert "secret" not in failure.detail


def test_the_tls_librarys_own_word_is_handed_on() -> None:
    failures = [explain(exc, Phase.SHAKING_HANDS) for exc in (certificate_error(62), tls_error("WRONG_VERSION_NUMBER"))]

    assert [failure.detail for failure in failures] == ["its own word", "wrong version number"]
