"""Signing in and staying signed in as values, written from the reference and not by the client's code."""

from __future__ import annotations

import json
from typing import Any

from reconciler.simulator import Gateway
from reconciler.simulator.exchange import Call, Reply
from support.calls import CONTENT_TYPE, Clock, answer, call_of, make_gateway, retcode

ROOT = "/agentgateway/resource"
BODY = {"password": "", "phonenum": "40038", "status": "4", "releasephone": "true", "agenttype": "4"}
"""The example of the page about signing in."""


def request(method: str, path: str, *, guid: str | None = None, cookie: str = "", body: object = None) -> Call:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call(method=method, path=ROOT + path, content_type=CONTENT_TYPE, guid=guid, cookie=cookie, body=content)


def sign_in(
    gateway: Gateway, agent: object = 1001, *, force: bool = False, body: object = None, **more: object
) -> Reply:
    path = f"/onlineagent/{agent}{'/forcelogin' if force else ''}"
    return answer(gateway, request("PUT", path, body={**BODY, **more} if body is None else body))


def sign_out(gateway: Gateway, guid: str | None, agent: int = 1001, *, cookie: str = "") -> Reply:
    return answer(gateway, request("DELETE", f"/onlineagent/{agent}/logout", guid=guid, cookie=cookie))


def poll(gateway: Gateway, guid: str | None, agent: int = 1001) -> Reply:
    return answer(gateway, request("GET", f"/agentevent/{agent}", guid=guid))


def heartbeat(gateway: Gateway, guid: str | None, agent: int = 1001) -> Reply:
    return answer(gateway, request("POST", f"/onlineagent/{agent}/handshake", guid=guid))


def update_guid(gateway: Gateway, guid: str | None, agent: int = 1001) -> Reply:
    return answer(gateway, request("PUT", f"/onlineagent/{agent}/updateGuid", guid=guid))


def code(reply: Reply) -> str:
    assert reply.status == 200
    return str(json.loads(reply.body)["retcode"])


def guid_in(reply: Reply) -> str | None:
    """Return the Guid that a reply tells, or `None` when it tells none."""
    told = reply.headers.get("Set-GUID")
    return None if told is None else told.removeprefix("JSESSIONID=")


def signed_in(gateway: Gateway, **more: Any) -> str:
    """Sign 1001 in by a call and return the Guid."""
    reply = sign_in(gateway, **more)
    assert code(reply) == "0"
    guid = guid_in(reply)
    assert guid is not None
    return guid


def set_numbers(gateway: Gateway, guid: str | None, *, cookie: str = "") -> str:
    return retcode(gateway, call_of(gateway, guid=guid, cookie=cookie))


def nobody(**rules: Any) -> tuple[Gateway, Clock]:
    clock = Clock()
    return make_gateway(agents=[], clock=clock, **rules), clock
