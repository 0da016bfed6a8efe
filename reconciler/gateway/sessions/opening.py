"""Which source of sessions the settings ask for.

Rules of this file: secrets and certificates are read here, so that one that is missing ends the run before its first
call; nothing is asked or connected to yet. The `redis` library is loaded for those who use it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from reconciler.credentials import read_secret
from reconciler.errors import SessionSourceError, UsageError
from reconciler.gateway.sessions.command import CommandSource
from reconciler.gateway.sessions.file import FileSource
from reconciler.gateway.sessions.http_source import HttpSource
from reconciler.gateway.sessions.signin import SignInAccess, SignInSource
from reconciler.gateway.sessions.source import SessionSource
from reconciler.gateway.sessions.variable import EnvSource
from reconciler.gateway.trust import trusting
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session_servers import HttpSessions, RedisSessions
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions
from reconciler.model.session_sources import SessionSettings
from reconciler.model.sign_in_settings import SignInSessions

_AUTHORITY = (
    "it must be a PEM file with the certificate of the authority that signed the server's; "
    "leave it out to trust the machine's own authorities"
)


def open_source(
    settings: SessionSettings, *, root: Path, environ: Mapping[str, str], sign_in: SignInAccess | None = None
) -> SessionSource:
    """Return the source that `settings` describe. What it needs to log in is read now, sessions not yet.

    Args:
        settings: the site's `sessions`.
        root: the environment's directory, to which paths are relative and in which a command runs.
        environ: the environment variables a source may read, or hand to its command.
        sign_in: what is needed to sign agents in; `None` where nobody may be, since sessions are only to be looked at.

    Raises:
        SessionSourceError: a secret is not where its reference says.
        InputError: `sessions.ca_file` cannot be used.
        UsageError: the source would sign agents in, and nobody may be.
    """
    match settings:
        case FileSessions():
            return FileSource(root / settings.path, written=settings.path)
        case EnvSessions():
            return EnvSource(settings.variable, environ)
        case CommandSessions():
            return CommandSource(settings, root=root, environ=environ)
        case SignInSessions():
            return SignInSource(settings, _require(sign_in), root=root, environ=environ)
        case RedisSessions():
            return _open_redis(settings, root, environ)
        case HttpSessions():
            token = _secret(settings.token, "sessions.token", root, environ)
            return HttpSource(settings, token=token, context=_trusting(settings.ca_file, root))
        case _:
            assert_never(settings)


def _open_redis(settings: RedisSessions, root: Path, environ: Mapping[str, str]) -> SessionSource:
    from reconciler.gateway.sessions.redis_source import RedisSource  # noqa: PLC0415 - the library takes a while

    password = _secret(settings.password, "sessions.password", root, environ)
    context = _trusting(settings.ca_file, root) if settings.address.tls else None
    return RedisSource(settings, password=password, context=context)


def _secret(reference: SecretReference | None, what: str, root: Path, environ: Mapping[str, str]) -> str | None:
    if reference is None:
        return None
    return read_secret(reference, root=root, environ=environ, what=what, raising=SessionSourceError)


def _trusting(ca_file: str | None, root: Path) -> ssl.SSLContext:
    return trusting(ca_file, root=root, setting="sessions.ca_file", hint=_AUTHORITY)


def _require(sign_in: SignInAccess | None) -> SignInAccess:
    if sign_in is None:
        raise UsageError(
            "sessions.source is signin: to ask it who is signed in would sign them in, and nothing was asked",
            hint="leave out what compares sessions; only apply, rollback and probe sign agents in",
        )
    return sign_in
