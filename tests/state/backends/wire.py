"""A wire that can be cut, or fall silent: all that is said between a client and a real server here goes through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Wire:
    """Forwards connections to a port of 127.0.0.1, until it is cut and again once it is mended."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._held: tuple[bytes, ...] = ()
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
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def cut(self) -> None:
        """Close every connection, and any that comes."""
        self._cut.set()
        for each in tuple(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mute(self, *words: bytes) -> None:
        """Carry nothing more, from what begins with one of `words` on (or at once), and tell nobody: a black hole."""
        self._held = words or (b"",)
        self._flows.clear()

    def mend(self) -> None:
        """Forward again, first what was held back."""
        self._cut.clear()
        self._held = ()
        self._flows.set()

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
        self._open.add(near)
        with near, contextlib.suppress(OSError):
            first = near.recv(65536)
            self._let_through(first)  # only then is there a connection, for a server may serve one at a time
            with socket.create_connection(("127.0.0.1", self.target)) as far:
                self._open.add(far)
                far.sendall(first)
                self._serve(near, far, first)
                self._open.discard(far)
        self._open.discard(near)

    def _serve(self, near: socket.socket, far: socket.socket, first: bytes) -> None:
        if self.drop_replies and first.startswith((b"PUT", b"POST")):
            self.drop_replies -= 1
            self._lose(near, far)
            return
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join(10)

    def _lose(self, near: socket.socket, far: socket.socket) -> None:
        """Carry the request, wait until the server answers, and hang up without a word."""
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        far.recv(1)
        near.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._let_through(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _let_through(self, data: bytes) -> None:
        if data.startswith(self._held):
            self._flows.wait()
