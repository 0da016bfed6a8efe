"""How the gateway is spoken to by a run that signs agents in.

Rule of this file: values; what is sent and when is up to `door` and `held`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reconciler.gateway.protocol.reply import Reply
from reconciler.gateway.protocol.request import Request
from reconciler.gateway.protocol.verdict import Verdict
from reconciler.model.sign_in_settings import AuthMode, KeepAlive
from reconciler.values import Struct

Ask = Callable[[Request], Awaitable[tuple[Verdict, Reply | None]]]
"""Sends a request once, see `GatewayClient.ask`."""


class Wire(Struct, frozen=True, kw_only=True):
    """The way to the gateway, and how it wants to be treated."""

    url: str
    """The gateway's base."""
    enter: Ask
    """For signing in: a connection of its own, so that a sign-in without an answer holds up nobody's sign-out."""
    ask: Ask
    """For whoever is signed in."""
    wait: Ask
    """For a poll, which the gateway holds back for ten seconds."""
    mode: AuthMode
    keep_alive: KeepAlive
    every: float
    """Seconds between two keep-alives of an agent. The gateway signs out after 120 without one."""
    spacing: float
    """Seconds between two starts of signing in, at least."""
