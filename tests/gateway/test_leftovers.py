"""What a server says too much: it is nobody's answer, and least of all the next agent's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gateway.examples import client_of, make_request
from gateway.servers import SUCCESS, Manner, answer, local_tls, reply_bytes, serve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.gateway import Acknowledged, Refused, Verdict
from reconciler.model.gateway_settings import GatewaySettings

REFUSED = b'{"retcode": "106-011", "message": "no skill queue"}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n26\r\n" + SUCCESS + b"\r\n0\r\n\r\n"


def saying(*parts: bytes) -> Manner:
    async def speak(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)  # a TLS record each
        await writer.drain()

    return speak


async def two_calls(first: Manner, ca_file: Path) -> list[Verdict]:
    """Call for two agents, one after the other; the second is refused by the gateway."""
    manners = iter([first, answer(REFUSED)])

    async def turn(writer: asyncio.StreamWriter) -> None:
        await next(manners)(writer)

    async with serve(turn, local_tls()) as server:
        settings = GatewaySettings(url=server.url, concurrency=1)
        async with client_of(settings, ca_file) as client:
            verdicts = [await client.call(make_request(server.url, agent=agent)) for agent in (1001, 1002)]
        assert [sum(f"/{agent}/".encode() in each for each in server.requests) for agent in (1001, 1002)] == [1, 1]
    return verdicts


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([reply_bytes() + reply_bytes()], id="in-one-piece"),
        pytest.param([reply_bytes(), reply_bytes()], id="in-a-record-of-its-own"),
        pytest.param([CHUNKED + CHUNKED], id="chunked"),
        pytest.param([reply_bytes(SUCCESS + b" " * 60_000), b"", reply_bytes()], id="behind-a-large-one"),
        pytest.param([reply_bytes()[:-1], b"}" + reply_bytes()], id="with-the-last-byte-of-the-first"),
        pytest.param([reply_bytes() + b"\r\n\r\n" + reply_bytes()], id="behind-blank-lines"),
        pytest.param([reply_bytes() + b"HTTP/1.1 100 Continue\r\n\r\n" + reply_bytes()], id="behind-an-interim-reply"),
        pytest.param([reply_bytes() + b"HTTP/1.1 200 OK\r\nContent-Le"], id="half-a-reply"),
        pytest.param([reply_bytes().replace(b"Length: 38", b"Length: 15") + reply_bytes()], id="longer-than-announced"),
    ],
)
def test_a_reply_too_many_is_not_the_answer_to_the_next_agents_call(ca_file: Path, parts: list[bytes]) -> None:
    _, second = asyncio.run(two_calls(saying(*parts), ca_file))

    assert isinstance(second, Refused), second


@given(st.binary(min_size=1, max_size=40))
def test_whatever_follows_a_reply_is_not_heard_by_the_next_call(ca_file: Path, rest: bytes) -> None:
    verdicts = asyncio.run(two_calls(saying(reply_bytes() + rest), ca_file))

    assert [Acknowledged, Refused] == [type(each) for each in verdicts]


def test_a_reply_that_comes_before_any_call_is_nobodys(ca_file: Path) -> None:
    async def late(writer: asyncio.StreamWriter) -> None:
        writer.write(reply_bytes())
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(reply_bytes())
        await writer.drain()

    async def run() -> None:
        manners = iter([late, answer(REFUSED)])
        heard = asyncio.Event()

        async def turn(writer: asyncio.StreamWriter) -> None:
            await next(manners)(writer)
            heard.set()

        async with serve(turn, local_tls()) as server:
            async with client_of(GatewaySettings(url=server.url, concurrency=1), ca_file) as client:
                assert isinstance(await client.call(make_request(server.url)), Acknowledged)
                await heard.wait()
                await asyncio.sleep(0.05)
                assert isinstance(await client.call(make_request(server.url)), Refused)
            assert server.connections == 2

    asyncio.run(run())
