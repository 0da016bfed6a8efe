"""The address of a host's API, as a flag or a CI job gives it.

Rules of this file: nothing that carries a secret or changes its meaning on the way; and what is sent there carries a
token, so it is HTTPS, but for this machine. A message never shows the address: it may hold a password.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from reconciler.errors import UsageError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def api_address(url: str) -> str:
    """Return `url` without a slash at its end.

    Raises:
        UsageError: it is nothing a token may be sent to.
    """
    complaint = _complaint(url)
    if complaint is not None:
        raise UsageError(
            f"the address of the host's API {complaint}",
            hint="such as --api-url https://github.example.com/api/v3 or https://gitlab.example.com/api/v4",
        )
    return url.rstrip("/")


def _complaint(url: str) -> str | None:
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' \\"<>?#%'):
        return "holds characters that do not belong there"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is malformed"
    if "@" in parts.netloc:
        return "holds a user name or password; remove it"
    if not host or {".", ".."} & set(parts.path.split("/")):
        return "is malformed"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return "must begin with https://"
    return None
