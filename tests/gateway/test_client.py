from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from gateway.examples import COOKIE, MARKER, PATH, URL, client_of, make_request
from gateway.servers import answer, local_tls, serve

from reconciler.gateway import (
    REPLIES,
    Acknowledged,
    GatewayClient,
    NotSignedIn,
    Refused,
    Request,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
)
from reconciler.model.gateway_settings import GatewaySettings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def client_over_respx(*, concurrency: int = 4, **rest: Any) -> GatewayClient:
    """A client whose transport is the library's own, which respx takes the place of."""
    settings = GatewaySettings(url=URL, concurrency=concurrency)
    return client_of(settings, transport=httpx.AsyncHTTPTransport(), **rest)


async def call(request: Request | None = None) -> Verdict:
    async with client_over_respx(now=lambda: NOW) as client:
        return await client.call(request or make_request())


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(httpx.Response(200, json={"retcode": "0"}), Acknowledged, id="success"),
        pytest.param(httpx.Response(200, json={"retcode": "100-006"}), NotSignedIn, id="not-signed-in"),
        pytest.param(httpx.Response(200, json={"retcode": "000-003"}), SessionExpired, id="session-expired"),
        pytest.param(httpx.Response(200, json={"retcode": "000-007"}), Transient, id="busy"),
        pytest.param(httpx.Response(200, json={"retcode": "106-011"}), Refused, id="no-skill"),
        pytest.param(httpx.Response(200, html="<html>"), Unanswered, id="html"),
        pytest.param(httpx.Response(204), Unanswered, id="no-content"),
        pytest.param(httpx.Response(302, headers={"Location": "/login"}), Refused, id="redirect"),
        pytest.param(httpx.Response(404), Refused, id="not-found"),
        pytest.param(httpx.Response(502), Transient, id="bad-gateway"),
    ],
)
def test_a_reply_becomes_its_verdict(response: httpx.Response, kind: type[Verdict]) -> None:
    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).mock(return_value=response)
        verdict = asyncio.run(call())

    assert isinstance(verdict, kind)


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        pytest.param(httpx.ConnectError("x"), Transient, id="connect-error"),
        pytest.param(httpx.ConnectTimeout("x"), Transient, id="connect-timeout"),
        pytest.param(httpx.PoolTimeout("x"), Transient, id="pool-timeout"),
        pytest.param(httpx.ReadTimeout("x"), Unanswered, id="read-timeout"),
        pytest.param(httpx.WriteError("x"), Unanswered, id="write-error"),
        pytest.param(httpx.RemoteProtocolError("x"), Unanswered, id="protocol-error"),
        pytest.param(ssl.SSLError("x"), Unanswered, id="tls-error"),
        pytest.param(httpx.LocalProtocolError("x"), Refused, id="unsendable"),
    ],
)
def test_an_exception_of_the_library_becomes_its_verdict(exc: Exception, kind: type[Verdict]) -> None:
    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).mock(side_effect=exc)
        verdict = asyncio.run(call())

    assert isinstance(verdict, kind)
    assert not isinstance(verdict, Transient) or not verdict.sent_maybe


def test_a_bug_of_ours_is_not_taken_for_the_world() -> None:
    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).mock(side_effect=ZeroDivisionError)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(call())


def test_the_request_goes_out_as_it_was_built() -> None:
    request = make_request(cookies={"JSESSIONID": COOKIE})
    with respx.mock(base_url=URL) as gateway:
        route = gateway.post(PATH).respond(json={"retcode": "0"})
        asyncio.run(call(request))

    sent = route.calls.last.request
    assert request.body == sent.content
    for name, value in {**dict(request.headers), "Accept-Encoding": "identity", "User-Agent": "reconciler"}.items():
        assert [value] == sent.headers.get_list(name)


def test_retry_after_is_read_against_the_clients_clock() -> None:
    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).respond(429, headers={"Retry-After": "Fri, 02 Jan 2026 03:04:25 GMT"})
        verdict = asyncio.run(call())

    assert isinstance(verdict, Transient)
    assert verdict.retry_after == 20.0


def test_without_a_clock_the_client_takes_the_machines() -> None:
    async def run() -> Verdict:
        async with client_over_respx() as client:
            return await client.call(make_request())

    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).respond(503, headers={"Retry-After": "Fri, 02 Jan 2026 03:04:25 GMT"})
        verdict = asyncio.run(run())

    assert isinstance(verdict, Transient)
    assert verdict.retry_after is None


def test_a_server_that_repeats_the_guid_is_not_quoted() -> None:
    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).respond(json={"retcode": "000-003", "message": f"no such guid: {MARKER}"})
        verdict = asyncio.run(call())

    assert MARKER not in repr(verdict)
    assert "withheld" in verdict.message


@pytest.mark.parametrize("spell", [str, str.upper], ids=["as-it-is", "upper-case"])
def test_a_server_that_repeats_another_agents_guid_is_not_quoted(spell: Callable[[str], str]) -> None:
    other = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.AgentGateway1"

    async def run() -> Verdict:
        async with client_over_respx() as client:
            await client.call(make_request(guid=other))
            return await client.call(make_request())

    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).respond(json={"retcode": "000-003", "message": f"session {spell(other)} has expired"})
        verdict = asyncio.run(run())

    assert other.casefold() not in repr(verdict).casefold()
    assert "withheld" in verdict.message


def test_the_guid_of_a_call_that_still_waits_for_its_answer_is_not_quoted() -> None:
    other = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.AgentGateway1"
    both_wait = asyncio.Barrier(2)

    async def answer_once_both_wait(_: httpx.Request) -> httpx.Response:
        await both_wait.wait()
        return httpx.Response(200, json={"retcode": "000-003", "message": f"not {other}"})

    async def run() -> list[Verdict]:
        async with client_over_respx(concurrency=2) as client:
            return list(await asyncio.gather(client.call(make_request()), client.call(make_request(guid=other))))

    with respx.mock(base_url=URL) as gateway:
        gateway.post(PATH).mock(side_effect=answer_once_both_wait)
        verdicts = asyncio.run(run())

    assert other not in repr(verdicts)


@pytest.mark.parametrize(
    "guid",
    ["Ü" + MARKER, MARKER + "\r\nX-Evil: 1", MARKER + "\0", " " + MARKER],
    ids=["not-ascii", "line-break", "nul", "blank"],
)
def test_a_guid_that_cannot_be_a_header_is_refused_and_not_shown(ca_file: Path, guid: str) -> None:
    async def run() -> Verdict:
        async with serve(answer(), local_tls()) as server:
            async with client_of(GatewaySettings(url=server.url), ca_file) as client:
                verdict = await client.call(make_request(server.url, guid=guid))
            assert server.requests == []
        return verdict

    verdict = asyncio.run(run())

    assert isinstance(verdict, Refused)
    assert MARKER not in repr(verdict)


def test_a_transport_and_a_table_can_be_handed_in() -> None:
    async def run() -> Verdict:
        body = httpx.ByteStream(b'{"retcode": "7-7"}')
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))
        table = {"7-7": REPLIES["100-006"]}
        async with client_of(GatewaySettings(url=URL), table=table, transport=transport) as client:
            return await client.call(make_request())

    assert isinstance(asyncio.run(run()), NotSignedIn)
