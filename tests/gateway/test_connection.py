"""The client against real sockets: what is sent, what is not, and what is made of rude servers."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from gateway.examples import COOKIE, MARKER, access_to, client_of, make_request
from gateway.servers import (
    SUCCESS,
    answer,
    authority,
    free_port,
    listen,
    local_tls,
    reply_bytes,
    reset,
    serve,
    tls_for,
)

from reconciler.gateway import (
    Acknowledged,
    FailureKind,
    Misconfigured,
    Refused,
    Reply,
    Request,
    Transient,
    Unanswered,
    Verdict,
)
from reconciler.gateway.connection import Connection
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol.reply import MAX_BODY
from reconciler.model.gateway_settings import GatewaySettings


async def call_once(url: str, ca: Path | None, *, timeout: float = 5.0, request: Request | None = None) -> Verdict:  # noqa: ASYNC109 - a setting of the gateway
    settings = GatewaySettings(url=url, timeout=timeout)
    async with client_of(settings, ca) as client:
        return await client.call(request or make_request(url))


def test_a_gateway_signed_by_the_ca_file_is_trusted(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            assert Acknowledged(message="success") == await call_once(server.url, ca_file)
            assert make_request().body in server.requests[0]

    asyncio.run(run())


def expired() -> ssl.SSLContext:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    return tls_for(leaf=authority().issue_cert("127.0.0.1", not_before=moment, not_after=moment.replace(month=2)))


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        pytest.param(lambda: tls_for("127.0.0.1", ca=trustme.CA()), "gateway.ca_file", id="unknown-authority"),
        pytest.param(lambda: tls_for("gateway.example"), "another name", id="wrong-name"),
        pytest.param(lambda: tls_for("127.0.0.2"), "another name", id="wrong-address"),
        pytest.param(expired, "expired", id="expired"),
        pytest.param(lambda: None, "plain HTTP", id="plain-http-on-the-port"),
    ],
)
def test_a_gateway_that_is_not_trusted_stops_the_run_and_gets_no_guid(
    ca_file: Path, tls: Callable[[], ssl.SSLContext | None], words: str
) -> None:
    async def bad_request(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> None:
        context = tls()
        if context is None:
            async with listen(bad_request, None) as port:
                verdict = await call_once(f"https://127.0.0.1:{port}", ca_file)
        else:
            async with serve(answer(), context) as server:
                verdict = await call_once(server.url, ca_file)
                assert server.requests == []
        assert isinstance(verdict, Misconfigured)
        assert words in verdict.message

    asyncio.run(run())


def test_without_a_ca_file_a_private_authority_is_not_trusted() -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            verdict = await call_once(server.url, None)
        assert isinstance(verdict, Misconfigured)
        assert "gateway.ca_file" in verdict.message

    asyncio.run(run())


def test_a_redirect_is_not_followed(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as target:
            location = f"Location: {target.url}/?guid={MARKER}"
            async with serve(answer(b"", "307 Temporary Redirect", location), local_tls()) as server:
                verdict = await call_once(server.url, ca_file)
            assert (target.connections, len(target.requests)) == (0, 0)
            assert isinstance(verdict, Refused)
            assert target.url in verdict.message
            assert MARKER not in verdict.message

    asyncio.run(run())


def test_a_dripping_server_meets_the_deadline_of_the_whole_call(ca_file: Path) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in reply_bytes():
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.1)

    async def run() -> None:
        async with serve(drip, local_tls()) as server:
            start = time.monotonic()
            verdict = await call_once(server.url, ca_file, timeout=1.0)
            assert time.monotonic() - start < 5.0
        assert isinstance(verdict, Unanswered)
        assert "gateway.timeout" in verdict.message

    asyncio.run(run())


def test_a_later_call_over_the_same_connection_has_all_of_its_own_time(ca_file: Path) -> None:
    answered: list[bool] = []

    async def once(writer: asyncio.StreamWriter) -> None:
        if not answered:
            await answer()(writer)
        answered.append(True)

    async def run() -> None:
        async with serve(once, local_tls()) as server:
            connection = Connection(access_to(GatewaySettings(url=server.url), ca_file), timeout=0.4)
            assert isinstance(await connection.exchange(make_request(server.url)), Reply)
            await asyncio.sleep(0.2)
            started = time.monotonic()
            late = await connection.exchange(make_request(server.url))
            seconds = time.monotonic() - started
            await connection.close()
            assert Failure(FailureKind.TIMEOUT) == late
            assert 0.4 <= seconds < 2
            assert server.connections == 1

    asyncio.run(run())


def test_one_alarm_serves_all_calls_of_a_connection(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        set_alarm = loop.call_at

        def count(when: float, callback: Callable[..., object], *args: Any, **named: Any) -> asyncio.TimerHandle:
            alarms.append(callback.__qualname__)
            return set_alarm(when, callback, *args, **named)

        monkeypatch.setattr(loop, "call_at", count)
        async with serve(answer(), local_tls()) as server:
            connection = Connection(access_to(GatewaySettings(url=server.url), ca_file), timeout=5.0)
            for _ in range(20):
                assert isinstance(await connection.exchange(make_request(server.url)), Reply)
            await connection.close()

    asyncio.run(run())
    assert alarms.count("Wire._ring") == 1


def test_the_alarm_of_a_connection_ends_with_it(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[asyncio.TimerHandle] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        set_alarm = loop.call_at

        def keep(when: float, callback: Callable[..., object], *args: Any, **named: Any) -> asyncio.TimerHandle:
            handle = set_alarm(when, callback, *args, **named)
            alarms.extend([handle] if callback.__qualname__ == "Wire._ring" else [])
            return handle

        monkeypatch.setattr(loop, "call_at", keep)
        async with serve(answer(status="503 Busy"), local_tls()) as server:
            connection = Connection(access_to(GatewaySettings(url=server.url), ca_file), timeout=5.0)
            await connection.exchange(make_request(server.url))
            await connection.close()

    asyncio.run(run())
    assert [alarm.cancelled() for alarm in alarms] == [True]


def test_a_server_that_never_shakes_hands_meets_the_deadline_before_anything_was_sent(ca_file: Path) -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def run() -> None:
        async with listen(wait, None) as port:
            verdict = await call_once(f"https://127.0.0.1:{port}", ca_file, timeout=0.3)
        assert isinstance(verdict, Transient)
        assert not verdict.sent_maybe

    asyncio.run(run())


def test_a_refused_connection_is_transient_and_says_what_to_check(ca_file: Path) -> None:
    verdict = asyncio.run(call_once(f"https://127.0.0.1:{free_port()}", ca_file))

    assert isinstance(verdict, Transient)
    assert not verdict.sent_maybe
    assert "refused: check the port" in verdict.message


def test_a_connection_reset_before_the_handshake_was_not_sent(ca_file: Path) -> None:
    async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    async def run() -> None:
        async with listen(rude, None) as port:
            verdict = await call_once(f"https://127.0.0.1:{port}", ca_file)
        assert isinstance(verdict, Transient)
        assert not verdict.sent_maybe

    asyncio.run(run())


async def close_silently(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset_silently(writer: asyncio.StreamWriter) -> None:
    reset(writer)


def close_after(said: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Say so much, which is no whole reply, and close the connection in order."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    return manner


async def talk_nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("manner", "kind"),
    [
        pytest.param(close_silently, FailureKind.CONNECTION_LOST, id="closed-without-a-word"),
        pytest.param(reset_silently, FailureKind.CONNECTION_LOST, id="reset-without-a-word"),
        pytest.param(close_after(b"HT"), FailureKind.CONNECTION_LOST, id="amid-the-first-word"),
        pytest.param(close_after(reply_bytes()[:30]), FailureKind.CONNECTION_LOST, id="amid-the-headers"),
        pytest.param(close_after(reply_bytes()[:-5]), FailureKind.CONNECTION_LOST, id="amid-the-body"),
        pytest.param(
            close_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"),
            FailureKind.CONNECTION_LOST,
            id="amid-a-chunk",
        ),
        pytest.param(
            close_after(b"HTTP/1.1 100 Continue\r\n\r\n"), FailureKind.CONNECTION_LOST, id="after-an-interim-reply"
        ),
        pytest.param(talk_nonsense, FailureKind.GARBLED, id="nonsense"),
        pytest.param(close_after(b"SSH-2.0-OpenSSH_9.6\r\n"), FailureKind.GARBLED, id="another-protocol-and-closed"),
    ],
)
def test_a_call_without_a_whole_answer_is_in_doubt_and_the_next_one_gets_a_new_connection(
    ca_file: Path, manner: Callable[[asyncio.StreamWriter], Awaitable[None]], kind: FailureKind
) -> None:
    manners = iter([manner, answer()])

    async def turn(writer: asyncio.StreamWriter) -> None:
        await next(manners)(writer)

    async def run() -> None:
        async with serve(turn, local_tls()) as server:
            settings = GatewaySettings(url=server.url, concurrency=1)
            async with client_of(settings, ca_file) as client:
                first, second = [await client.call(make_request(server.url)) for _ in range(2)]
            assert server.connections == 2
        assert Unanswered(message=kind.row.sentence) == first
        assert isinstance(second, Acknowledged)

    asyncio.run(run())


def test_a_body_without_end_is_read_up_to_the_limit_only(ca_file: Path) -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
            await writer.drain()
            written += 0x4000

    async def run() -> None:
        async with serve(flood, local_tls()) as server:
            verdict = await call_once(server.url, ca_file)
        assert isinstance(verdict, Unanswered)
        assert "64 KiB" in verdict.message

    asyncio.run(run())
    assert written < 32 * 1024 * 1024  # what the kernel's buffers take, and no more


def test_of_a_body_of_200_mb_that_is_announced_no_more_is_read_than_the_limit(ca_file: Path) -> None:
    size, written = 200 * 1024 * 1024, 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        while written < size:
            writer.write(b" " * 0x10000)
            await writer.drain()
            written += 0x10000

    async def run() -> None:
        async with serve(pour, local_tls()) as server:
            verdict = await call_once(server.url, ca_file)
        assert isinstance(verdict, Unanswered)
        assert "64 KiB" in verdict.message

    asyncio.run(run())
    assert written < 32 * 1024 * 1024  # what the kernel's buffers take, and no more


def test_a_head_without_end_is_given_up(ca_file: Path) -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while True:
            writer.write(b"x" * 0x4000)
            await writer.drain()

    async def run() -> None:
        async with serve(flood, local_tls()) as server:
            assert isinstance(await call_once(server.url, ca_file), Unanswered)

    asyncio.run(run())


@pytest.mark.parametrize(
    "value",
    ["5", "3600", "-5", "soon", "", "9" * 400, "Fri, 99 Jan 2026 03:04:04 GMT", "1e9", "\x80\xff"],
    ids=["seconds", "an-hour", "negative", "word", "empty", "endless", "no-date", "exponent", "not-ascii"],
)
def test_whatever_a_server_says_of_when_to_come_back_nobody_waits_over_a_minute(ca_file: Path, value: str) -> None:
    async def throttle(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 429 Slow Down\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode("latin-1"))

    async def run() -> None:
        async with serve(throttle, local_tls()) as server:
            verdict = await call_once(server.url, ca_file)
        assert isinstance(verdict, Transient)
        assert verdict.overloaded
        assert verdict.retry_after is None or 0 <= verdict.retry_after <= 60

    asyncio.run(run())


def test_a_body_as_large_as_may_be_is_read_whole(ca_file: Path) -> None:
    body = SUCCESS.ljust(MAX_BODY)

    async def run() -> None:
        async with serve(answer(body), local_tls()) as server:
            assert isinstance(await call_once(server.url, ca_file), Acknowledged)

    asyncio.run(run())


def test_a_compressed_reply_is_not_inflated(ca_file: Path) -> None:
    bomb = gzip.compress(SUCCESS.ljust(20_000_000))

    async def run() -> None:
        async with serve(answer(bomb, "200 OK", "Content-Encoding: gzip"), local_tls()) as server:
            connection = Connection(access_to(GatewaySettings(url=server.url), ca_file), timeout=5.0)
            reply = await connection.exchange(make_request(server.url))
            await connection.close()
            assert b"accept-encoding: identity" in server.requests[0].lower()
            assert isinstance(reply, Reply)
            assert bomb == reply.body
            assert isinstance(await call_once(server.url, ca_file), Unanswered)

    asyncio.run(run())


def test_calls_in_turn_share_one_connection(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            settings = GatewaySettings(url=server.url, concurrency=8)
            async with client_of(settings, ca_file) as client:
                for _ in range(20):
                    assert isinstance(await client.call(make_request(server.url)), Acknowledged)
            assert (server.connections, len(server.requests)) == (1, 20)

    asyncio.run(run())


def test_calls_at_once_use_no_more_connections_than_allowed(ca_file: Path) -> None:
    async def ponder(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        await answer()(writer)

    async def run() -> None:
        async with serve(ponder, local_tls()) as server:
            settings = GatewaySettings(url=server.url, concurrency=3)
            async with client_of(settings, ca_file) as client:
                verdicts = await asyncio.gather(*(client.call(make_request(server.url)) for _ in range(12)))
            assert all(isinstance(verdict, Acknowledged) for verdict in verdicts)
            assert (server.connections, server.busiest) == (3, 3)

    asyncio.run(run())


@pytest.mark.parametrize("header", [(), ("Connection: close",)], ids=["silently", "announced"])
def test_a_connection_that_the_server_closed_after_a_call_is_opened_anew(
    ca_file: Path, header: tuple[str, ...]
) -> None:
    async def once(writer: asyncio.StreamWriter) -> None:
        await answer(SUCCESS, "200 OK", *header)(writer)
        await asyncio.sleep(0.02)
        writer.close()

    async def run() -> None:
        async with serve(once, local_tls()) as server:
            async with client_of(GatewaySettings(url=server.url), ca_file) as client:
                for _ in range(3):
                    assert isinstance(await client.call(make_request(server.url)), Acknowledged)
                    await asyncio.sleep(0.05)
            assert server.connections == 3

    asyncio.run(run())


def test_a_cancelled_call_gives_its_place_back(ca_file: Path) -> None:
    async def run() -> None:
        quiet = True
        arrived, never = asyncio.Event(), asyncio.Event()

        async def sulk(writer: asyncio.StreamWriter) -> None:
            arrived.set()
            if quiet:
                await never.wait()
            await answer()(writer)

        async with serve(sulk, local_tls()) as server:
            settings = GatewaySettings(url=server.url, concurrency=1)
            async with client_of(settings, ca_file) as client:
                task = asyncio.create_task(client.call(make_request(server.url)))
                await arrived.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                quiet = False
                assert isinstance(await client.call(make_request(server.url)), Acknowledged)
            assert server.connections == 2

    asyncio.run(run())


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(ca_file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            assert isinstance(await call_once(server.url, ca_file), Acknowledged)

    asyncio.run(run())


def test_authorities_and_passwords_of_the_environment_are_not_used(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SSL_CERT_FILE", str(netrc))

    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            assert isinstance(await call_once(server.url, ca_file), Acknowledged)
            assert b"authorization" not in server.requests[0].lower()

    asyncio.run(run())


@pytest.mark.parametrize("folder", [".", "missing"], ids=["writable", "unwritable"])
def test_the_keys_of_a_connection_are_written_nowhere(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    tls = local_tls()  # made before: a server's settings obey the variable
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / folder / "keys"))

    async def run() -> None:
        async with serve(answer(), tls) as server:
            assert isinstance(await call_once(server.url, ca_file), Acknowledged)

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("https://[::1", id="half-an-address"),
        pytest.param("javascript:alert(1)", id="another-scheme"),
        pytest.param("//\xff\xfe%zz", id="not-ascii"),
        pytest.param("https://gateway.example:99999999/", id="no-such-port"),
        pytest.param("https://" + "a" * 70_000, id="endless"),
    ],
)
def test_a_redirect_is_told_as_such_wherever_it_leads(ca_file: Path, location: str) -> None:
    async def redirect(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode("latin-1"))
        await writer.drain()

    async def run() -> None:
        async with serve(redirect, local_tls()) as server:
            verdict = await call_once(server.url, ca_file)
        assert isinstance(verdict, Refused)
        assert "redirects are never followed" in verdict.message

    asyncio.run(run())


def test_a_cookie_that_the_server_sets_is_never_sent_back(ca_file: Path) -> None:
    async def run() -> None:
        manner = answer(SUCCESS, "200 OK", "Set-Cookie: JSESSIONID=foreign; Path=/", "Set-GUID: JSESSIONID=foreign")
        async with serve(manner, local_tls()) as server:
            async with client_of(GatewaySettings(url=server.url), ca_file) as client:
                for agent in (1001, 1002, 1001):
                    await client.call(make_request(server.url, agent=agent))
            assert server.connections == 1
            assert len(server.requests) == 3
            for request in server.requests:
                assert b"foreign" not in request
                assert b"\r\ncookie:" not in request.lower()

    asyncio.run(run())


def test_guid_and_cookies_stay_with_their_agent(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            async with client_of(GatewaySettings(url=server.url), ca_file) as client:
                await client.call(make_request(server.url, agent=1001, guid=MARKER, cookies={"JSESSIONID": COOKIE}))
                await client.call(make_request(server.url, agent=1002, guid="another"))
            first, second = server.requests
            assert MARKER.encode() in first
            assert f"\r\nCookie: JSESSIONID={COOKIE}\r\n".encode() in first
            assert b"\r\nGuid: another\r\n" in second
            assert MARKER.encode() not in second
            assert COOKIE.encode() not in second

    asyncio.run(run())


def test_a_guid_with_a_line_break_never_reaches_the_wire(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server:
            request = make_request(server.url, guid=MARKER + "\r\nX-Evil: 1")
            verdict = await call_once(server.url, ca_file, request=request)
            assert server.requests == []
        assert isinstance(verdict, Refused)
        assert MARKER not in repr(verdict)

    asyncio.run(run())
