"""A TCP connection to a host, the first of its addresses that answers; and TLS over it.

Rules of this file: nothing here outlives the caller's patience. A lookup cannot be cancelled and takes as long as the
name servers like, so it has a thread that nobody waits for: the event loop's own threads are waited for at the end of
a run, and would hold up its deadline, and an interrupt.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, ip_address
from typing import Any, TypeVar

_HEAD_START = 0.25
"""Seconds each address has before the next is tried beside it (RFC 8305)."""

_LONGEST_HANDSHAKE = 24 * 3600.0
"""Seconds. The event loop wants a limit of its own; the one that counts is the caller's."""

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)
_Address = tuple[int, int, int, str, Any]
"""Family, type, protocol, canonical name and socket address, as `getaddrinfo` gives them."""


async def dial(host: str, port: int) -> socket.socket:
    """Return a socket connected to `host`, a name or an address without brackets; it does not block.

    Raises:
        OSError: nobody answers, or there is no such name. After several addresses their errors, as a group, are its
            cause.
    """
    return await _first_of(_as_written(host, port) or await _look_up(host, port))


async def attach(
    protocol: Callable[[], _Protocol], connection: socket.socket, *, host: str, context: ssl.SSLContext | None
) -> tuple[asyncio.Transport, _Protocol]:
    """Let a protocol speak over `connection`, which is the transport's from here on, and closed if this fails.

    Args:
        protocol: makes it, once there is something to speak over.
        connection: as it comes from `dial`.
        host: who has to be at its other end.
        context: whom TLS with the host trusts; `None`: no TLS.

    Raises:
        OSError: TLS cannot be agreed; an `ssl.SSLError` where TLS itself is the reason.
    """
    loop = asyncio.get_running_loop()
    if context is None:
        return await loop.create_connection(protocol, sock=connection)
    return await loop.create_connection(
        protocol, sock=connection, ssl=context, server_hostname=host, ssl_handshake_timeout=_LONGEST_HANDSHAKE
    )


def _as_written(host: str, port: int) -> Sequence[_Address]:
    """Return the address that `host` is; none if it is a name, for which somebody has to be asked."""
    try:
        address = ip_address(host)
    except ValueError:
        return ()
    if isinstance(address, IPv4Address):
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]
    # Only the system knows the number of a zone such as `%eth0`.
    return [] if address.scope_id else [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", (host, port, 0, 0))]


async def _look_up(host: str, port: int) -> Sequence[_Address]:
    found: Future[Sequence[_Address]] = Future()
    found.set_running_or_notify_cancel()  # whoever gives up waiting does not touch what the thread still fills in

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the answer is waited for
            found.set_exception(error)

    threading.Thread(target=look_up, name=f"look-up-{port}", daemon=True).start()
    return await asyncio.wrap_future(found)


async def _first_of(addresses: Sequence[_Address]) -> socket.socket:
    waiting, attempts, errors = deque(addresses), set[asyncio.Task[socket.socket]](), list[Exception]()
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connect(waiting.popleft())))
            patience = _HEAD_START if waiting else None
            done, _ = await asyncio.wait(attempts, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                attempts.remove(attempt)
                error = attempt.exception()
                if error is None:
                    return attempt.result()
                errors.append(error if isinstance(error, Exception) else OSError())
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_hang_up)
    raise _all(errors)


async def _connect(address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    connection.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, where)
    except BaseException:  # a cancellation too: nobody else knows of this socket yet
        connection.close()
        raise
    return connection


def _hang_up(attempt: asyncio.Task[socket.socket]) -> None:
    """Close what came about after all, when another address had been quicker."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def _all(errors: Sequence[Exception]) -> Exception:
    if len(errors) == 1:
        return errors[0]
    error = OSError("no address of the host could be connected to")
    error.__cause__ = ExceptionGroup("by address", errors) if errors else None
    return error
