"""The way through a proxy: a real CONNECT proxy on a socket, and everything it can do instead of opening a tunnel."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gateway.examples import MARKER, make_request
from gateway.servers import Attend, Server, answer, free_port, listen, local_tls, reset, serve, tls_for
from gateway.test_tls import needs_ipv6

from reconciler.gateway import Acknowledged, GatewayClient, Misconfigured, Transient, Verdict, open_access
from reconciler.gateway.protocol.failure import FailureKind
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.values import replace

LOGIN = "robot:pass-5ec2e7"
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class ConnectProxy:
    """What a proxy has seen."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    """The head of each request it was sent."""
    passed_on: bytearray = field(default_factory=bytearray)
    """What it carried to the gateway."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def connect_proxy(*, login: str | None = None, host: str = "127.0.0.1") -> AsyncIterator[ConnectProxy]:
    """A proxy that takes CONNECT, and with `login` from who knows it only."""
    proxy = ConnectProxy()
    wanted = None if login is None else b"Proxy-Authorization: Basic " + b64encode(login.encode())
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            proxy.heads.append(head)
            if wanted is not None and wanted not in head.split(b"\r\n"):
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            else:
                await carry(head.split()[1].decode(), reader, writer)
        writer.close()

    async def carry(target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name, _, port = target.rpartition(":")
        up_reader, up_writer = await asyncio.open_connection(name.strip("[]"), int(port))
        writers.append(up_writer)
        writer.write(OPENED)
        await asyncio.gather(pipe(reader, up_writer, proxy.passed_on), pipe(up_reader, writer, bytearray()))

    async with listen(attend, None, host=host) as proxy.port:
        yield proxy
        for writer in writers:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: bytearray) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            seen += chunk
            writer.write(chunk)
            await writer.drain()
    writer.close()


def settings_for(server: Server | str, proxy: str, ca_file: Path, **more: object) -> GatewaySettings:
    url = server if isinstance(server, str) else server.url
    settings = GatewaySettings(url=url, ca_file=str(ca_file), proxy=proxy, timeout=5.0)
    return replace(settings, **more)  # of several types


async def call(settings: GatewaySettings, *, times: int = 1) -> list[Verdict]:
    access = open_access(settings, root=Path(), environ={"PROXY_LOGIN": LOGIN})
    async with GatewayClient(settings, access=access) as client:
        return [await client.call(make_request(settings.url)) for _ in range(times)]


# What goes through


