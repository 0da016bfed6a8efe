"""How the gateway is reached: what a site's settings come to once their files are read and their secrets resolved.

Rules of this file: everything that can be wrong about it is found out here, before the first call. A secret goes from
its reference into the value that needs it, and no text of this room shows it.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from reconciler.credentials import read_secret
from reconciler.errors import CredentialError, InputError
from reconciler.gateway.protocol.secrecy import Secrets
from reconciler.gateway.trust import build_context
from reconciler.gateway.tunnel import Proxy
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.values import Struct, field

_URL = "write it as https://host:port, with a path prefix if the gateway is behind one"
_PROXY = "write it as http://host:port; its user and password belong into gateway.proxy_credentials, as a reference"


class GatewayAccess(Struct, frozen=True, kw_only=True):
    """The way to one gateway, ready to be used by any number of connections."""

    context: ssl.SSLContext
    """Whom they trust, and what they show of themselves."""
    proxy: Proxy | None = None
    secrets: Secrets = field(default_factory=Secrets)
    """What no text of this gateway may show; each client adds what it sends and gets, and looks for what all know."""


def open_access(settings: GatewaySettings, *, root: Path, environ: Mapping[str, str]) -> GatewayAccess:
    """Return the way to the gateway that `settings` describe. Nothing is sent to anybody.

    Args:
        settings: as the site wrote them.
        root: the environment's directory, to which paths are relative.
        environ: where references such as `env:NAME` look. No other variable is read: a proxy of the machine's
            environment is not used.

    Raises:
        InputError: the URL is not one a Guid may be sent to, or a file, the proxy or a secret cannot be used.
    """
    _check_url(settings.url)
    shown = settings.client_certificate
    password = None
    if shown is not None and shown.password is not None:
        password = read_secret(shown.password, root=root, environ=environ, what="gateway.client_certificate.password")
    context = build_context(settings, root=root, password=password)
    if settings.proxy is None:
        return GatewayAccess(context=context)
    authorization = _authorization(settings.proxy_credentials, root, environ)
    return GatewayAccess(context=context, proxy=_proxy(settings.proxy, authorization))


def _check_url(text: str) -> None:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as exc:
        raise InputError("gateway.url is not a URL", hint=_URL) from exc
    if url.scheme != "https" or not url.host:
        raise InputError("gateway.url is not an https URL with a host, and a Guid is sent nowhere else", hint=_URL)
    if url.userinfo or url.query or url.fragment:
        raise InputError("gateway.url holds a user, a query or a fragment, which have no place in it", hint=_URL)


def _proxy(text: str, authorization: str) -> Proxy:
    try:
        parts = urlsplit(text)
        plain = text.rstrip("/") == f"http://{parts.netloc}" and "@" not in text
        host, port = (parts.hostname, parts.port) if plain else (None, None)
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise InputError("gateway.proxy is not an http URL of a host and a port alone", hint=_PROXY)
    return Proxy(host=host, port=port, authorization=authorization)


def _authorization(reference: SecretReference | None, root: Path, environ: Mapping[str, str]) -> str:
    if reference is None:
        return ""
    secret = read_secret(reference, root=root, environ=environ, what="gateway.proxy_credentials")
    user, colon, _ = secret.partition(":")
    if not user or not colon:
        raise CredentialError(
            f"gateway.proxy_credentials: {reference}: the secret is not user:password",
            hint="write the user, a colon and the password, as the proxy's operators gave them",
        )
    return f"Basic {b64encode(secret.encode()).decode('ascii')}"
