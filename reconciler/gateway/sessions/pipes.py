"""The three pipes of a running program, as the event loop sees them.

Rules of this file: callbacks only, no waiting and no judgement. What comes in is bounded: output beyond the limit
settles the exchange at once, and of standard error only the end is kept.
"""

from __future__ import annotations

import asyncio
from typing import cast

from reconciler.model.last_words import MAX_COMPLAINT

MAX_OUTPUT = 16 * 1024 * 1024

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class Pipes(asyncio.SubprocessProtocol):
    """Collects what a program writes. Make it inside the event loop, for one program."""

    def __init__(self) -> None:
        """Nothing has started yet."""
        loop = asyncio.get_running_loop()
        self.transport: asyncio.SubprocessTransport | None = None
        self.output = bytearray()
        """Secret."""
        self.complaint = bytearray()
        """The end of standard error, one byte more than `MAX_COMPLAINT` if its beginning was dropped."""
        self.overflowed = False
        self.dead: asyncio.Future[None] = loop.create_future()
        """Done when the program has ended; what it started may still hold its pipes."""
        self.settled: asyncio.Future[None] = loop.create_future()
        """Done when nothing more is wanted: the program has ended and its pipes are closed, or it wrote too much."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done when the program has ended and its pipes are closed."""

    @property
    def exited(self) -> bool:
        """Tell whether the program has ended, whoever else holds its pipes."""
        return self.dead.done()

    @property
    def ended(self) -> bool:
        """Tell whether the program has ended and all who could write have closed their end."""
        return self.gone.done()

    def ask(self, question: bytes) -> None:
        """Begin to write `question`, and close standard input behind it."""
        pipe = self._stdin()
        pipe.write(question)
        pipe.write_eof()

    def drop(self) -> None:
        """Close all pipes, whatever is still in them."""
        stdin = self._stdin()
        if stdin.get_write_buffer_size():  # or closing it would wait for a reader who may never come
            stdin.abort()
        self._running().close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The program runs."""
        self.transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what it wrote, within bounds."""
        if fd == _STDERR:
            self.complaint += data
            del self.complaint[: -MAX_COMPLAINT - 1]
        elif not self.overflowed:
            self.output += data
            if len(self.output) > MAX_OUTPUT:
                self.overflowed = True
                _finish(self.settled)

    def process_exited(self) -> None:
        """It has ended; what it started may still hold the pipes."""
        _finish(self.dead)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        """It has ended and every pipe is closed."""
        _finish(self.settled)
        _finish(self.gone)

    def _stdin(self) -> asyncio.WriteTransport:
        return cast(asyncio.WriteTransport, self._running().get_pipe_transport(_STDIN))

    def _running(self) -> asyncio.SubprocessTransport:
        assert self.transport is not None  # noqa: S101 - callers come after connection_made
        return self.transport


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
