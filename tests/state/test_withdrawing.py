"""A run that says it is open and then cannot begin takes that back: nobody is in doubt whom nobody has called."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from state.memory import MemoryBackend
from state.records import holder, planned, record, state
from state.runs import names, nothing, run
from state.test_history import away
from state.test_interrupted_lock import LATE, once

from reconciler.errors import LockLostError, StateError, StateUnansweredError
from reconciler.model.agent import AgentId
from reconciler.state import decode, encode
from reconciler.values import replace


def interrupt(backend: MemoryBackend) -> None:
    """Interrupt whoever waits for a write, which arrives all the same, later."""
    del backend
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(LATE)


def lose_the_answer(backend: MemoryBackend) -> None:
    """Write, and let neither that nor a look at it be answered."""
    backend.state.refusals.append(StateUnansweredError("memory gave no answer"))
    looks = [StateError("memory cannot be reached")]
    real = backend.state.load

    def load() -> object:
        if looks:
            raise looks.pop()
        return real()

    backend.load = load  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        pytest.param(interrupt, KeyboardInterrupt, id="interrupted"),
        pytest.param(lose_the_answer, StateError, id="unanswered"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["first-run", "later-run"])
def test_a_run_that_cannot_begin_leaves_recorded_what_was(
    tmp_path: Path, trouble: Callable[[MemoryBackend], None], error: type[BaseException], first: bool
) -> None:
    backend = MemoryBackend()
    if not first:
        backend.state.save(encode(state()), expected=None)
    before = away(tmp_path, backend).read()
    kept = away(tmp_path, backend)
    backend.state.before_save = once(lambda: trouble(backend))
    with pytest.raises(error), kept.lock(holder()):
        kept.begin_run(planned(1001, 1002))
    assert backend.state.stored is not None
    found = decode(backend.state.stored.data, site="demo")
    assert (found.content, found.open_run) == (before.content, None)
    assert found.serial == before.serial + 2
    assert backend.lock_place.stored is not None
    assert backend.lock_place.stored.data.strip() == b""
    assert run(away(tmp_path, backend), nothing) == found
    assert not {"journal", "before.json"} & set(names(tmp_path / ".reconciler" / "demo"))


def test_a_run_that_has_lost_its_lock_before_it_began_leaves_the_state_to_others(tmp_path: Path) -> None:
    backend = MemoryBackend()
    backend.state.save(encode(state()), expected=None)
    kept = away(tmp_path, backend)

    def begin() -> None:
        with kept.lock(holder()):
            backend.state.before_save = once(lambda: setattr(backend.clock, "seconds", backend.clock.seconds + 3600))
            kept.begin_run(planned(1001))

    with pytest.raises(LockLostError):
        begin()
    assert len(backend.state.saves) == 2
    assert away(tmp_path / "there", backend).read().agents[AgentId(1001)] != replace(record())
