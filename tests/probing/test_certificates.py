"""Certificates that no honest authority would issue: whatever stands in one, it is shown or said to be unreadable."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from reconciler.probing.certificates import read_certificate

UNREADABLE = "(cannot be read)"


@cache
def presented() -> bytes:
    """A certificate in DER, with whatever is looked at."""
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "ZZ"), x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(0x31323334)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gateway.example")]), critical=False)
        .add_extension(x509.IssuerAlternativeName([x509.DNSName("issuer.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=3), critical=True)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return built.public_bytes(Encoding.DER)


def altered(old: bytes, new: bytes) -> bytes:
    """The certificate with `old` replaced where it stands first."""
    assert old in presented()
    return presented().replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\x06\x03\x55\x1d\x12", b"\x06\x03\x55\x1d\x11", id="an-extension-twice"),
        pytest.param(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x06", id="a-version-that-is-none"),
        pytest.param(b"\x82\x0fgateway", b"\xa3\x0fgateway", id="a-kind-of-name-nobody-uses"),
        pytest.param(b"\x13\x02ZZ", b"\x03\x02ZZ", id="a-country-of-bits"),
        pytest.param(b"260101000000Z", b"26010100000\xffZ", id="a-date-that-is-none"),
    ],
)
def test_a_certificate_that_breaks_the_standard_is_shown_as_such(old: bytes, new: bytes) -> None:
    certificate = read_certificate(altered(old, new))

    assert (certificate.subject, certificate.names, certificate.authority) == (UNREADABLE, (), False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\x02\x041234", b"\x02\x04\xff234", id="negative-serial-number"),
        pytest.param(b"\x55\x04\x03\x0c\x03own", b"\x55\x04\x06\x0c\x03own", id="country-of-three-letters"),
    ],
)
def test_what_a_library_thinks_of_a_certificate_is_not_told_to_people(old: bytes, new: bytes) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_certificate(altered(old, new))

    assert told == []


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_whatever_is_presented_is_read_or_shown_as_unreadable(changes: list[tuple[int, int]]) -> None:
    der = bytearray(presented())
    for place, byte in changes:
        der[place % len(der)] = byte

    certificate = read_certificate(bytes(der))

    assert all(text.isprintable() for text in (certificate.subject, certificate.issuer, *certificate.names))
    assert len(certificate.sha256.split(":")) == 32
