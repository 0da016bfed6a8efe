"""How a host is reached: several addresses, none of them, and name servers that keep silent."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from gateway.servers import free_port

from reconciler.gateway.dialing import dial

HERE = "127.0.0.1"


def address(host: str, port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port)


@contextmanager
def full_listener() -> Iterator[int]:
    """A port that takes no more connections, so that one to it neither comes about nor is refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HERE, 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(3):
            each = stack.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex((HERE, port))
        yield port


def resolve_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address(HERE, port) for port in ports])


def test_the_address_that_answers_is_taken_where_another_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HERE, 0)) as listener:
        port = listener.getsockname()[1]
        resolve_to(monkeypatch, free_port(), port)
        with closing(asyncio.run(dial("gateway.example", 1))) as connection:
            assert (HERE, port) == connection.getpeername()


@pytest.mark.parametrize("host", [HERE, "::1"], ids=["version-4", "version-6"])
def test_an_address_is_dialled_without_looking_it_up(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    resolve_to(monkeypatch)
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        with closing(asyncio.run(dial(host, port))) as connection:
            assert (host, port) == connection.getpeername()[:2]


@pytest.mark.parametrize("host", ["127.1", "fe80::1%lo", "gateway.example", ""])
def test_what_is_no_plain_address_is_looked_up(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with socket.create_server((HERE, 0)) as listener:
        port = listener.getsockname()[1]
        resolve_to(monkeypatch, port)
        with closing(asyncio.run(dial(host, 1))) as connection:
            assert (HERE, port) == connection.getpeername()


def test_an_address_that_keeps_silent_does_not_hold_up_the_one_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with full_listener() as silent, socket.create_server((HERE, 0)) as listener:
        port = listener.getsockname()[1]
        resolve_to(monkeypatch, silent, port)
        with closing(asyncio.run(asyncio.wait_for(dial("gateway.example", 1), 10))) as connection:
            assert (HERE, port) == connection.getpeername()
        gc.collect()  # a socket left open would be a warning, and so a failure


def test_every_address_that_refuses_is_among_the_causes(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, free_port(), free_port())
    with pytest.raises(OSError, match="no address") as caught:
        asyncio.run(dial("gateway.example", 1))

    assert isinstance(caught.value.__cause__, ExceptionGroup)
    refusals = [each.errno for each in caught.value.__cause__.exceptions if isinstance(each, OSError)]
    assert refusals == [errno.ECONNREFUSED] * 2


def test_a_host_without_addresses_cannot_be_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        asyncio.run(dial("gateway.example", 1))


def test_a_lookup_without_end_holds_up_nobody_who_gives_up_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> object:
        asked.set()
        assert answered.wait(60)
        return []

    async def give_up() -> None:
        task = asyncio.create_task(dial("gateway.example", 1))
        assert await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    asyncio.run(give_up())  # with the event loop's own threads this would end only with the lookup

    assert not answered.is_set()
    (looking,) = [each for each in threading.enumerate() if each.name == "look-up-1"]
    assert looking.daemon, "the process would wait for it"
    answered.set()
    looking.join(10)
