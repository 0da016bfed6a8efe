"""Sessions from a broker over HTTP: a server of our own, real sockets, real TLS."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from gateway.examples import COOKIE, MARKER, words_of
from gateway.servers import Manner, Server, answer, free_port, listen, local_tls, reply_bytes, reset, serve, tls_for

from reconciler.errors import ExitCode, InputError, SessionSourceError
from reconciler.gateway import SessionSource, open_source
from reconciler.gateway.sessions import trouble
from reconciler.gateway.sessions.http_source import MOST_IN_A_URL
from reconciler.model.agent import AgentId
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.session_servers import HttpMethod, HttpSessions
from reconciler.values import replace

TOKEN = "t0ken.Of-th3~broker_w1th+Odd/characters=="
BOTH = [{"agentId": "1001", "guid": MARKER}, {"agentId": 1002, "guid": "two", "cookies": {"a": COOKIE}, "session": "s"}]
KNOWN = {
    1001: Session(agent=AgentId(1001), guid=MARKER),
    1002: Session(agent=AgentId(1002), guid="two", cookies={"a": COOKIE}, key="s"),
}

Sessions = Mapping[AgentId, Session | Absent]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two times of asking there is nearly no time."""
    monkeypatch.setattr(trouble, "PAUSES", (0.01, 0.01))


@pytest.fixture
def ca(ca_file: Path) -> str:
    return str(ca_file)


def settings_of(server: Server, **rest: Any) -> HttpSessions:
    return HttpSessions(**{"url": f"{server.url}/sessions", "token": SecretReference.parse("env:TOKEN"), **rest})


def opened(settings: HttpSessions, **environ: str) -> SessionSource:
    return open_source(settings, root=Path(), environ=environ or {"TOKEN": TOKEN})


async def fetch(settings: HttpSessions, *agents: int) -> Sessions:
    return await opened(settings).fetch([AgentId(agent) for agent in agents or (1001, 1002, 1003)])


def ask(manner: Manner, ca: str, *agents: int, **rest: Any) -> tuple[Sessions, Server]:
    """What the source gives when the broker has this manner, and the broker."""

    async def go() -> tuple[Sessions, Server]:
        async with serve(manner, local_tls()) as server:
            return await fetch(settings_of(server, ca_file=ca, **rest), *agents), server

    return asyncio.run(go())


def refused(manner: Manner, ca: str, **rest: Any) -> tuple[SessionSourceError, Server]:
    """The error that comes when the broker has this manner, and the broker."""

    async def go() -> tuple[SessionSourceError, Server]:
        async with serve(manner, local_tls()) as server:
            with pytest.raises(SessionSourceError) as caught:
                await fetch(settings_of(server, ca_file=ca, **rest))
            return caught.value, server

    exc, server = asyncio.run(go())
    require_told(exc)
    return exc, server


def require_told(exc: SessionSourceError) -> None:
    assert exc.exit_code is ExitCode.SESSION_SOURCE_FAILED
    assert exc.hint
    assert str(exc).isprintable()
    for secret in (MARKER, COOKIE, TOKEN):
        assert secret not in words_of(exc)


def said(body: bytes | str | Sequence[Any], status: str = "200 OK", *headers: str) -> Manner:
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    return answer(body.encode() if isinstance(body, str) else body, status, *headers)


def in_turn(*manners: Manner) -> Manner:
    """The first manner for the first request, and so on; the last for all that follow."""
    waiting = list(manners)

    async def take(writer: asyncio.StreamWriter) -> None:
        manner = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        await manner(writer)

    return take


# What is asked.


def test_a_batch_is_one_get_with_every_agent_once(ca: str) -> None:
    sessions, server = ask(said(BOTH), ca, 1001, 1002, 1003, 1001)

    assert sessions == KNOWN
    (request,) = server.requests
    line, *headers = request.decode().split("\r\n")
    assert line == "GET /sessions?agentId=1001&agentId=1002&agentId=1003 HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in headers
    assert {"Accept-Encoding: identity", "User-Agent: reconciler"} <= set(headers)


def test_a_batch_is_one_post_with_every_agent_once(ca: str) -> None:
    sessions, server = ask(said(BOTH), ca, 1002, 1001, 1002, method=HttpMethod.POST)

    assert sessions == KNOWN
    (request,) = server.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    assert head.startswith("POST /sessions HTTP/1.1\r\n")
    assert "Content-Type: application/json" in head
    assert json.loads(body) == {"agentIds": ["1002", "1001"]}


def test_without_a_token_none_is_sent(ca: str) -> None:
    _, server = ask(said([]), ca, token=None)

    assert b"authorization" not in server.requests[0].lower()


