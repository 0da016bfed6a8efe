"""One call as a server receives it over TLS, to the byte: written from the reference, not with the client's code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gateway.examples import client_of
from gateway.servers import answer, local_tls, serve

from reconciler.gateway import build_request
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.session import Session

GUID = "cf47e0f1-6b7c-4f6e-8c1d-2f3a4b5c6d7e.AgentGateway0"
CAMEL = (
    b'{"totalCallNum": 25, "agentMediaCallNums": [{"mediaType": 51, "callNums": 9}, {"mediaType": 52, "callNums": 6}]}'
)
LOWER = (
    b'{"totalCallNum": 25, "agentMediaCallNums": [{"mediaType": 51, "callnums": 9}, {"mediaType": 52, "callnums": 6}]}'
)


async def received(
    ca_file: Path, *, key: CallnumsKey = CallnumsKey.CAMEL, cookies: dict[str, str] | None = None
) -> tuple[int, list[bytes]]:
    """Make one call for agent 1001, and return the server's port and what came in there."""
    numbers = Concurrency.of(25, {Channel.SMS: 6, Channel.WEB_CHAT: 9})
    async with serve(answer(), local_tls()) as server:
        session = Session(agent=AgentId(1001), guid=GUID, cookies=cookies or {})
        async with client_of(GatewaySettings(url=server.url), ca_file) as client:
            await client.call(build_request(server.url, session, numbers, key))
    return server.port, server.requests


@pytest.mark.parametrize(
    ("key", "body"), [(CallnumsKey.CAMEL, CAMEL), (CallnumsKey.LOWER, LOWER)], ids=["callNums", "callnums"]
)
def test_one_call_is_one_request_of_exactly_these_bytes(ca_file: Path, key: CallnumsKey, body: bytes) -> None:
    port, requests = asyncio.run(received(ca_file, key=key))

    (request,) = requests
    head, _, sent = request.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    assert first == b"POST /agentgateway/resource/mediacall/1001/setcallnumsbymediatype HTTP/1.1"
    assert sorted(headers) == [
        b"Accept-Encoding: identity",
        b"Accept: application/json",
        b"Connection: keep-alive",
        b"Content-Length: 112",
        b"Content-Type: application/json; charset=UTF-8",
        b"Guid: " + GUID.encode(),
        b"Host: 127.0.0.1:%d" % port,
        b"User-Agent: reconciler",
    ]
    assert sent == body


def test_the_cookies_of_a_session_travel_in_one_header(ca_file: Path) -> None:
    _, requests = asyncio.run(received(ca_file, cookies={"JSESSIONID": "a", "route": "b=1"}))

    lines = requests[0].split(b"\r\n")
    assert [line for line in lines if line.lower().startswith(b"cookie")] == [b"Cookie: JSESSIONID=a; route=b=1"]
