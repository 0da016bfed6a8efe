"""Whom the connection to the gateway trusts, and what it shows of itself.

Rules of this file: certificates and names are always checked, unless the site says `insecure` aloud; TLS 1.2 at least,
then too; a `ca_file` replaces the machine's authorities, so that a private gateway is trusted by its own authority and
by nobody else's. OpenSSL never gets to ask a terminal for a password.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from reconciler.errors import InputError
from reconciler.gateway.pem_file import read_pem
from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings

_AUTHORITY = (
    "it must be a PEM file with the certificate of the authority that signed the gateway's; "
    "leave ca_file out to trust the machine's own authorities"
)
_CERTIFICATE = "it must be a PEM file with this client's certificate, then those of the authorities above it"
_KEY = "it must be a PEM file with the private key that belongs to the certificate"
_PASSWORD = "say where its password is with gateway.client_certificate.password: env:NAME"  # noqa: S105 - a sentence


def build_context(settings: GatewaySettings, *, root: Path, password: str | None = None) -> ssl.SSLContext:
    """Return the TLS settings that all connections share.

    Args:
        settings: `ca_file`, `insecure` and `client_certificate` are looked at.
        root: the environment's directory, to which their paths are relative.
        password: of the client certificate's key, if it has one.

    Raises:
        InputError: a file cannot be read or used; the text names the setting and the path as written.
    """
    context = trusting(settings.ca_file, root=root)
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.client_certificate is not None:
        _show(settings.client_certificate, context, root=root, password=password)
    return context


def trusting(
    ca_file: str | None, *, root: Path, setting: str = "gateway.ca_file", hint: str = _AUTHORITY
) -> ssl.SSLContext:
    """Return TLS settings that trust the authorities in `ca_file`, or with `None` the machine's own.

    Args:
        ca_file: the path as written.
        root: the environment's directory, to which it is relative.
        setting: what errors call it.
        hint: what the file has to hold.

    Raises:
        InputError: the file cannot be read or used.
    """
    authorities = None if ca_file is None else read_pem(root / ca_file, f"{setting} {ca_file}", hint=hint)
    # Not `create_default_context`: that writes the keys of every connection to where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    if authorities is None:
        context.load_default_certs()
        return context
    try:
        # `ssl` takes PEM as ASCII only; what is not can stand in the remarks between the certificates.
        context.load_verify_locations(cadata=_as_ascii(authorities))
    except ssl.SSLError as exc:
        raise InputError(f"{setting} {ca_file} holds no certificate that can be read", hint=hint) from exc
    return context


def _as_ascii(pem: bytes) -> str:
    return pem.decode("latin-1").encode("ascii", "replace").decode("ascii")


class _PasswordWantedError(Exception):
    """The key is encrypted, and nobody said where its password is."""


def _show(shown: ClientCertificate, context: ssl.SSLContext, *, root: Path, password: str | None) -> None:
    """Let the context show a client certificate where it is asked for one."""
    certificate = f"gateway.client_certificate.certificate {shown.certificate}"
    key = f"gateway.client_certificate.key {shown.key}"
    if b"-----BEGIN CERTIFICATE-----" not in read_pem(root / shown.certificate, certificate, hint=_CERTIFICATE):
        raise InputError(f"{certificate} holds no certificate", hint=_CERTIFICATE)
    if b"PRIVATE KEY-----" not in read_pem(root / shown.key, key, hint=_KEY):
        raise InputError(f"{key} holds no private key", hint=_KEY)
    asked = False

    def answer() -> str:
        nonlocal asked
        asked = True
        if password is None:
            raise _PasswordWantedError
        return password

    try:
        context.load_cert_chain(root / shown.certificate, root / shown.key, answer)
    except _PasswordWantedError:
        raise InputError(f"{key} is encrypted, and no password is given", hint=_PASSWORD) from None
    except (OSError, ValueError) as exc:  # an SSLError is an OSError; a password over 1 KiB is a ValueError
        raise _unusable(exc, certificate, key, encrypted=asked) from None


def _unusable(exc: Exception, certificate: str, key: str, *, encrypted: bool) -> InputError:
    reason = getattr(exc, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return InputError(f"{key} does not belong to {certificate}", hint=_KEY)
    if encrypted:
        return InputError(f"{key} cannot be decrypted with the password given", hint=_PASSWORD)
    return InputError(f"{certificate} with {key} cannot be used", hint=f"{_CERTIFICATE}; the key's: {_KEY}")
