"""Where a site's gateway is and how to treat it, as the `gateway` section of `site.yaml` says.

Paths are kept as written; a secret never stands here, only a reference to where it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.bounds import require_number, require_positive, require_whole
from reconciler.values import Struct

if TYPE_CHECKING:  # most sites have no secret
    from reconciler.model.secret_reference import SecretReference

MAX_CALLS_IN_FLIGHT = 256
SLOWEST_PACE = 0.001
"""Calls per second: one in a quarter of an hour. Slower than that is a slip, and no time it takes can be told."""


class CallnumsKey(StrEnum):
    """How the gateway spells the per-channel number: its parameter table and its own example disagree."""

    CAMEL = "callNums"
    LOWER = "callnums"


class ClientCertificate(Struct, frozen=True, kw_only=True):
    """What this side shows of itself where the gateway asks for a client certificate."""

    certificate: str
    """PEM file with the certificate, and after it those of the authorities between it and the one the gateway knows."""
    key: str
    """PEM file with its private key; it may be the same file."""
    password: SecretReference | None = None
    """Where the password of an encrypted key is; `None` for a key that is not."""


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """Where the CC-Gateway is, how its identity is checked, and how gently to treat it."""

    url: str
    """`https://host:port`, without a trailing slash; a path prefix is allowed."""
    ca_file: str | None = None
    """PEM file of the authorities to trust; `None` means the machine's own."""
    insecure: bool = False
    """Neither the gateway's certificate nor its name is checked. Never silently: every command warns of it."""
    client_certificate: ClientCertificate | None = None
    proxy: str | None = None
    """`http://host:port` of a proxy to tunnel through with CONNECT; `None`: none, whatever the environment says."""
    proxy_credentials: SecretReference | None = None
    """Where the proxy's `user:password` is; it never stands in the URL."""
    callnums_key: CallnumsKey = CallnumsKey.CAMEL
    concurrency: int = 4
    """Calls in flight at most, 1 to 256."""
    requests_per_second: float = 20.0
    """Calls started per second at most, over the whole run; at least `SLOWEST_PACE`."""
    timeout: float = 10.0
    """Seconds one call may take in all, from connecting to the last byte of the reply; above 0."""
    run_deadline: float | None = None
    """Seconds after which a run starts no new call, counted from its first moment of sending; above 0."""

    def __post_init__(self) -> None:
        """Refuse a pace that is none, and settings that contradict each other."""
        require_whole("concurrency", self.concurrency, 1, MAX_CALLS_IN_FLIGHT)
        require_number("requests_per_second", self.requests_per_second, SLOWEST_PACE)
        require_positive("timeout", self.timeout)
        if self.run_deadline is not None:
            require_positive("run_deadline", self.run_deadline)
        if self.insecure and self.ca_file is not None:
            raise ValueError("insecure and ca_file contradict each other: what is not checked needs no authority")
        if self.proxy_credentials is not None and self.proxy is None:
            raise ValueError("proxy_credentials are for a proxy, and there is none")
