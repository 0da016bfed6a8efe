"""A listening socket that can hang up on everybody.

Rule of this file: it exists because a connection whose TLS handshake has not ended, or whose polite goodbye is never
answered, is known to nobody but the event loop, which leaves it open when the server stops. No HTTP and no TLS here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import weakref
from typing import Any, Self

_STEP = 0.002


class Listener(socket.socket):
    """Accepts TCP connections and remembers those that are still open."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._accepting = True

    @classmethod
    def bind_to(cls, host: str, port: int) -> Self:
        """Return a listener at the first address that `host` means; port 0 is any free one.

        Raises:
            OSError: there is no such address, or it cannot be had.
            OverflowError: there is no such port.
        """
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = cls(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], port, *address[2:]))
            listener.listen()
        except BaseException:
            listener.close()
            raise
        return listener

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.getsockname()[1])

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it for as long as it is in use; after `stop_accepting` there is none."""
        if not self._accepting:
            raise BlockingIOError
        connection, address = super().accept()
        self._accepted.add(connection)
        return connection, address

    async def stop_accepting(self) -> None:
        """Accept no more, and let the loop take over what was accepted.

        Without it, a connection accepted in the loop's last round before the server closes is left half made: the
        loop cannot attach it to the closed server, and nothing ever closes it.
        """
        self._accepting = False
        await asyncio.sleep(0)

    async def hang_up(self, *, patience: float) -> None:
        """End all connections that are still open, and wait until their owner on this loop has closed them."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        for connection in self._open():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        while self._open() and loop.time() < deadline:  # noqa: ASYNC110 - a closed socket tells nobody
            await asyncio.sleep(_STEP)

    def _open(self) -> list[socket.socket]:
        return [connection for connection in self._accepted if connection.fileno() != -1]
