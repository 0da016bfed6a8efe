"""A TLS handshake with the gateway for its own sake: who answers, and what it shows of itself. No request is sent.

Rules of this file: no Guid, no cookie and no byte of HTTP ever goes out here, so a handshake may be made with a gateway
that is not trusted. What a failure means is said by `failures`, as for a call. The way (proxy, client certificate) is
the one a call would take.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler.gateway.access import GatewayAccess, open_access
from reconciler.gateway.dialing import attach
from reconciler.gateway.failures import NETWORK_ERRORS, Failure, Phase, explain
from reconciler.gateway.protocol import FailureKind, judge_failure
from reconciler.gateway.tunnel import reach
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.values import Struct, replace, repr_without

MAX_CHAIN = 16
"""Certificates that are looked at; real chains have two to four."""

_DEFAULT_PORT = 443


class Handshake(Struct, frozen=True, kw_only=True):
    """A handshake that came about."""

    version: str
    """Such as `TLSv1.3`."""
    cipher: str
    chain: tuple[bytes, ...]
    """DER, as presented, the gateway's own first; nothing in it need be true."""
    connect_seconds: float
    tls_seconds: float

    __repr__ = repr_without("chain")


class FailedHandshake(Struct, frozen=True, kw_only=True):
    """A handshake that did not."""

    kind: FailureKind
    message: str
    """What happened and where to look, in one line."""


class Trust(Struct, frozen=True, kw_only=True):
    """Whom a handshake is to trust, in place of what the site says."""

    authorities: str | None = None
    """PEM to trust instead of the site's `ca_file`; `None`: the machine's own."""
    verify: bool = True
    """`False` takes whatever is presented; it still reports it."""
    check_name: bool = True
    partial: bool = False
    """Trust what is in `authorities` by itself, whoever signed it."""


class HandshakeMaker:
    """Makes handshakes with one gateway."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        root: Path,
        environ: Mapping[str, str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what `open_access` takes, and a clock in seconds."""
        self._settings = settings
        self._root = root
        self._environ = environ
        self._monotonic = monotonic

    async def shake(self, trust: Trust | None = None) -> Handshake | FailedHandshake:
        """Return what a handshake comes to, trusting as the site says or as `trust` does.

        Raises:
            InputError: a file, the proxy or a secret of the settings cannot be used.
        """
        access = self._access(trust)
        parts = urlsplit(self._settings.url)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORT
        phase = Phase.CONNECTING
        started = self._monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout):
                connection = await reach(host, port, access.proxy)
                connected, phase = self._monotonic(), Phase.SHAKING_HANDS
                transport, _ = await attach(asyncio.Protocol, connection, host=host, context=access.context)
        except NETWORK_ERRORS as exc:
            return _failed(explain(exc, phase, proxy=access.proxy))
        try:
            return self._told(transport, started, connected)
        finally:
            transport.abort()

    def _access(self, trust: Trust | None) -> GatewayAccess:
        if trust is None:
            return open_access(self._settings, root=self._root, environ=self._environ)
        bare = replace(self._settings, ca_file=None, insecure=not trust.verify or trust.authorities is not None)
        access = open_access(bare, root=self._root, environ=self._environ)
        if trust.verify:
            _let_trust(access.context, trust)
        return access

    def _told(self, transport: asyncio.Transport, started: float, connected: float) -> Handshake:
        tls = transport.get_extra_info("ssl_object")
        cipher = tls.cipher()
        return Handshake(
            version=tls.version() or "unknown",
            cipher=cipher[0] if cipher else "unknown",
            chain=_presented(tls),
            connect_seconds=connected - started,
            tls_seconds=self._monotonic() - connected,
        )


def _let_trust(context: ssl.SSLContext, trust: Trust) -> None:
    """Make a fresh context trust as `trust` says; it comes without verification where there are `authorities`."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = trust.check_name
    if trust.authorities is not None:
        context.load_verify_locations(cadata=trust.authorities)
    if trust.partial:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _presented(tls: Any) -> tuple[bytes, ...]:
    """Return the chain as it came. Before Python 3.13 only the inner object knows more than the first of it."""
    if hasattr(tls, "get_unverified_chain"):
        chain = tls.get_unverified_chain()
    else:
        found = tls._sslobj.get_unverified_chain() or ()  # noqa: SLF001 - there is no other way before 3.13
        chain = [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in found]
    return tuple(bytes(each) for each in chain[:MAX_CHAIN])


def _failed(failure: Failure) -> FailedHandshake:
    return FailedHandshake(kind=failure.kind, message=judge_failure(failure.kind, failure.detail).message)
