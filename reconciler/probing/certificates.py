"""Certificates as the gateway presents them, made readable. Only home of cryptography.

Rules of this file: nothing in a presented certificate is believed; what is read is shown, escaped and cut. One that
cannot be read is shown as such, with its fingerprint, and ends nothing. What the library thinks of one (a negative
serial number, a country of three letters) is no warning to the people who look at it.
"""

from __future__ import annotations

import hashlib
import ssl
import warnings
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from reconciler.model.printable import printable
from reconciler.model.probe import Certificate

_MAX_NAMES = 20
_UNREADABLE = "(cannot be read)"


def read_certificate(der: bytes) -> Certificate:
    """Return what the certificate says of itself; fields that cannot be read say so."""
    digest = hashlib.sha256(der).hexdigest().upper()
    sha256 = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
    pem = ssl.DER_cert_to_PEM_cert(der)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(der, sha256=sha256, pem=pem)
    except Exception:  # noqa: BLE001 - the library has no one word for what is not as the standard wants it
        return Certificate(
            subject=_UNREADABLE,
            issuer=_UNREADABLE,
            names=(),
            not_before=_UNREADABLE,
            not_after=_UNREADABLE,
            sha256=sha256,
            authority=False,
            self_signed=False,
            pem=pem,
        )


def _read(der: bytes, *, sha256: str, pem: str) -> Certificate:
    found = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=printable(found.subject.rfc4514_string() or "(empty)"),
        issuer=printable(found.issuer.rfc4514_string() or "(empty)"),
        names=_names(found),
        not_before=_time(found.not_valid_before_utc),
        not_after=_time(found.not_valid_after_utc),
        sha256=sha256,
        authority=_is_authority(found),
        self_signed=found.subject == found.issuer,
        pem=pem,
    )


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return ()
    if not isinstance(extension, x509.SubjectAlternativeName):
        return ()
    names = extension.get_values_for_type(x509.DNSName)
    addresses = [_bracketed(str(address)) for address in extension.get_values_for_type(x509.IPAddress)]
    return tuple(printable(name, limit=100) for name in [*names, *addresses][:_MAX_NAMES])


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_authority(found: x509.Certificate) -> bool:
    try:
        extension = found.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(extension, x509.BasicConstraints) and extension.ca


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
