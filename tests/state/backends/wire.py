"""A wire that can be cut: everything between a client and a real server on this machine goes through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Wire:
    """Forwards connections to a port of 127.0.0.1, until it is cut and again once it is mended."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.drop_replies = 0
        """How many of the next connections that begin with a request that writes lose its reply."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def cut(self) -> None:
        """Close every connection, and any that comes."""
        self._cut.set()
        for each in tuple(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Forward again."""
        self._cut.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut.is_set():
                near.close()
                continue
            threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._target)) as far, contextlib.suppress(OSError):
            self._open |= {near, far}
            first = near.recv(65536)
            far.sendall(first)
            if self.drop_replies and first.startswith((b"PUT", b"POST")):
                self.drop_replies -= 1
                self._lose(near, far)
            else:
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join(10)
            self._open -= {near, far}

    @staticmethod
    def _lose(near: socket.socket, far: socket.socket) -> None:
        """Carry the request, wait until the server answers, and hang up without a word."""
        threading.Thread(target=_pump, args=(near, far), daemon=True).start()
        far.recv(1)
        near.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
