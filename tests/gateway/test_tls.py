"""TLS over real sockets: whose certificates are taken, what this side shows, and a sentence for each thing amiss."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from gateway.examples import client_of, make_request
from gateway.servers import Attend, answer, authority, free_port, listen, reset, serve, strict_server, tls_for
from gateway.test_trust import PASSWORD, write_client

from reconciler.gateway import (
    Acknowledged,
    GatewayClient,
    Misconfigured,
    Refused,
    Transient,
    Unanswered,
    Verdict,
    open_access,
)
from reconciler.gateway.protocol.failure import FailureKind
from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings
from reconciler.model.secret_reference import SecretReference


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback address")


async def call(settings: GatewaySettings, ca_file: Path | None, *, root: Path = Path()) -> Verdict:
    if root == Path():
        client = client_of(settings, ca_file)
    else:
        client = GatewayClient(settings, access=open_access(settings, root=root, environ={"KEY_PASSWORD": PASSWORD}))
    async with client:
        return await client.call(make_request(settings.url))


def told(verdict: Verdict, kind: FailureKind) -> bool:
    """Whether the verdict tells this failure, in its own sentence."""
    return verdict.message.startswith(kind.row.sentence)


def patient(url: str, **settings: object) -> GatewaySettings:
    return GatewaySettings(url=url, timeout=5.0, **settings)  # type: ignore[arg-type]  # of several types


# Addresses


ADDRESSES = pytest.mark.parametrize(
    "address", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)], ids=["ipv4", "ipv6"]
)


def url_at(address: str, port: int) -> str:
    host = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
    return f"https://{host}:{port}"


@ADDRESSES
def test_a_certificate_on_an_ip_address_is_taken(ca_file: Path, address: str) -> None:
    async def run() -> None:
        async with serve(answer(), tls_for(address), host=address) as server:
            assert isinstance(await call(patient(url_at(address, server.port)), ca_file), Acknowledged)
            assert f"Host: {url_at(address, server.port).removeprefix('https://')}".encode() in server.requests[0]

    asyncio.run(run())


@ADDRESSES
@pytest.mark.parametrize("other", ["127.0.0.2", "::2", "gateway.example"])
def test_a_certificate_on_another_address_or_name_is_not(ca_file: Path, address: str, other: str) -> None:
    async def run() -> None:
        async with serve(answer(), tls_for(other), host=address) as server:
            verdict = await call(patient(url_at(address, server.port)), ca_file)
            assert server.requests == []
        assert isinstance(verdict, Misconfigured)
        assert told(verdict, FailureKind.WRONG_NAME)
        assert "IP address entry" in verdict.message

    asyncio.run(run())


def test_an_address_that_stands_in_the_common_name_only_is_no_match(ca_file: Path) -> None:
    async def run() -> None:
        leaf = authority().issue_cert("gateway.example", common_name="127.0.0.1")
        async with serve(answer(), tls_for(leaf=leaf)) as server:
            assert told(await call(patient(server.url), ca_file), FailureKind.WRONG_NAME)
            assert server.requests == []

    asyncio.run(run())


# What is amiss


def lasting(start: timedelta, end: timedelta) -> ssl.SSLContext:
    """A certificate that is valid between these moments, seen from now."""
    now = datetime.now(UTC)
    return tls_for(leaf=authority().issue_cert("127.0.0.1", not_before=now + start, not_after=now + end))


def self_signed() -> ssl.SSLContext:
    """A server whose certificate is signed by nobody but itself: the trusted authority's namesake."""
    lonely = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with lonely.private_key_pem.tempfile() as key, lonely.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context


def old() -> ssl.SSLContext:
    context = tls_for("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def no_common_cipher() -> ssl.SSLContext:
    context = tls_for("127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA@SECLEVEL=0")
    return context


YEAR = timedelta(days=365)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("tls", "kind"),
    [
        pytest.param(lambda: lasting(-YEAR, -DAY), FailureKind.CERTIFICATE_EXPIRED, id="expired"),
        pytest.param(lambda: lasting(DAY, YEAR), FailureKind.CERTIFICATE_NOT_YET_VALID, id="not-yet-valid"),
        pytest.param(
            lambda: tls_for("127.0.0.1", ca=trustme.CA()), FailureKind.UNKNOWN_AUTHORITY, id="unknown-authority"
        ),
        pytest.param(self_signed, FailureKind.SELF_SIGNED, id="self-signed"),
    ],
)
def test_a_gateway_that_cannot_be_trusted_stops_the_run_with_its_own_sentence_and_gets_no_guid(
    ca_file: Path, tls: Callable[[], ssl.SSLContext], kind: FailureKind
) -> None:
    async def run() -> None:
        async with serve(answer(), tls()) as server:
            verdict = await call(patient(server.url), ca_file)
            assert server.requests == []
        assert isinstance(verdict, Misconfigured)
        assert told(verdict, kind), verdict.message

    asyncio.run(run())


