"""Whom the connection to the gateway trusts.

Rules of this file: certificates and names are always checked; TLS 1.2 at least; a `ca_file` replaces the machine's
authorities, so that a private gateway is trusted by its own authority and by nobody else's.
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

from reconciler.errors import InputError

MAX_CA_FILE = 1024 * 1024
"""In bytes. The authorities of a whole machine take a quarter of it."""

_PEM = "it must be a PEM file with the certificate of the authority that signed the gateway's"


def build_context(ca_file: Path | None, *, written: str | None) -> ssl.SSLContext:
    """Return the TLS settings that all connections share.

    Args:
        ca_file: the resolved PEM file of the authorities to trust; `None` means the machine's own.
        written: the path as the user wrote it, for error texts.

    Raises:
        InputError: the file cannot be read, is not a plain one, is too large or holds no certificate.
    """
    authorities = None if ca_file is None else _read_authorities(ca_file, f"gateway.ca_file {written}")
    try:
        context = ssl.create_default_context(cadata=authorities)
    except ssl.SSLError as exc:
        raise InputError(f"gateway.ca_file {written} holds no certificate that can be read", hint=_PEM) from exc
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return context


def _read_authorities(path: Path, name: str) -> str:
    """Return the file's text, never empty: `ssl` would take an empty one for the machine's own authorities."""
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hold the program for good.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            plain = stat.S_ISREG(os.fstat(handle).st_mode)
            content = _read_at_most(handle, MAX_CA_FILE + 1) if plain else b""
        finally:
            os.close(handle)
    except OSError as exc:
        raise InputError(
            f"{name} cannot be read: {exc.strerror}",
            hint="its path is relative to site.yaml; leave ca_file out to trust the machine's own authorities",
        ) from exc
    if not plain:
        raise InputError(f"{name} is not a plain file", hint=_PEM)
    if len(content) > MAX_CA_FILE:
        raise InputError(f"{name} is larger than {MAX_CA_FILE // 1024 // 1024} MiB", hint=_PEM)
    if not content:
        raise InputError(f"{name} holds no certificate that can be read", hint=_PEM)
    # `ssl` takes PEM as ASCII only; what is not can stand in the remarks between the certificates.
    return content.decode("latin-1").encode("ascii", "replace").decode("ascii")


def _read_at_most(handle: int, size: int) -> bytes:
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(size)
