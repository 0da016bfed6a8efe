"""A throw-away certificate authority, so that a rehearsal runs over real HTTPS.

Rules of this file: made anew for each rehearsal and trusted by nobody who was not given its certificate. Only that
certificate is ever written, and only to a path that was asked for; keys stay in memory, but for the private temporary
file through which the standard library takes one, which is removed at once.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from reconciler.simulator.replacing import replace_file

_NAMES = ("127.0.0.1", "localhost", "::1")


class Authority:
    """Issues certificates for this machine's loopback names."""

    def __init__(self) -> None:
        """Make a new key and certificate."""
        self._ca = trustme.CA()

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate as PEM, for a client's `ca_file`."""
        return self._ca.cert_pem.bytes()

    def write_certificate(self, path: Path) -> None:
        """Write the authority's certificate to `path`, replacing what was there.

        Raises:
            InputError: the file cannot be written.
        """
        replace_file(path, self.certificate, mode=0o644)

    def server_context(self, host: str = "127.0.0.1") -> ssl.SSLContext:
        """Return a TLS context for a server on the loopback names, and on `host` if that is another one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        names = _NAMES if host in _NAMES else (*_NAMES, host)
        self._ca.issue_cert(*names).configure_cert(context)
        return context