@pytest.mark.parametrize(
    ("tls", "kind"),
    [
        pytest.param(old, FailureKind.TLS_TOO_OLD, id="tls-too-old"),
        pytest.param(no_common_cipher, FailureKind.HANDSHAKE_REFUSED, id="no-common-cipher"),
    ],
)
def test_a_gateway_with_nothing_in_common_stops_the_run_with_its_own_sentence(
    ca_file: Path, tls: Callable[[], ssl.SSLContext], kind: FailureKind
) -> None:
    with strict_server(tls()) as server:
        verdict = asyncio.run(call(patient(server.url), ca_file))

    assert isinstance(verdict, Misconfigured)
    assert told(verdict, kind), verdict.message
    assert server.requests == []


def speaking(words: bytes, *, first: bool) -> Attend:
    """Somebody else on the port, who speaks at once or waits to be spoken to."""

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not first:
            await reader.read(1000)
        writer.write(words)
        await writer.drain()
        await reader.read()
        writer.close()

    return attend


@pytest.mark.parametrize(
    "attend",
    [
        pytest.param(speaking(b"SSH-2.0-OpenSSH_9.2p1\r\n", first=True), id="ssh"),
        pytest.param(speaking(b"220 mail.example ESMTP\r\n", first=True), id="mail"),
        pytest.param(speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n", first=False), id="plain-http"),
        pytest.param(speaking(b"\x00\x00\x00\x0a5.5.5", first=True), id="a-database"),
    ],
)
def test_something_else_on_the_port_is_told_as_such_and_gets_no_guid(ca_file: Path, attend: Attend) -> None:
    async def run() -> None:
        async with listen(attend, None) as port:
            verdict = await call(patient(f"https://127.0.0.1:{port}"), ca_file)
        assert isinstance(verdict, Misconfigured)
        assert told(verdict, FailureKind.NOT_TLS), verdict.message
        assert "8043" in verdict.message

    asyncio.run(run())


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1000)
    writer.close()


async def hang_up_rudely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1000)
    reset(writer)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("attend", "kind"),
    [
        pytest.param(hang_up, FailureKind.HANDSHAKE_CUT, id="closed"),
        pytest.param(hang_up_rudely, FailureKind.HANDSHAKE_CUT, id="reset"),
        pytest.param(say_nothing, FailureKind.HANDSHAKE_TIMEOUT, id="silent"),
    ],
)
def test_a_handshake_that_comes_to_nothing_was_never_sent_and_says_where_to_look(
    ca_file: Path, attend: Attend, kind: FailureKind
) -> None:
    async def run() -> None:
        async with listen(attend, None) as port:
            verdict = await call(GatewaySettings(url=f"https://127.0.0.1:{port}", timeout=0.5), ca_file)
        assert isinstance(verdict, Transient)
        assert not verdict.sent_maybe
        assert told(verdict, kind), verdict.message

    asyncio.run(run())


def test_a_port_where_nobody_listens_is_told_as_such(ca_file: Path) -> None:
    verdict = asyncio.run(call(patient(f"https://127.0.0.1:{free_port()}"), ca_file))

    assert isinstance(verdict, Transient)
    assert told(verdict, FailureKind.CONNECTION_REFUSED)


def test_a_connection_that_nobody_takes_up_ends_with_the_timeout(ca_file: Path) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):  # the kernel's queue is full, and it answers nobody any more
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        verdict = asyncio.run(call(GatewaySettings(url=f"https://127.0.0.1:{port}", timeout=0.5), ca_file))
        for each in waiting:
            each.close()

    assert isinstance(verdict, Transient)
    assert told(verdict, FailureKind.CONNECT_TIMEOUT)


