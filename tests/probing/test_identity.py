"""Who answers, whether that is trusted, and what would make it so: real servers, real handshakes, nothing sent."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from gateway.servers import answer, authority, free_port, listen, serve, tls_for
from gateway.test_tunnel import connect_proxy

from reconciler.gateway import HandshakeMaker
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.probe import Grade
from reconciler.probing.certificates import read_certificate
from reconciler.probing.conclusions import lines_for_site
from reconciler.probing.identity import Identity, look_at_identity

NOW = datetime.now(UTC)


def with_root(*names: str, ca: trustme.CA) -> ssl.SSLContext:
    """A server that presents its authority behind its own certificate."""
    leaf = ca.issue_cert(*names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    chain = trustme.Blob(leaf.private_key_and_cert_chain_pem.bytes() + ca.cert_pem.bytes())
    with chain.tempfile() as path:
        context.load_cert_chain(path)
    return context


def self_signed(*names: str, subject: str = "gateway") -> ssl.SSLContext:
    """A server whose certificate is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(each)) for each in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with trustme.Blob(private + built.public_bytes(Encoding.PEM)).tempfile() as path:
        context.load_cert_chain(path)
    return context


class Looking:
    """Looks at a server with certain settings, and sees to it that nothing was sent to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def trusting(self, ca: trustme.CA) -> str:
        (self.directory / "ca.pem").write_bytes(ca.cert_pem.bytes())
        return "ca.pem"

    def at(self, tls: ssl.SSLContext, **settings: Any) -> Identity:
        return asyncio.run(self._at(tls, settings))

    async def _at(self, tls: ssl.SSLContext, settings: dict[str, Any]) -> Identity:
        async with serve(answer(), tls) as server:
            identity = await self.of(GatewaySettings(url=server.url, **settings))
            assert server.requests == []
            return identity

    async def of(self, settings: GatewaySettings) -> Identity:
        maker = HandshakeMaker(settings, root=self.directory, environ={})
        return await look_at_identity(maker, settings)


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    return Looking(tmp_path)


@pytest.fixture
def stranger() -> trustme.CA:
    """An authority this machine does not know."""
    return trustme.CA(organization_name="Site Engineers")


def test_a_gateway_the_settings_trust_is_usable_and_told_by_whom(looking: Looking) -> None:
    identity = looking.at(tls_for("127.0.0.1"), ca_file=looking.trusting(authority()))

    assert (identity.usable, identity.finding.value, identity.finding.grade) == (True, "trusted", Grade.CONFIRMED)
    assert "verified by ca.pem" in identity.finding.conclusion
    assert len(identity.handshakes) == 4
    assert identity.certificates[0].names == ("127.0.0.1",)


def test_an_authority_that_is_presented_is_offered_and_does_make_it_trusted(
    looking: Looking, stranger: trustme.CA
) -> None:
    tls = with_root("127.0.0.1", ca=stranger)
    identity = looking.at(tls)

    assert (identity.usable, identity.finding.value) == (False, "unknown-authority")
    assert identity.ca is not None
    assert identity.ca.sha256 in lines_for_site(identity, (), GatewaySettings(url="https://x"))[1]
    assert "Site Engineers" in identity.finding.conclusion
    assert "compare the fingerprint" in identity.finding.conclusion

    (looking.directory / "ca.pem").write_text(identity.ca.pem)
    assert looking.at(tls, ca_file="ca.pem").usable


def test_an_authority_that_is_not_presented_is_named_to_be_asked_for(looking: Looking, stranger: trustme.CA) -> None:
    identity = looking.at(tls_for("127.0.0.1", ca=stranger))

    assert (identity.usable, identity.ca) == (False, None)
    assert "does not present: ask the site's engineers" in identity.finding.conclusion
    assert "Site Engineers" in identity.finding.conclusion
    assert lines_for_site(identity, (), GatewaySettings(url="https://x")) == ()


def test_a_certificate_signed_by_itself_is_its_own_authority(looking: Looking) -> None:
    tls = self_signed("127.0.0.1")
    identity = looking.at(tls)

    assert (identity.usable, identity.finding.value) == (False, "self-signed")
    assert identity.ca == identity.certificates[0]

    (looking.directory / "ca.pem").write_text(identity.ca.pem)
    assert looking.at(tls, ca_file="ca.pem").usable


def test_a_ca_file_of_another_authority_is_told_from_none(looking: Looking, stranger: trustme.CA) -> None:
    identity = looking.at(with_root("127.0.0.1", ca=stranger), ca_file=looking.trusting(authority()))

    assert not identity.usable
    assert "the authorities in ca.pem do not know" in identity.finding.conclusion
    assert identity.ca is not None


@pytest.mark.parametrize("known", [True, False], ids=["known-authority", "unknown-authority"])
def test_a_wrong_name_is_told_with_the_right_ones_whoever_signed_it(looking: Looking, *, known: bool) -> None:
    ca_file = looking.trusting(authority()) if known else None
    identity = looking.at(tls_for("gateway.example", "10.0.0.7"), ca_file=ca_file)

    assert not identity.usable
    assert "is for gateway.example, 10.0.0.7, and gateway.url says 127.0.0.1" in identity.finding.conclusion
    assert ("authority" in identity.finding.conclusion) == (not known)
    assert identity.finding.value == ("wrong-name" if known else "unknown-authority")


def test_a_certificate_whose_time_is_over_is_told_with_its_dates(looking: Looking) -> None:
    leaf = authority().issue_cert("127.0.0.1", not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2))
    identity = looking.at(tls_for(leaf=leaf), ca_file=looking.trusting(authority()))

    assert (identity.usable, identity.finding.value) == (False, "certificate-expired")
    assert identity.certificates[0].not_after in identity.finding.conclusion


def test_a_ca_file_that_is_not_needed_is_said_to_be_in_the_way(
    looking: Looking, stranger: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger.cert_pem.tempfile() as machine:
        monkeypatch.setenv("SSL_CERT_FILE", machine)
        identity = looking.at(tls_for("127.0.0.1", ca=stranger), ca_file=looking.trusting(authority()))

    assert (identity.usable, identity.without_ca_file) == (False, True)
    assert "leave gateway.ca_file out" in identity.finding.conclusion


def test_the_authorities_of_the_machine_are_named_when_they_do_it(
    looking: Looking, stranger: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger.cert_pem.tempfile() as machine:
        monkeypatch.setenv("SSL_CERT_FILE", machine)
        trusted = looking.at(tls_for("127.0.0.1", ca=stranger))
        careless = looking.at(tls_for("127.0.0.1", ca=stranger), insecure=True)

    assert "verified by the authorities of this machine" in trusted.finding.conclusion
    assert "leave gateway.insecure: true out" in careless.finding.conclusion


def test_an_insecure_site_is_usable_and_told_what_would_make_it_better(looking: Looking, stranger: trustme.CA) -> None:
    identity = looking.at(with_root("127.0.0.1", ca=stranger), insecure=True)

    assert (identity.usable, identity.finding.value) == (True, "insecure")
    assert identity.ca is not None
    assert "nobody checks whom the Guids go to" in identity.finding.conclusion


def test_what_does_not_speak_tls_is_not_reached(looking: Looking) -> None:
    async def complain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> Identity:
        async with listen(complain, None) as port:
            return await looking.of(GatewaySettings(url=f"https://127.0.0.1:{port}"))

    identity = asyncio.run(run())
    assert (identity.usable, identity.reached, identity.finding.grade) == (False, False, Grade.UNKNOWN)
    assert "does not speak TLS" in identity.finding.conclusion


def test_where_nobody_listens_nobody_is_reached(looking: Looking) -> None:
    identity = asyncio.run(looking.of(GatewaySettings(url=f"https://127.0.0.1:{free_port()}")))

    assert (identity.reached, identity.finding.value) == (False, "connection-refused")


def test_the_handshakes_take_the_way_of_the_calls(looking: Looking) -> None:
    async def run() -> tuple[Identity, int]:
        async with serve(answer(), tls_for("127.0.0.1")) as server, connect_proxy() as proxy:
            ca_file = looking.trusting(authority())
            identity = await looking.of(GatewaySettings(url=server.url, ca_file=ca_file, proxy=proxy.url))
            return identity, len(proxy.heads)

    identity, through_proxy = asyncio.run(run())
    assert (identity.usable, through_proxy) == (True, 4)


def test_names_in_a_certificate_are_made_safe(looking: Looking) -> None:
    identity = looking.at(self_signed("127.0.0.1", subject="\x1b[2J\n ::error::gateway"))

    (certificate,) = identity.certificates
    assert certificate.subject.isprintable()
    assert "::error" not in certificate.subject


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x05", b"not a certificate"], ids=["empty", "other", "text"])
def test_a_certificate_that_cannot_be_read_is_shown_as_such(der: bytes) -> None:
    certificate = read_certificate(der)

    assert certificate.subject == certificate.not_after == "(cannot be read)"
    assert len(certificate.sha256.split(":")) == 32
