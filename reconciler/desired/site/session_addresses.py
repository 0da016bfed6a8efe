"""What may stand in `sessions.url`, by source.

Rules of this file: a user name or password in a URL is refused and never shown; plain HTTP leads to this machine only.
"""

from __future__ import annotations

import re

from reconciler.desired.site.addresses import check_prefix, split_url
from reconciler.model.loopback import is_loopback
from reconciler.model.session_servers import RedisAddress

_DATABASE = re.compile(r"/(0|[1-9][0-9]{0,4})", re.ASCII)
_PORT = 6379


def parse_redis_url(url: str) -> RedisAddress:
    """Return where `redis://host[:port][/database]`, or `rediss://…` for TLS, leads.

    Raises:
        ValueError: it is not such a URL; the message says why, without the URL.
    """
    parts = split_url(url, "redis", "rediss")
    database = _DATABASE.fullmatch(parts.path)
    if database is None and parts.path not in ("", "/"):
        raise ValueError("behind its host stands the number of a database, such as /0, or nothing")
    return RedisAddress(
        host=parts.hostname or "",
        port=parts.port or _PORT,
        database=int(database[1]) if database else 0,
        tls=parts.scheme == "rediss",
    )


def normalise_broker_url(url: str) -> str:
    """Return `url` of a session broker, without a trailing slash.

    Raises:
        ValueError: it is not a URL a token may be sent to; the message says why, without the URL.
    """
    parts = split_url(url, "https", "http")
    check_prefix(parts)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("it must begin with https://; plain http:// is for localhost only, since sessions are secrets")
    return url.rstrip("/")