def test_a_name_that_does_not_exist_stops_the_run(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a test asks no name server
    verdict = asyncio.run(call(patient("https://gateway.invalid:8043"), ca_file))

    assert isinstance(verdict, Misconfigured)
    assert told(verdict, FailureKind.NAME_NOT_FOUND)


async def say_nothing_more(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def test_an_answer_that_does_not_come_leaves_the_call_in_doubt(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(say_nothing_more, tls_for("127.0.0.1")) as server:
            verdict = await call(GatewaySettings(url=server.url, timeout=0.5), ca_file)
        assert isinstance(verdict, Unanswered)
        assert told(verdict, FailureKind.TIMEOUT)

    asyncio.run(run())


# A site in WebSocket mode


async def switch_protocols(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")


def test_a_port_that_wants_a_websocket_stops_the_run_and_says_which_port(ca_file: Path) -> None:
    async def run() -> None:
        upgrade = answer(b"", "426 Upgrade Required", "Upgrade: websocket", "Connection: Upgrade")
        async with serve(upgrade, tls_for("127.0.0.1")) as server:
            verdict = await call(patient(server.url), ca_file)
        assert isinstance(verdict, Misconfigured)
        assert "WebSocket" in verdict.message
        assert "8043" in verdict.message

    asyncio.run(run())


def test_an_answer_that_switches_protocols_leaves_the_call_in_doubt_and_says_which_port(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(switch_protocols, tls_for("127.0.0.1")) as server:
            verdict = await call(patient(server.url), ca_file)
        assert isinstance(verdict, Unanswered)
        assert told(verdict, FailureKind.SWITCHED_PROTOCOLS)

    asyncio.run(run())


def test_a_retcode_about_events_is_refused_and_says_what_to_look_at(ca_file: Path) -> None:
    async def run() -> None:
        body = b'{"retcode": "000-001", "message": "wrong event mode"}'
        async with serve(answer(body), tls_for("127.0.0.1")) as server:
            verdict = await call(patient(server.url), ca_file)
        assert isinstance(verdict, Refused)
        assert "wrong way of getting events" in verdict.message
        assert "pushed events" in verdict.message

    asyncio.run(run())


# insecure


@pytest.mark.parametrize(
    "tls",
    [
        pytest.param(lambda: tls_for("127.0.0.1", ca=trustme.CA()), id="unknown-authority"),
        pytest.param(lambda: tls_for("gateway.example"), id="wrong-name"),
        pytest.param(lambda: lasting(-YEAR, -DAY), id="expired"),
    ],
)
def test_insecure_takes_any_certificate(tls: Callable[[], ssl.SSLContext]) -> None:
    async def run() -> None:
        async with serve(answer(), tls()) as server:
            assert isinstance(await call(patient(server.url, insecure=True), None), Acknowledged)

    asyncio.run(run())


def test_insecure_does_not_take_tls_that_is_too_old() -> None:
    with strict_server(old()) as server:
        verdict = asyncio.run(call(patient(server.url, insecure=True), None))

    assert told(verdict, FailureKind.TLS_TOO_OLD), verdict.message


# A client certificate


def wanting(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that asks for a client certificate of the authority's."""
    context = tls_for("127.0.0.1")
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    return context


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


def showing(url: str, ca_file: Path, *, password: bool = False) -> GatewaySettings:
    reference = SecretReference.parse("env:KEY_PASSWORD") if password else None
    shown = ClientCertificate(certificate="client.pem", key="client.key", password=reference)
    return patient(url, ca_file=str(ca_file), client_certificate=shown)


@VERSIONS
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain-key", "encrypted-key"])
def test_a_client_certificate_that_the_gateway_knows_opens_it(
    tmp_path: Path, ca_file: Path, version: ssl.TLSVersion, encrypted: bool
) -> None:
    write_client(tmp_path, password=PASSWORD if encrypted else None)

    async def run() -> None:
        async with serve(answer(), wanting(version)) as server:
            settings = showing(server.url, ca_file, password=encrypted)
            assert isinstance(await call(settings, None, root=tmp_path), Acknowledged)

    asyncio.run(run())


REFUSALS: dict[str, Callable[[], trustme.LeafCert]] = {
    "unknown-authority": lambda: trustme.CA().issue_cert("reconciler@client.example"),
    "expired": lambda: authority().issue_cert(
        "reconciler@client.example",
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_after=datetime(2020, 2, 1, tzinfo=UTC),
    ),
}


@VERSIONS
@pytest.mark.parametrize("leaf", REFUSALS.values(), ids=REFUSALS)
def test_a_client_certificate_that_the_gateway_does_not_take_stops_the_run(
    tmp_path: Path, ca_file: Path, version: ssl.TLSVersion, leaf: Callable[[], trustme.LeafCert]
) -> None:
    write_client(tmp_path, leaf=leaf())
    with strict_server(wanting(version)) as server:
        verdict = asyncio.run(call(showing(server.url, ca_file), None, root=tmp_path))

    assert isinstance(verdict, Misconfigured)
    assert told(verdict, FailureKind.CLIENT_CERTIFICATE_REFUSED), verdict.message
    assert server.requests == []


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        pytest.param(ssl.TLSVersion.TLSv1_2, FailureKind.HANDSHAKE_REFUSED, id="1.2"),
        pytest.param(ssl.TLSVersion.TLSv1_3, FailureKind.CLIENT_CERTIFICATE_WANTED, id="1.3"),
    ],
)
def test_a_gateway_that_wants_a_client_certificate_stops_the_run_and_the_setting_is_named(
    ca_file: Path, version: ssl.TLSVersion, kind: FailureKind
) -> None:
    with strict_server(wanting(version)) as server:
        verdict = asyncio.run(call(patient(server.url), ca_file))

    assert isinstance(verdict, Misconfigured)
    assert told(verdict, kind), verdict.message
    assert "gateway.client_certificate" in verdict.message
    assert server.requests == []


def test_an_alert_that_a_reset_overtakes_still_names_the_certificate(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), wanting(ssl.TLSVersion.TLSv1_3)) as server:
            verdict = await call(patient(server.url), ca_file)
            assert server.requests == []
        assert isinstance(verdict, (Misconfigured, Unanswered))
        assert "certificate" in verdict.message

    asyncio.run(run())
