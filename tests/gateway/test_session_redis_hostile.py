"""What only claims to be Redis, and what a real one does not do on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from gateway.examples import MARKER, words_of
from gateway.servers import listen, reset
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import SessionSourceError
from reconciler.gateway import open_source
from reconciler.gateway.sessions import redis_connection, trouble
from reconciler.gateway.sessions.redis_values import MAX_VALUE
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session
from reconciler.model.session_servers import (
    AgentTemplate,
    FieldPerAgent,
    HashFields,
    HashPerAgent,
    KeyPerAgent,
    RedisAddress,
    RedisLayout,
    RedisSessions,
)

KEYS = KeyPerAgent(key=AgentTemplate(text="{agent}"))
HASHES = HashPerAgent(key=AgentTemplate(text="{agent}"), fields=HashFields(session="at"))
FLOOR = FieldPerAgent(hash="floor")
OK = b"+OK\r\n"

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "PAUSES", (0.01, 0.01))


def says(*turns: bytes) -> tuple[Talk, list[int]]:
    """A server that says the next of `turns` to each connection, the last again and again, and counts connections."""
    served: list[int] = []

    async def talk(writer: asyncio.StreamWriter) -> None:
        served.append(len(served))
        writer.write(turns[min(len(served), len(turns)) - 1])

    return talk, served


def ask(talk: Talk, layout: RedisLayout = KEYS, *, timeout: float = 5.0) -> dict[AgentId, Session | Absent]:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            await talk(writer)
            await writer.drain()
            writer.write_eof()
            await reader.read()  # until the other side hangs up
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def go() -> dict[AgentId, Session | Absent]:
        async with listen(attend, None) as port:
            address = RedisAddress(host="127.0.0.1", port=port)
            source = open_source(
                RedisSessions(address=address, layout=layout, timeout=timeout), root=Path(), environ={}
            )
            return dict(await source.fetch([AgentId(1001)]))

    return asyncio.run(go())


def refusal(talk: Talk, layout: RedisLayout = KEYS, *, timeout: float = 5.0) -> str:
    with pytest.raises(SessionSourceError) as caught:
        ask(talk, layout, timeout=timeout)
    assert caught.value.hint
    assert str(caught.value).isprintable()
    assert MARKER not in words_of(caught.value)
    return str(caught.value)


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


def test_these_servers_can_be_understood_at_all() -> None:
    talk, _ = says(OK + bulk(MARKER.encode()))

    assert ask(talk) == {1001: Session(agent=AgentId(1001), guid=MARKER)}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", id="http"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="ssh"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x16\r\n", id="tls-alert"),
        pytest.param(b"\x00" * 100_000, id="zeros"),
        pytest.param(b"x" * 100_000 + b"\r\n", id="a-line-without-end"),
        pytest.param(OK + b"$twelve\r\n", id="no-length"),
        pytest.param(OK + b"*1\r\n" * 100_000, id="nested"),
        pytest.param(OK + b":1\r\n", id="a-number"),
        pytest.param(OK + b"*1\r\n:1\r\n", id="a-list-of-numbers"),
        pytest.param(OK + b"%1\r\n+a\r\n+b\r\n", id="another-version-of-the-protocol"),
        pytest.param(OK + MARKER.encode() + b"\r\n", id="a-guid"),
    ],
)
def test_what_is_not_the_protocol_is_told(answer: bytes) -> None:
    talk, _ = says(answer)

    assert "not Redis's protocol" in refusal(talk)


@pytest.mark.parametrize(
    ("layout", "answer"),
    [
        pytest.param(KEYS, b"*1\r\n$1\r\na\r\n", id="a-list-for-a-value"),
        pytest.param(HASHES, b"$1\r\na\r\n", id="a-value-for-a-list"),
        pytest.param(HASHES, b"*1\r\n$1\r\na\r\n", id="too-few-fields"),
        pytest.param(HASHES, b"*3\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n", id="too-many-fields"),
        pytest.param(FLOOR, b"*2\r\n$1\r\na\r\n$1\r\na\r\n", id="too-many-agents"),
        pytest.param(FLOOR, b"*0\r\n", id="no-agents"),
    ],
)
def test_a_reply_to_another_question_is_refused(layout: RedisLayout, answer: bytes) -> None:
    talk, _ = says(OK + answer)

    assert "1001: is not what was asked for" in refusal(talk, layout)


def test_a_value_larger_than_it_was_asked_for_is_refused() -> None:
    talk, _ = says(OK + bulk(b"x" * (MAX_VALUE + 1)))

    assert "is larger than 16 KiB" in refusal(talk)


@pytest.mark.parametrize("beginning", [OK + b"$999999999999\r\n", OK + b"*999999999\r\n"], ids=["a-value", "a-list"])
def test_an_answer_without_end_is_left_at_its_limit(monkeypatch: pytest.MonkeyPatch, beginning: bytes) -> None:
    monkeypatch.setattr(redis_connection._BoundedReader, "_left", 200_000)
    sent = 0

    async def talk(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(beginning)
        for _ in range(1000):
            writer.write(b"$3\r\nabc\r\n" * 10_000)
            await writer.drain()
            sent += 90_000

    assert "sent more than 16 MiB" in refusal(talk)
    assert sent < 40_000_000  # what sockets hold on the way included


def test_the_limit_of_an_answer_is_as_told() -> None:
    assert redis_connection._BoundedReader._left == redis_connection.MAX_ANSWER == 16 * 1024 * 1024


def test_an_answer_that_drips_is_left_after_the_timeout() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        for byte in (OK + bulk(b"x" * 1000))[:60]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "gave no whole answer within 0.3 s" in refusal(talk, timeout=0.3)


@pytest.mark.parametrize("said", [b"", OK, OK + b"$100\r\nabc"], ids=["at-once", "after-a-reply", "in-a-value"])
def test_a_connection_that_breaks_is_tried_three_times(said: bytes) -> None:
    talk, served = says(said)

    assert "broke the connection off" in refusal(talk)
    assert len(served) == 3


def test_a_connection_that_is_reset_is_tried_again() -> None:
    served: list[int] = []

    async def talk(writer: asyncio.StreamWriter) -> None:
        served.append(1)
        if len(served) < 3:
            reset(writer)
        else:
            writer.write(OK + bulk(b"guid"))

    assert ask(talk) == {1001: Session(agent=AgentId(1001), guid="guid")}


@pytest.mark.parametrize(
    ("error", "words", "attempts"),
    [
        pytest.param(b"-LOADING Redis is loading the dataset in memory", "is loading its data", 3, id="loading"),
        pytest.param(b"-MASTERDOWN Link with MASTER is down", "a replica that has lost its master", 3, id="replica"),
        pytest.param(b"-BUSY Redis is busy running a script", "is busy with a script", 3, id="busy"),
        pytest.param(b"-MOVED 3999 10.0.0.7:6381", "one node of a Redis Cluster", 1, id="cluster"),
        pytest.param(b"-CLUSTERDOWN Hash slot not served", "one node of a Redis Cluster", 1, id="cluster-down"),
        pytest.param(b"-ERR unknown command 'GETRANGE'", "refused to be asked (ERR)", 1, id="unknown-command"),
        pytest.param(b"-OOM command not allowed", "refused to be asked (OOM)", 1, id="another-word"),
        pytest.param(b"-" + MARKER.encode(), "refused to be asked (ERR)", 1, id="a-secret-for-a-word"),
        pytest.param(b"-", "refused to be asked (ERR)", 1, id="nothing"),
    ],
)
def test_an_error_is_told_by_its_first_word(error: bytes, words: str, attempts: int) -> None:
    talk, served = says(OK + error + b"\r\n")

    assert words in refusal(talk)
    assert len(served) == attempts


def test_a_server_in_protected_mode_is_told() -> None:
    talk, _ = says(b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n")

    assert "is in protected mode" in refusal(talk)


def test_a_server_with_too_many_clients_is_told() -> None:
    talk, served = says(b"-ERR max number of clients reached\r\n")

    assert "has as many clients as it takes" in refusal(talk)
    assert len(served) == 3


def test_an_error_that_passes_is_no_error() -> None:
    talk, _ = says(OK + b"-LOADING Redis is loading\r\n", OK + bulk(b"guid"))

    assert ask(talk) == {1001: Session(agent=AgentId(1001), guid="guid")}


@settings(max_examples=60)
@given(answer=st.binary(max_size=40), layout=st.sampled_from([KEYS, HASHES, FLOOR]))
def test_whatever_a_server_says_it_is_a_session_or_an_error_of_ours(answer: bytes, layout: RedisLayout) -> None:
    talk, _ = says(OK + answer)
    with contextlib.suppress(SessionSourceError):
        ask(talk, layout, timeout=0.5)
