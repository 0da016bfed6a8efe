"""How agents are signed in, where a site asks for that: the `sessions` section with `source: signin`.

Rules of this file: to name this source is the opt-in, so nothing here is on by itself. The status after signing in is
no setting: a ghost that is idle gets calls (see docs/sessions.md). A password never stands here, only a reference to
where it is.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from reconciler.model.bounds import require_positive
from reconciler.values import Struct

if TYPE_CHECKING:  # most sites have no secret
    from reconciler.model.secret_reference import SecretReference


class AuthMode(IntEnum):
    """How the gateway authenticates calls: its own `AUTHMODE`."""

    STATIC = 1
    """The Guid of the sign-in stays."""
    DYNAMIC = 2
    """The Guid is replaced every minute; the new one comes with the answers that keep the session alive."""


class KeepAlive(StrEnum):
    """What is sent for an agent who stays signed in for a while, lest the gateway signs them out."""

    POLL = "poll"
    """`GET …/agentevent/…`, which the gateway answers after ten seconds when there is no event."""
    HANDSHAKE = "handshake"
    """`POST …/handshake`, which it answers at once."""


class SignInSessions(Struct, frozen=True, kw_only=True):
    """Sessions by signing agents in, one after another, each for the length of its own call."""

    credentials: SecretReference
    """Where the passwords and phone numbers are: a JSON object from agent id to `password` and `phonenum`."""
    auth_mode: AuthMode = AuthMode.DYNAMIC
    keep_alive: KeepAlive = KeepAlive.POLL
    force: bool = False
    """Throw out whoever is signed in already; only together with the flag `--force-sign-in`."""
    timeout: float = 10.0
    """Seconds one request to sign in or out may take in all; above 0."""

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        require_positive("timeout", self.timeout)
