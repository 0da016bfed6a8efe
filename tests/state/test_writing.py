"""The state commands: a change is made on what was read, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from state.disk import Disk
from state.records import (
    LINEAGE,
    apply_one,
    holder,
    in_doubt,
    intend,
    store,
)
from state.runs import leave, run

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import State
from reconciler.state import StateStore
from reconciler.values import replace

B = AgentId(1002)


def write(kept: StateStore, change: Callable[[State], State]) -> State:
    with kept.lock(holder()):
        return kept.write(change(kept.read()))


def without_agents(found: State) -> State:
    return found.with_agents({})


def test_a_state_command_changes_what_it_read(path: Path) -> None:
    run(store(path), apply_one)
    saved = write(store(path), without_agents)
    assert (saved.serial, saved.agents) == (2, {})
    assert store(path).read() == saved


def test_a_state_command_that_changes_nothing_writes_nothing(path: Path) -> None:
    saved = run(store(path), apply_one)
    disk = Disk()
    assert write(store(path, files=disk), replace) == saved
    assert disk.count("replace") == 0


def test_a_state_command_sees_and_settles_an_unfinished_run(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: intend(recorder, 1002))
    saved = write(store(path), lambda found: found.with_agents({B: found.agents[B]}))
    assert saved.agents == {1002: in_doubt()}
    assert store(path).read() == saved
    assert not path.with_name("state.json.journal").exists()


def test_a_state_command_may_undo_an_unfinished_run(path: Path) -> None:
    before = run(store(path), apply_one)
    leave(store(path), lambda recorder: intend(recorder, 1002))
    saved = write(store(path), lambda found: found.with_agents(before.agents))
    assert (saved.agents, saved.serial) == (before.agents, 2)
    assert store(path).read() == saved


def test_a_journal_that_cannot_be_removed_after_a_write_counts_for_nothing(path: Path) -> None:
    leave(store(path), apply_one)
    disk = Disk()
    disk.refusals["unlink"] = disk.refusals["sizes_in"] = OSError(errno.EACCES, "Permission denied")
    saved = write(store(path, files=disk), without_agents)
    assert path.with_name("state.json.journal").exists()
    assert store(path).read() == saved


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(lambda found: replace(found, serial=found.serial + 1), id="newer"),
        pytest.param(lambda found: replace(found, serial=0, lineage=None), id="older"),
        pytest.param(lambda found: replace(found, lineage=LINEAGE.replace("0", "1")), id="other-lineage"),
        pytest.param(lambda found: replace(found, site="prod"), id="other-site"),
    ],
)
def test_a_state_made_from_another_one_is_not_written(path: Path, stale: Callable[[State], State]) -> None:
    saved = run(store(path), apply_one)
    with pytest.raises(StateError, match=r"^state\.json is serial 1 ") as caught:
        write(store(path), lambda found: stale(without_agents(found)))
    assert "read the state again" in caught.value.hint
    assert store(path).read() == saved
