"""Servers that a site's sessions come from, as the `sessions` section of `site.yaml` says: one class per source.

Paths are kept as written; a secret never stands here, only a reference to where it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.bounds import require_positive
from reconciler.values import Struct

if TYPE_CHECKING:  # most sites have no secret
    from reconciler.model.secret_reference import SecretReference


class RedisAddress(Struct, frozen=True, kw_only=True):
    """Where a Redis server is. Its text is the URL, which holds no secret."""

    host: str
    """A name or an IP address, an IPv6 address without its brackets."""
    port: int = 6379
    database: int = 0
    tls: bool = False

    def __str__(self) -> str:
        """Return the URL, such as `rediss://redis.example:6379/0`."""
        scheme = "rediss" if self.tls else "redis"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.database}"


class AgentTemplate(Struct, frozen=True, kw_only=True):
    """A text that becomes a key or a field of Redis when `{agent}` in it is replaced by an agent's id."""

    text: str

    def __post_init__(self) -> None:
        """Refuse a text that would be the same for every agent."""
        if "{agent}" not in self.text:
            raise ValueError("it must hold {agent}, where the agent's id belongs; without it all would share a session")

    def of(self, agent: int) -> str:
        """Return the text for `agent`. Other braces stay as they are."""
        return self.text.replace("{agent}", str(agent))


class HashFields(Struct, frozen=True, kw_only=True):
    """Which fields of an agent's own hash hold what."""

    guid: str = "guid"
    cookies: str | None = None
    session: str | None = None
    """The opaque key of the sign-in, such as its time; it is recorded in the state."""


class KeyPerAgent(Struct, frozen=True, kw_only=True):
    """Each agent has a key with a string: the Guid alone, or a session as JSON."""

    key: AgentTemplate


class HashPerAgent(Struct, frozen=True, kw_only=True):
    """Each agent has a key with a hash of its own."""

    key: AgentTemplate
    fields: HashFields


class FieldPerAgent(Struct, frozen=True, kw_only=True):
    """All agents share one hash; each has a field with a string: the Guid alone, or a session as JSON."""

    hash: str
    field: AgentTemplate = AgentTemplate(text="{agent}")


RedisLayout = KeyPerAgent | HashPerAgent | FieldPerAgent


class RedisSessions(Struct, frozen=True, kw_only=True):
    """Sessions from a Redis server, where the floor's own software keeps them."""

    address: RedisAddress
    layout: RedisLayout
    username: str | None = None
    """`None`: the server's default user."""
    password: SecretReference | None = None
    ca_file: str | None = None
    """PEM file of the authorities to trust; `None` means the machine's own. Only with TLS."""
    timeout: float = 5.0
    """Seconds one batch may take in all, from connecting to the last byte; above 0."""
    client_name: str = "reconciler"
    """How the connection calls itself in the server's list of clients."""

    def __post_init__(self) -> None:
        """Refuse a time that is none, and settings that contradict each other."""
        require_positive("timeout", self.timeout)
        if self.username is not None and self.password is None:
            raise ValueError("username needs a password")
        if self.ca_file is not None and not self.address.tls:
            raise ValueError("ca_file is for rediss://; redis:// checks no certificate")


class HttpMethod(StrEnum):
    """How a session broker is asked."""

    GET = "GET"
    """`?agentId=1001&agentId=1002`."""
    POST = "POST"
    """`{"agentIds": ["1001", "1002"]}`."""


class HttpSessions(Struct, frozen=True, kw_only=True):
    """Sessions from a broker of the site's own, asked over HTTP."""

    url: str
    """`https://…`, or `http://` on this machine's loopback; without user, query or fragment."""
    method: HttpMethod = HttpMethod.GET
    token: SecretReference | None = None
    """Where the bearer token is."""
    ca_file: str | None = None
    """PEM file of the authorities to trust; `None` means the machine's own."""
    timeout: float = 10.0
    """Seconds one batch may take in all, repetitions included; above 0."""

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        require_positive("timeout", self.timeout)
