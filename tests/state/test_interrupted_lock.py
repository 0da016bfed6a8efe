"""An interrupt while the lock is being taken: it is taken for good, or nobody holds it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from state.backends.rigs import git_rig
from state.backends.state_server import serving
from state.backends.test_http import rig_of
from state.memory import Clock, MemoryBackend
from state.records import NOW, holder
from state.test_history import away
from support.processes import PATIENCE

from reconciler.state import LockHolder
from reconciler.state.haste import Haste
from reconciler.state.locks import holding
from reconciler.state.locks.lock import LockRecord, Waiting, take_when_free, write_lock

LATE = 0.3
"""Seconds that an answer comes after the interrupt."""
OTHER = LockHolder(id="run-9", who="bob@night", operation="watch", since=NOW)


def interrupt_and_go_on() -> None:
    """Interrupt whoever waits for this, and do it all the same, later."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(LATE)


def once(act: Callable[[], object]) -> Callable[[], None]:
    """Return what does `act` the first time it is called."""
    left = [act]

    def do() -> None:
        if left:
            left.pop()()

    return do


def test_a_lease_that_is_taken_after_the_interrupt_is_let_go_of_before_the_command_ends(tmp_path: Path) -> None:
    backend = MemoryBackend()
    backend.lock_place.before_save = once(interrupt_and_go_on)
    with pytest.raises(KeyboardInterrupt), away(tmp_path, backend).lock(holder()):
        pytest.fail("nobody waits for it any more")
    assert [data for data in backend.lock_place.saves if data.strip()] != []
    assert backend.lock_place.stored is not None
    assert backend.lock_place.stored.data.strip() == b""


def test_a_lock_behind_http_that_is_taken_after_the_interrupt_is_let_go_of(tmp_path: Path) -> None:
    with serving() as server:
        real = server.answer

        def answer(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
            if method == "LOCK":
                interrupt_and_go_on()
            return real(method, lock_id, body)

        server.answer = answer  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt), rig_of(server, tmp_path, retries=0).store().lock(holder()):
            pytest.fail("nobody waits for it any more")
        assert server.seen["LOCK"] == server.seen["UNLOCK"] == 1
        assert server.lock is None


def test_a_lock_behind_http_that_may_be_taken_after_the_command_has_ended_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "UNLOCKING", 0.05)
    told, over = list[str](), threading.Event()
    with serving() as server:
        real = server.answer

        def answer(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
            os.kill(os.getpid(), signal.SIGINT)
            over.wait()
            return real(method, lock_id, body)

        server.answer = answer  # type: ignore[method-assign]
        store = rig_of(server, tmp_path, retries=0).store()
        with pytest.raises(KeyboardInterrupt), store.lock(holder(), tell=told.append):
            pytest.fail("nobody waits for it any more")
        over.set()
    assert [text.rpartition("with: ")[2] for text in told] == ["reconciler state unlock run-1 demo"]


def test_a_lock_behind_http_that_was_taken_late_and_not_let_go_of_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with serving() as server:
        real = server.answer

        def answer(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
            if method == "UNLOCK":
                return 500, b""
            interrupt_and_go_on()
            return real(method, lock_id, body)

        server.answer = answer  # type: ignore[method-assign]
        store = rig_of(server, tmp_path, retries=0).store()
        with pytest.raises(KeyboardInterrupt), store.lock(holder(), tell=told.append):
            pytest.fail("nobody waits for it any more")
        assert server.lock is not None
    assert [text.rpartition("with: ")[2] for text in told] == ["reconciler state unlock run-1 demo"]


def test_a_lease_that_may_be_taken_after_the_command_has_ended_runs_out_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "UNLOCKING", 0.05)
    backend, told, over = MemoryBackend(), list[str](), threading.Event()

    def interrupt_and_wait() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        over.wait()

    backend.lock_place.before_save = once(interrupt_and_wait)
    with pytest.raises(KeyboardInterrupt), away(tmp_path, backend).lock(holder(), tell=told.append):
        pytest.fail("nobody waits for it any more")
    over.set()
    assert told == []


def test_a_second_interrupt_while_the_lock_is_let_go_of_leaves_word_of_it(tmp_path: Path) -> None:
    told, over = list[str](), threading.Event()
    with serving() as server:
        real = server.answer

        def answer(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
            if method == "UNLOCK":
                os.kill(os.getpid(), signal.SIGINT)
                over.wait()
            return real(method, lock_id, body)

        server.answer = answer  # type: ignore[method-assign]
        store = rig_of(server, tmp_path, retries=0).store()
        with pytest.raises(KeyboardInterrupt), store.lock(holder(), tell=told.append):
            raise KeyboardInterrupt
        over.set()
    assert [text.rpartition("with: ")[2] for text in told] == ["reconciler state unlock run-1 demo"]


@pytest.mark.parametrize("way_out", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_whatever_ends_the_program_waits_only_for_so_long_until_the_lock_is_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way_out: type[BaseException]
) -> None:
    monkeypatch.setattr(holding, "UNLOCKING", 0.05)
    backend, waited, over = MemoryBackend(), list[bool](), threading.Event()

    def leave_in_silence() -> None:
        backend.lock_place.before_save = lambda: waited.append(over.wait(PATIENCE))
        raise way_out

    with pytest.raises(way_out), away(tmp_path, backend).lock(holder()):
        leave_in_silence()
    assert waited == []
    over.set()


@pytest.mark.parametrize("after", [0.03, 0.08])
def test_a_lock_in_a_ref_is_held_by_nobody_whenever_its_taking_is_interrupted(tmp_path: Path, after: float) -> None:
    rig = git_rig(tmp_path)
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt), rig.store().lock(holder()):
        time.sleep(10)
    with rig.store("there").lock(OTHER):
        pass


def test_whoever_is_interrupted_while_it_is_told_of_a_lock_taken_over_does_not_hold_it() -> None:
    clock = Clock()
    backend = MemoryBackend(clock)
    backend.lock_place.save(write_lock(LockRecord(holder=OTHER, heartbeat=NOW, lease=1.0)), expected=None)

    def tell(text: str) -> None:
        if "took over" in text:
            raise KeyboardInterrupt

    def sleep(seconds: float) -> None:
        clock.seconds += seconds + 1

    waiting = Waiting(patience=9.0, tell=tell, steady=lambda: clock.seconds, sleep=sleep)
    with pytest.raises(KeyboardInterrupt):
        take_when_free(backend.lock(), holder(), waiting, name="memory")
    assert backend.lock_place.stored is not None
    assert backend.lock_place.stored.data.strip() == b""


def test_work_that_was_given_up_is_handed_over_once_it_has_ended() -> None:
    haste, go, handed = Haste(), threading.Event(), list[int]()

    def work() -> int:
        haste.hurry(0.01)
        go.wait()
        return 7

    with pytest.raises(TimeoutError):
        haste.do(work, unclaimed=handed.append)
    go.set()
    for thread in threading.enumerate():
        if thread.name == "in-haste":
            thread.join(5)
    assert handed == [7]
