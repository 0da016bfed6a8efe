"""Whom the connection to the gateway trusts.

Rules of this file: certificates and names are always checked; TLS 1.2 at least; a `ca_file` replaces the machine's
authorities, so that a private gateway is trusted by its own authority and by nobody else's.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from reconciler.errors import InputError


def build_context(ca_file: Path | None, *, written: str | None) -> ssl.SSLContext:
    """Return the TLS settings that all connections share.

    Args:
        ca_file: the resolved PEM file of the authorities to trust; `None` means the machine's own.
        written: the path as the user wrote it, for error texts.

    Raises:
        InputError: the file cannot be read or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as exc:
        raise InputError(
            f"gateway.ca_file {written} holds no certificate that can be read",
            hint="it must be a PEM file with the certificate of the authority that signed the gateway's",
        ) from exc
    except OSError as exc:
        raise InputError(
            f"gateway.ca_file {written} cannot be read: {exc.strerror}",
            hint="its path is relative to site.yaml; leave ca_file out to trust the machine's own authorities",
        ) from exc
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return context