def test_plain_http_on_this_machine_is_asked_too() -> None:
    async def go() -> Sessions:
        async with serve(said(BOTH), None) as server:
            return await fetch(HttpSessions(url=f"http://127.0.0.1:{server.port}"))

    assert asyncio.run(go()) == KNOWN


def test_nobody_asked_for_is_nothing_asked(ca: str) -> None:
    async def go() -> tuple[Sessions, Server]:
        async with serve(said(BOTH), local_tls()) as server:
            return await opened(settings_of(server, ca_file=ca)).fetch([]), server

    assert asyncio.run(go())[0] == {}
    assert asyncio.run(go())[1].connections == 0


def test_of_a_get_the_longest_url_stays_within_eight_kilobytes(ca: str) -> None:
    agents = range(100_000, 100_000 + MOST_IN_A_URL)
    _, server = ask(said([]), ca, *agents)

    assert len(server.requests[0].split(b"\r\n")[0]) < 8_000


def test_a_source_says_how_many_agents_fit_into_a_url() -> None:
    url = "https://broker.example/sessions"

    assert opened(HttpSessions(url=url)).most_at_once == MOST_IN_A_URL
    assert opened(HttpSessions(url=url, method=HttpMethod.POST)).most_at_once is None


def test_no_proxy_of_the_environment_is_used(ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")

    assert ask(said(BOTH), ca)[0] == KNOWN


def test_no_cookie_is_kept(ca: str) -> None:
    async def go() -> Server:
        async with serve(said([], "200 OK", "Set-Cookie: a=b; Path=/"), local_tls()) as server:
            source = opened(settings_of(server, ca_file=ca))
            for _ in range(2):
                await source.fetch([AgentId(1001)])
            return server

    assert [b"cookie" in request.lower() for request in asyncio.run(go()).requests] == [False, False]


# What is understood.


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps(BOTH), id="array"),
        pytest.param("\ufeff \n" + json.dumps(BOTH, indent=2), id="array-with-a-mark-and-blanks"),
        pytest.param("\n".join(map(json.dumps, BOTH)), id="one-a-line"),
        pytest.param("\r\n".join(map(json.dumps, BOTH)) + "\r\n", id="one-a-line-with-returns"),
        pytest.param(json.dumps([*BOTH, {"agentId": "777", "guid": "nobody-asked"}]), id="more-than-asked-for"),
    ],
)
def test_sessions_come_as_an_array_or_one_a_line(ca: str, body: str) -> None:
    assert ask(said(body), ca)[0] == KNOWN


def test_an_empty_array_is_a_floor_where_nobody_is_signed_in(ca: str) -> None:
    assert ask(said("[]"), ca)[0] == {}


def test_a_label_of_another_kind_does_not_matter(ca: str) -> None:
    body = json.dumps(BOTH).encode()

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    assert ask(speak, ca)[0] == KNOWN


# What is refused.

PAGE = f"<html>{TOKEN} {MARKER}</html>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(PAGE, "answered HTML or XML", id="html"),
        pytest.param(f"\n  <?xml?>{TOKEN}", "answered HTML or XML", id="xml"),
        pytest.param("", "answered an empty body", id="empty"),
        pytest.param(" \r\n", "answered an empty body", id="blank"),
        pytest.param("null", "line 1: is not an object", id="null"),
        pytest.param(f'"{MARKER}"', "line 1: is not an object", id="text"),
        pytest.param(f"{MARKER}", "line 1: is not JSON", id="a-guid"),
        pytest.param(f'{{"sessions": [{{"guid": "{MARKER}"}}]}}', "has a key that is none of agentId", id="wrapped"),
        pytest.param(f'[{{"agentId": "1001", "guid": "{MARKER}"', "is not JSON (line 1", id="cut"),
        pytest.param(f'[{{"agentId": "1001", "guid": "{MARKER}\\r\\nX: y"}}]', "entry 1: guid", id="header-injection"),
        pytest.param(f'[{{"agentId": "99", "guid": "{MARKER}"}}]', "entry 1: agentId", id="unknown-agent"),
        pytest.param(f'[{{"agentId": true, "guid": "{MARKER}"}}]', "entry 1: agentId", id="agent-true"),
        pytest.param('[{"agentId": "1001", "guid": 7}]', "entry 1: guid", id="number"),
        pytest.param(json.dumps([*BOTH, BOTH[0]]), "has agent 1001 twice, in entry 1 and entry 3", id="duplicate"),
        pytest.param(f'[{{"agentId": "1001", "guid": "a", "guid": "{MARKER}"}}]', "has a key twice", id="key-twice"),
        pytest.param(b"[\xff]", "line 1: is not UTF-8", id="bytes"),
        pytest.param("[" * 100_000, "is nested too deeply", id="nested"),
        pytest.param("[" + "9" * 5_000 + "]", "has a number that is too long", id="long-number"),
    ],
)
def test_an_answer_that_is_no_sessions_is_refused_at_once(ca: str, body: str | bytes, words: str) -> None:
    exc, server = refused(said(body), ca)

    assert words in str(exc)
    assert f"the session broker {server.url}/sessions" in str(exc)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param("401 Unauthorized", "does not accept the token (HTTP 401)", id="401"),
        pytest.param("403 Forbidden", "forbids it", id="403"),
        pytest.param("404 Not Found", "has nothing at this path (HTTP 404)", id="404"),
        pytest.param("405 Method Not Allowed", "does not take this method (HTTP 405)", id="405"),
        pytest.param("413 Content Too Large", "finds the question too large (HTTP 413)", id="413"),
        pytest.param("414 URI Too Long", "finds the question too long (HTTP 414)", id="414"),
        pytest.param("418 Teapot", "answered HTTP 418", id="418"),
        pytest.param("204 No Content", "answered HTTP 204", id="204"),
        pytest.param("206 Partial Content", "answered HTTP 206", id="206"),
    ],
)
def test_a_status_that_refuses_is_told_once_and_its_body_never(ca: str, status: str, words: str) -> None:
    exc, server = refused(said("" if status.startswith("204") else PAGE, status), ca)

    assert words in str(exc)
    assert len(server.requests) == 1


