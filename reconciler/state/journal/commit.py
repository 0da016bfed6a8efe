"""The journal being written: durable before it returns, and many callers to one fsync.

Rules of this file: what is committed during one turn of the event loop, or while the disk is busy with the batch
before, goes down together: one write, one fsync, in a thread of its own so that the loop never waits for a disk. Who is
patient waits a moment for others to join, and goes down with the first who is not. Order on disk is the order of the
calls. The first failure is final: after a failed fsync nobody can say what the disk holds, so every waiter and every
later caller gets a `JournalError`, and nothing is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.errors import JournalError
from reconciler.state.failures import advise, explain, translated
from reconciler.state.files import OWNER_ONLY, Files, write_all
from reconciler.state.journal.entries import Entry, RunOpened
from reconciler.state.journal.lines import frame, frame_all

_PATIENCE = 0.01
"""Seconds for which a batch of the patient is left open. A call takes twice as long, and more."""


class _Batch:
    """Entries that go down together, and the promises their callers wait for."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.urgent = False
        self._loop = asyncio.get_running_loop()
        self._promises: list[asyncio.Future[None]] = []

    def promise(self) -> asyncio.Future[None]:
        """Return what becomes true when the batch is durable, for one caller alone: who is cancelled cancels it."""
        promise = self._loop.create_future()
        self._promises.append(promise)
        return promise

    def settle(self, failure: BaseException | None) -> None:
        """Tell the callers, from whatever thread: one wake-up of their loop, however many wait."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and whoever waited has gone with it
            self._loop.call_soon_threadsafe(self._tell, failure)

    def _tell(self, failure: BaseException | None) -> None:
        for promise in self._promises:
            if promise.done():  # its caller was cancelled
                continue
            if failure is None:
                promise.set_result(None)
            else:
                promise.set_exception(failure)


class JournalWriter:
    """The open journal of one run. Made by `open_journal`; for one event loop at a time."""

    def __init__(self, handle: int, *, name: str, files: Files) -> None:
        self._handle = handle
        self._name = name
        self._files = files
        self._guard = threading.Lock()
        self._batch: _Batch | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    @property
    def whole(self) -> bool:
        """Whether all that was ever committed and tried is durable."""
        with self._guard:
            return self._failure is None

    async def commit(self, *entries: Entry, patient: bool = False) -> None:
        """Return once `entries` are durable, in this order and behind all that was committed before.

        Args:
            entries: what is to be durable.
            patient: whether they may wait a moment, so that more goes down with them.

        Raises:
            JournalError: they may not be durable, and nothing more can be committed.
        """
        await self._join(entries, patient=patient)

    def close(self) -> None:
        """Write what is still waiting and let go of the file. A failure is told to the waiters only."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._worker.shutdown(wait=True)
        try:
            self._flush()  # a batch whose turn of the loop never came
        finally:
            with contextlib.suppress(OSError):  # what was promised is synced, and no closing takes that back
                self._files.close(self._handle)

    def _join(self, entries: Sequence[Entry], *, patient: bool) -> asyncio.Future[None]:
        with self._guard:
            if self._failure is not None:
                raise JournalError(str(self._failure), hint=getattr(self._failure, "hint", "")) from self._failure
            if self._closed:
                raise JournalError(f"{self._name} is closed; the run it belongs to is over")
            batch = self._batch = self._batch or _Batch()
            if patient and not batch.entries:
                asyncio.get_running_loop().call_later(_PATIENCE, self._send, batch)
            if not patient and not batch.urgent:
                batch.urgent = True
                asyncio.get_running_loop().call_soon(self._send, batch)
            batch.entries += entries
            return batch.promise()

    def _send(self, batch: _Batch) -> None:
        with self._guard:
            if self._batch is batch and not self._closed:
                self._worker.submit(self._flush)

    def _flush(self) -> None:
        with self._guard:
            batch, self._batch = self._batch, None
        if batch is None:
            return
        failure = self._failure or self._write(batch.entries)
        with self._guard:
            self._failure = failure
        batch.settle(failure)

    def _write(self, entries: Sequence[Entry]) -> BaseException | None:
        try:
            write_all(self._files, self._handle, frame_all(entries))
            self._files.fsync(self._handle)
        except OSError as error:
            return JournalError(f"{self._name} cannot be made durable: {explain(error)}", hint=advise(error))
        except BaseException as error:  # noqa: BLE001 - handed to every waiter; a thread has nobody else to tell
            return error
        return None


def open_journal(path: Path, run: RunOpened, *, name: str, files: Files, mode: int = OWNER_ONLY) -> JournalWriter:
    """Create the journal of `run` at `path`, with these permission bits, and return it once its opening is durable.

    Raises:
        StateError: it cannot be created or made durable; none is left behind then, or one that says nothing.
    """
    with translated(name, "created"):
        handle = files.open_append(path)
        try:
            if mode != OWNER_ONLY:
                files.set_mode(handle, mode)
            write_all(files, handle, frame(run))
            files.fsync(handle)
            files.sync_directory(path.parent)
        except BaseException:
            files.close(handle)
            raise
    return JournalWriter(handle, name=name, files=files)
