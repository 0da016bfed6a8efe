"""A session, a request and a site to test with; the marker is what must never be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from reconciler.gateway import GatewayAccess, GatewayClient, Request, build_request, open_access
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.session import Session
from reconciler.values import replace

MARKER = "5ec2e7aa8e92f0d1c3b4a5968778695a4b3c2d1e0f.AgentGateway0"
COOKIE = "c00c1e5ec2e7"
URL = "https://gateway.example:8043"
PATH = "/agentgateway/resource/mediacall/1001/setcallnumsbymediatype"

# Laws are about values, not about how busy the machine is.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = Concurrency.of(25, {Channel.SMS: 6, Channel.WEB_CHAT: 9})


def make_session(*, agent: int = 1001, guid: str = MARKER, cookies: dict[str, str] | None = None) -> Session:
    return Session(agent=AgentId(agent), guid=guid, cookies=cookies or {})


def make_request(
    url: str = URL, *, agent: int = 1001, guid: str = MARKER, cookies: dict[str, str] | None = None
) -> Request:
    return build_request(url, make_session(agent=agent, guid=guid, cookies=cookies), NUMBERS, CallnumsKey.CAMEL)


def access_to(settings: GatewaySettings, ca_file: Path | None = None) -> GatewayAccess:
    """The way to a gateway whose authority is in `ca_file`; paths in the settings are absolute."""
    ca = None if ca_file is None else str(ca_file)
    return open_access(replace(settings, ca_file=ca or settings.ca_file), root=Path(), environ={})


def client_of(settings: GatewaySettings, ca_file: Path | None = None, **rest: Any) -> GatewayClient:
    return GatewayClient(settings, access=access_to(settings, ca_file), **rest)


def chain_of(exc: BaseException | None) -> list[BaseException]:
    """The exception with everything it was raised from or while handling."""
    chain: list[BaseException] = []
    waiting = [exc]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in chain:
            chain.append(link)
            waiting += [link.__cause__, link.__context__]
    return chain


def words_of(exc: BaseException) -> str:
    """Everything a careless log could say of the exception."""
    return "\n".join(f"{link} {link!r} {vars(link)}" for link in chain_of(exc))
