"""A whole state is pushed over what a run has left that was cut short: nothing that was acknowledged gets lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from state.records import NOW, WEB_CHAT_4, apply_one, holder, intend, record, state, store
from state.runs import leave, run

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import State
from reconciler.state import StateStore, encode
from reconciler.state.journal.recorder import Recorder
from reconciler.values import replace

A, B = AgentId(1001), AgentId(1002)


def push(kept: StateStore, pushed: State, *, force: int | None = None) -> State:
    with kept.lock(holder()):
        return kept.push(pushed, force=force)


def later(found: State) -> State:
    return replace(found, serial=found.serial + 1)


async def deferred(recorder: Recorder) -> None:
    await recorder.deferred(A, at=NOW, retcode="100-006")


@pytest.mark.parametrize(
    ("work", "agent"),
    [
        pytest.param(lambda recorder: apply_one(recorder, 1002), B, id="acknowledged"),
        pytest.param(lambda recorder: intend(recorder, 1001, WEB_CHAT_4), A, id="in-doubt"),
        pytest.param(lambda recorder: recorder.forget(A), A, id="forgotten"),
        pytest.param(deferred, A, id="deferred"),
    ],
)
def test_a_push_that_knows_less_than_a_run_that_was_cut_short_is_refused(
    path: Path, work: Callable[..., object], agent: AgentId
) -> None:
    stale = run(store(path), apply_one)
    leave(store(path), work)  # type: ignore[arg-type]
    recorded = store(path).read()
    with pytest.raises(StateError, match=rf"state\.json\.journal holds .* does not have it: agent {agent}$") as caught:
        push(store(path), later(stale))
    assert "apply first" in caught.value.hint
    assert "--force 1" in caught.value.hint
    assert store(path).read() == recorded


def test_a_push_that_knows_less_is_taken_by_name_of_the_serial(path: Path) -> None:
    stale = run(store(path), apply_one)
    leave(store(path), lambda recorder: apply_one(recorder, 1002))
    assert push(store(path), later(stale), force=1).agents == stale.agents
    assert store(path).read().agents == stale.agents


def test_a_push_that_knows_all_a_run_has_done_and_changes_others_is_taken(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: apply_one(recorder, 1002))
    found = store(path).read()
    edited = later(found.with_agents({**found.agents, A: record(WEB_CHAT_4)}))
    assert push(store(path), edited).agents == edited.agents


def test_a_push_may_say_that_what_is_in_doubt_was_acknowledged(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: intend(recorder, 1002))
    found = store(path).read()
    settled = later(found.with_agents({**found.agents, B: record(at=NOW)}))
    assert push(store(path), settled).agents == settled.agents


def test_a_push_over_a_journal_that_adds_nothing_is_taken(path: Path) -> None:
    path.write_bytes(encode(state({1001: record()})))
    leave(store(path), lambda recorder: recorder.note(A, team="east", protected=False))
    assert push(store(path), state({1002: record()}, serial=8)).agents == {1002: record()}
