"""What may stand in `gateway.url`.

Rules of this file: https only, a host, perhaps a port and a path prefix; nothing that would carry a secret or change
meaning on the way (user info, query, fragment, dot segments). A message never shows the URL: it may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*", re.ASCII)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_MAX_PORT = 65_535
_MAX_HOST = 253


def normalise_url(url: str) -> str:
    """Return `url` without a trailing slash.

    Raises:
        ValueError: it is not a URL this package would send a Guid to; the message says why, without the URL.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it holds characters that do not belong into a URL")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("its host is malformed") from None
    _check_parts(url, parts)
    _check_host(host, bracketed="[" in parts.netloc)
    _check_port(parts.netloc)
    return url.rstrip("/")


def _check_parts(url: str, parts: SplitResult) -> None:
    if parts.scheme != "https":
        raise ValueError("it must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("it holds a user name or password; remove it")
    if "?" in url or "#" in url:
        raise ValueError("it has a query or a fragment; remove it")
    segments = parts.path.split("/")
    if not _PREFIX.fullmatch(parts.path) or "." in segments or ".." in segments:
        raise ValueError("its path prefix is malformed")


def _check_host(host: str, *, bracketed: bool) -> None:
    if not host:
        raise ValueError("it has no host")
    if bracketed or (host.replace(".", "").isdigit()):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError("its host is not an IP address") from None
    elif len(host) > _MAX_HOST or not _HOST.fullmatch(host):
        raise ValueError("its host is malformed")


def _check_port(netloc: str) -> None:
    behind = netloc.rpartition("]")[2]
    rest, colon, port = behind.rpartition(":")
    if "[" in netloc and (rest or (port and not colon)):
        raise ValueError("its host is malformed")
    if colon and (not _PORT.fullmatch(port) or int(port) > _MAX_PORT):
        raise ValueError(f"its port must be from 1 to {_MAX_PORT}")