def test_a_broker_that_wants_a_token_and_gets_none_is_told(ca: str) -> None:
    exc, _ = refused(said(PAGE, "401 Unauthorized"), ca, token=None)

    assert "wants a token, and none is given" in str(exc)
    assert "sessions.token" in exc.hint


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(ca: str, status: str) -> None:
    async def go() -> tuple[SessionSourceError, Server]:
        async with serve(said(BOTH), local_tls()) as elsewhere:
            manner = said("", status, f"Location: {elsewhere.url}/{TOKEN}")
            async with serve(manner, local_tls()) as server:
                with pytest.raises(SessionSourceError) as caught:
                    await fetch(settings_of(server, ca_file=ca))
            return caught.value, elsewhere

    exc, elsewhere = asyncio.run(go())

    require_told(exc)
    assert "which is not followed with a token" in str(exc)
    assert elsewhere.connections == 0


def test_a_compressed_answer_is_not_unpacked(ca: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000 + json.dumps(BOTH).encode())

    exc, _ = refused(said(bomb, "200 OK", "Content-Encoding: gzip"), ca)

    assert "a compressed body, though none was asked for" in str(exc)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "until-the-end"])
def test_an_answer_of_a_hundred_megabytes_is_left_at_its_limit(ca: str, *, announced: bool) -> None:
    sent = 0

    async def speak(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        length = b"Content-Length: 100000000\r\n" if announced else b""
        writer.write(b"HTTP/1.1 200 OK\r\n%sConnection: close\r\n\r\n[" % length)
        for _ in range(1000):
            writer.write(b" " * 100_000)
            await writer.drain()
            await asyncio.sleep(0)  # the loop's turn to say that nobody listens: till then bytes go nowhere, and count
            sent += 100_000
        writer.close()

    exc, _ = refused(speak, ca)

    assert "answered more than 16 MiB" in str(exc)
    assert sent < 40_000_000  # what sockets hold on the way included


def test_an_answer_that_drips_is_left_after_the_timeout(ca: str) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        for byte in reply_bytes(b"[" + b" " * 1000 + b"]"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    exc, server = refused(speak, ca, timeout=0.5)

    assert "gave no whole answer within 0.5 s" in str(exc)
    assert len(server.requests) == 1


# What may pass.


@pytest.mark.parametrize(
    "status", ["429 Too Many", "408 Timeout", "500 Error", "502 Bad Gateway", "503 Unavailable", "504 Timeout"]
)
def test_trouble_that_may_pass_is_tried_three_times(ca: str, status: str) -> None:
    exc, server = refused(said(PAGE, status), ca)

    assert f"is in trouble (HTTP {status[:3]})" in str(exc)
    assert len(server.requests) == 3


def test_trouble_that_passes_is_no_error(ca: str) -> None:
    sessions, server = ask(in_turn(said(PAGE, "502 Bad Gateway"), said("", "429 Slow"), said(BOTH)), ca)

    assert sessions == KNOWN
    assert len(server.requests) == 3


def test_a_connection_that_is_reset_is_tried_again(ca: str) -> None:
    async def break_off(writer: asyncio.StreamWriter) -> None:
        reset(writer)

    assert ask(in_turn(break_off, said(BOTH)), ca)[0] == KNOWN


@pytest.mark.parametrize("wish", ["60", "9" * 20, "Wed, 21 Oct 2099 07:28:00 GMT"], ids=["seconds", "endless", "date"])
def test_a_wish_to_be_left_alone_beyond_the_timeout_ends_it_at_once(ca: str, wish: str) -> None:
    exc, server = refused(said("", "503 Unavailable", f"Retry-After: {wish}"), ca, timeout=20.0)

    assert "is in trouble (HTTP 503)" in str(exc)
    assert len(server.requests) == 1


@pytest.mark.parametrize("wish", ["-1", "soon", "", "1e9"])
def test_a_wish_that_is_garbage_is_none(ca: str, wish: str) -> None:
    sessions, _ = ask(in_turn(said("", "503 Unavailable", f"Retry-After: {wish}"), said(BOTH)), ca)

    assert sessions == KNOWN


def test_a_short_wish_to_be_left_alone_is_kept(ca: str) -> None:
    asked: list[float] = []

    def noting(manner: Manner) -> Manner:
        async def speak(writer: asyncio.StreamWriter) -> None:
            asked.append(asyncio.get_running_loop().time())
            await manner(writer)

        return speak

    ask(in_turn(noting(said("", "503 Unavailable", "Retry-After: 1")), noting(said(BOTH))), ca)

    assert asked[1] - asked[0] >= 1.0


# The way there.


def test_a_broker_that_is_down_is_told() -> None:
    settings = HttpSessions(url=f"https://127.0.0.1:{free_port()}")

    with pytest.raises(SessionSourceError, match="refused the connection") as caught:
        asyncio.run(fetch(settings))
    require_told(caught.value)


@pytest.mark.parametrize(
    ("names", "trusted", "words"),
    [
        pytest.param(("127.0.0.1",), False, "not signed by a trusted authority", id="unknown-authority"),
        pytest.param(("broker.example",), True, "a certificate for another name", id="wrong-name"),
    ],
)
def test_who_is_not_to_be_trusted_is_sent_nothing(
    ca: str, names: tuple[str, ...], *, trusted: bool, words: str
) -> None:
    async def go() -> tuple[SessionSourceError, Server]:
        async with serve(said(BOTH), tls_for(*names)) as server:
            settings = settings_of(server, ca_file=ca if trusted else None)
            with pytest.raises(SessionSourceError) as caught:
                await fetch(settings)
            return caught.value, server

    exc, server = asyncio.run(go())

    require_told(exc)
    assert words in str(exc)
    assert server.requests == []


def test_a_port_that_speaks_plain_http_is_told(ca: str) -> None:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply_bytes(status="400 Bad Request"))
        await writer.drain()
        writer.transport.abort()

    async def go() -> SessionSourceError:
        async with listen(attend, None) as port:
            with pytest.raises(SessionSourceError) as caught:
                await fetch(HttpSessions(url=f"https://127.0.0.1:{port}", ca_file=ca))
            return caught.value

    exc = asyncio.run(go())
    require_told(exc)
    assert "does not speak TLS on the port of sessions.url" in str(exc)


def test_a_plain_question_to_a_tls_port_is_told() -> None:
    async def go() -> SessionSourceError:
        async with serve(said(BOTH), local_tls()) as server:
            settings = replace(settings_of(server), url=f"http://127.0.0.1:{server.port}")
            with pytest.raises(SessionSourceError) as caught:
                await fetch(settings)
            return caught.value

    require_told(asyncio.run(go()))


def test_a_ca_file_that_is_missing_is_named_as_sessions_own() -> None:
    with pytest.raises(InputError, match=r"sessions\.ca_file absent\.pem cannot be read"):
        opened(HttpSessions(url="https://broker.example", ca_file="absent.pem"))


# The token.


def test_a_missing_token_fails_before_anything_is_asked() -> None:
    settings = HttpSessions(url="https://broker.example", token=SecretReference.parse("env:BROKER_TOKEN"))

    with pytest.raises(SessionSourceError) as caught:
        opened(settings)

    assert str(caught.value) == "sessions.token: env:BROKER_TOKEN: the environment variable is not set"


@pytest.mark.parametrize(
    "token", [f"Bearer {TOKEN}", "tökèn", f"{TOKEN} b", f" {TOKEN}"], ids=["word", "letters", "blank", "before"]
)
def test_what_is_no_token_is_refused_before_anything_is_asked(token: str) -> None:
    settings = HttpSessions(url="https://broker.example", token=SecretReference.parse("env:TOKEN"))

    with pytest.raises(SessionSourceError, match="is no bearer token") as caught:
        opened(settings, TOKEN=token)

    assert token not in words_of(caught.value)
    require_told(caught.value)


def test_a_source_shows_no_secret() -> None:
    settings = HttpSessions(url="https://broker.example", token=SecretReference.parse("env:TOKEN"))

    assert TOKEN not in f"{opened(settings)!r} {opened(settings)}"
