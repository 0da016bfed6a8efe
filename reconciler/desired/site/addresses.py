"""What may stand in a URL of `site.yaml`, such as `gateway.url`.

Rules of this file: a scheme that was asked for, a host, perhaps a port and a path; nothing that would carry a secret or
change meaning on the way (user info, query, fragment, dot segments). A message never shows the URL: it may hold a
password.
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
    check_prefix(split_url(url, "https"))
    return url.rstrip("/")


def split_url(url: str, *schemes: str) -> SplitResult:
    """Return the parts of `url`: one of `schemes`, a good host, perhaps a port, any path, and nothing else.

    Raises:
        ValueError: it is something else; the message says why, without the URL.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it holds characters that do not belong into a URL")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("its host is malformed") from None
    if parts.scheme not in schemes:
        raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts.netloc:
        raise ValueError("it holds a user name or password; remove it")
    if "?" in url or "#" in url:
        raise ValueError("it has a query or a fragment; remove it")
    _check_host(host, bracketed="[" in parts.netloc)
    _check_port(parts.netloc)
    return parts


def check_prefix(parts: SplitResult) -> None:
    """Refuse a path that would mean something else on the way.

    Raises:
        ValueError: it has dot segments or odd characters.
    """
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