def test_calls_go_through_one_tunnel_and_the_proxy_sees_the_gateways_address_and_nothing_else(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server, connect_proxy() as proxy:
            verdicts = await call(settings_for(server, proxy.url, ca_file), times=3)
            assert [type(verdict) for verdict in verdicts] == [Acknowledged] * 3
            target = f"127.0.0.1:{server.port}"
            expected = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: reconciler\r\n\r\n"
            assert proxy.heads == [expected.encode()]
            assert len(server.requests) == 3
            assert MARKER.encode() in server.requests[0]
            assert MARKER.encode() not in proxy.passed_on
            assert b"setcallnums" not in proxy.passed_on

    asyncio.run(run())


def test_a_call_without_a_proxy_does_not_go_near_one(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server, connect_proxy() as proxy:
            for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            settings = GatewaySettings(url=server.url, ca_file=str(ca_file))
            (verdict,) = await call(settings)
            assert isinstance(verdict, Acknowledged)
            assert proxy.heads == []

    asyncio.run(run())


def test_credentials_go_to_the_proxy_and_not_to_the_gateway(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server, connect_proxy(login=LOGIN) as proxy:
            reference = SecretReference.parse("env:PROXY_LOGIN")
            (verdict,) = await call(settings_for(server, proxy.url, ca_file, proxy_credentials=reference))
            assert isinstance(verdict, Acknowledged)
            assert b"Proxy-Authorization: Basic " in proxy.heads[0]
            assert b"authorization" not in server.requests[0].lower()

    asyncio.run(run())


@needs_ipv6
def test_an_ipv6_gateway_is_reached_through_an_ipv6_proxy(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), tls_for("::1"), host="::1") as server, connect_proxy(host="::1") as proxy:
            url = f"https://[::1]:{server.port}"
            (verdict,) = await call(settings_for(url, f"http://[::1]:{proxy.port}", ca_file))
            assert isinstance(verdict, Acknowledged)
            assert proxy.heads[0].startswith(f"CONNECT [::1]:{server.port} HTTP/1.1\r\n".encode())

    asyncio.run(run())


def test_the_gateways_certificate_is_checked_through_a_tunnel_too(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), tls_for("gateway.example")) as server, connect_proxy() as proxy:
            (verdict,) = await call(settings_for(server, proxy.url, ca_file))
            assert isinstance(verdict, Misconfigured)
            assert verdict.message.startswith(FailureKind.WRONG_NAME.row.sentence)
            assert server.requests == []

    asyncio.run(run())


# What a proxy does instead


def saying(words: bytes) -> Attend:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        await writer.drain()
        writer.close()

    return attend


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


SECRETIVE = b"\r\nX-Trace: 5ec2e7\r\nContent-Length: 6\r\n\r\n5ec2e7"


@pytest.mark.parametrize(
    ("attend", "kind", "said"),
    [
        pytest.param(
            saying(b"HTTP/1.1 407 Who are you" + SECRETIVE),
            FailureKind.PROXY_CREDENTIALS,
            "answered HTTP 407",
            id="407",
        ),
        pytest.param(saying(b"HTTP/1.1 403 No" + SECRETIVE), FailureKind.PROXY_REFUSED, "answered HTTP 403", id="403"),
        pytest.param(saying(b"HTTP/1.0 405 \r\n\r\n"), FailureKind.PROXY_REFUSED, "answered HTTP 405", id="no-connect"),
        pytest.param(
            saying(b"HTTP/1.1 302 Found" + SECRETIVE), FailureKind.PROXY_REFUSED, "answered HTTP 302", id="redirect"
        ),
        pytest.param(saying(b"HTTP/1.1 502 Bad\r\n\r\n"), FailureKind.PROXY_FAILED, "answered HTTP 502", id="502"),
        pytest.param(saying(b"HTTP/1.1 504 Late\r\n\r\n"), FailureKind.PROXY_FAILED, "answered HTTP 504", id="504"),
        pytest.param(saying(b"SSH-2.0-OpenSSH\r\n\r\n"), FailureKind.PROXY_NOT_HTTP, "(http://", id="ssh"),
        pytest.param(saying(b""), FailureKind.PROXY_NOT_HTTP, "(http://", id="closed-without-a-word"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\n"), FailureKind.PROXY_NOT_HTTP, "(http://", id="cut-in-the-head"),
        pytest.param(saying(OPENED + b"hello"), FailureKind.PROXY_NOT_HTTP, "(http://", id="more-than-a-tunnel"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000), FailureKind.PROXY_NOT_HTTP, "(http://", id="endless"
        ),
        pytest.param(hang_up, FailureKind.PROXY_UNREACHABLE, "(http://", id="reset"),
        pytest.param(say_nothing, FailureKind.PROXY_TIMEOUT, "(http://", id="silent"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_named_and_nothing_was_sent(
    ca_file: Path, attend: Attend, kind: FailureKind, said: str
) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server, listen(attend, None) as port:
            timeout = 0.5 if kind is FailureKind.PROXY_TIMEOUT else 5.0
            (verdict,) = await call(settings_for(server, f"http://127.0.0.1:{port}", ca_file, timeout=timeout))
            assert server.connections == 0
        assert isinstance(verdict, (Misconfigured, Transient))
        assert isinstance(verdict, Transient) is (kind.row.kind == "transient")
        assert not isinstance(verdict, Transient) or not verdict.sent_maybe
        assert verdict.message.startswith(kind.row.sentence), verdict.message
        assert f"http://127.0.0.1:{port}" in verdict.message
        assert said in verdict.message
        assert "5ec2e7" not in verdict.message

    asyncio.run(run())


def test_a_proxy_that_does_not_run_is_named(ca_file: Path) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    (verdict,) = asyncio.run(call(settings_for("https://127.0.0.1:1", proxy, ca_file)))

    assert isinstance(verdict, Transient)
    assert verdict.message == f"{FailureKind.PROXY_UNREACHABLE.row.sentence} ({proxy})"


def test_wrong_credentials_stop_the_run_and_are_not_shown(ca_file: Path) -> None:
    async def run() -> None:
        async with serve(answer(), local_tls()) as server, connect_proxy(login="robot:another") as proxy:
            reference = SecretReference.parse("env:PROXY_LOGIN")
            (verdict,) = await call(settings_for(server, proxy.url, ca_file, proxy_credentials=reference))
            assert isinstance(verdict, Misconfigured)
            assert verdict.message.startswith(FailureKind.PROXY_CREDENTIALS.row.sentence)
            assert "5ec2e7" not in verdict.message
            assert b64encode(LOGIN.encode()).decode() not in verdict.message

    asyncio.run(run())


def test_a_call_that_is_cancelled_in_the_tunnels_making_leaves_no_socket_open(ca_file: Path) -> None:
    async def run() -> None:
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            arrived.set()
            await reader.read()  # until the other side closes
            gone.set()
            writer.close()

        async with listen(wait, None) as port:
            settings = settings_for("https://127.0.0.1:1", f"http://127.0.0.1:{port}", ca_file)
            task = asyncio.create_task(call(settings))
            await arrived.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.wait_for(gone.wait(), 5)

    asyncio.run(run())
