"""A run that is overtaken stops by itself: nothing more is sent once its lock may be another's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from state.memory import Clock, MemoryBackend
from state.records import LINEAGE, NOW, apply_one, holder, in_doubt, intend, planned, record
from state.records import store as local_store

from reconciler.errors import LockLostError, StateError
from reconciler.model.agent import AgentId
from reconciler.state import Setting, StateStore, decode
from reconciler.state.journal.recorder import Recorder
from reconciler.state.opening_away import open_away_store

A = AgentId(1001)


def store(backend: MemoryBackend, root: Path) -> StateStore:
    around = Setting(
        root=root,
        site="demo",
        environ={},
        resolve=lambda _reference, _what: "",
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        environment="demo",
    )
    return open_away_store(backend, journal=".reconciler", around=around)


def test_an_intent_is_not_passed_on_once_the_lock_may_be_anothers(tmp_path: Path) -> None:
    clock = Clock()
    kept = store(MemoryBackend(clock), tmp_path)
    told: list[LockLostError] = []
    with kept.lock(holder()):
        kept.watch_lock(told.append)
        recorder = kept.begin_run()
        asyncio.run(intend(recorder))
        clock.seconds += 46  # the machine slept, say
        with pytest.raises(LockLostError, match="nothing more is sent"):
            asyncio.run(intend(recorder, 1002))
        assert len(told) == 1
        asyncio.run(recorder.acknowledged(A, at=NOW))  # what was under way may still be told
        asyncio.run(recorder.not_applied(AgentId(1002)))
        assert recorder.finish(rescue_directory=tmp_path).agents == {1001: record(at=NOW)}


def test_a_run_does_not_begin_without_its_lock(tmp_path: Path) -> None:
    clock = Clock()
    backend = MemoryBackend(clock)
    kept = store(backend, tmp_path)
    with kept.lock(holder()):
        clock.seconds += 46
        with pytest.raises(LockLostError):
            kept.begin_run()
    with kept.lock(holder("bob@night", "run-2")):
        kept.begin_run().finish(rescue_directory=tmp_path)


def test_where_the_state_cannot_say_that_a_run_is_open_none_is_begun(tmp_path: Path) -> None:
    backend = MemoryBackend()
    kept = store(backend, tmp_path)
    with kept.lock(holder()):
        backend.state.unreachable = True
        with pytest.raises(StateError, match="memory cannot be reached"):
            kept.begin_run()
    backend.state.unreachable = False
    assert kept.read().agents == {}


def test_a_contender_sees_who_is_in_doubt_until_the_run_has_ended(tmp_path: Path) -> None:
    backend = MemoryBackend()
    (tmp_path / "there").mkdir()
    kept, there = store(backend, tmp_path), store(backend, tmp_path / "there")
    with kept.lock(holder()):
        recorder = kept.begin_run([])
        asyncio.run(apply_one(recorder))
        assert there.read().agents == {}  # nobody was announced, so nothing was written yet
        recorder.finish(rescue_directory=tmp_path)
    assert there.read().agents == {1001: record(at=NOW)}
    assert in_doubt() not in there.read().agents.values()


def test_a_copy_of_the_records_before_the_run_that_is_damaged_is_refused_with_the_remedy(tmp_path: Path) -> None:
    backend = MemoryBackend()
    kept = store(backend, tmp_path)
    with kept.lock(holder()):
        kept.begin_run(planned(1001))
    (tmp_path / ".reconciler/demo/before.json").write_bytes(b"{")
    with pytest.raises(StateError, match=r"before\.json: the state file is not JSON") as caught:
        kept.read()
    assert "move it away: whoever the run that was cut short may have called is then in doubt" in caught.value.hint
    (tmp_path / ".reconciler/demo/before.json").unlink()
    assert backend.state.stored is not None
    assert kept.read() == decode(backend.state.stored.data, site="demo")


async def _refused(recorder: Recorder) -> None:
    await intend(recorder)
    await recorder.not_applied(A, at=NOW, retcode="9999")


def test_a_run_whose_lock_file_was_removed_leaves_the_journal_of_the_next_run_where_it_is(tmp_path: Path) -> None:
    first, second = local_store(tmp_path / "state.json"), local_store(tmp_path / "state.json")
    with first.lock(holder()):
        overtaken = first.begin_run()
        asyncio.run(_refused(overtaken))
        (tmp_path / "state.json.lock").unlink()
        with second.lock(holder("bob@night", "run-2")):
            recorder = second.begin_run()
            asyncio.run(apply_one(recorder, 2002))
            overtaken.finish(rescue_directory=tmp_path)
            asyncio.run(apply_one(recorder, 2003))  # and dies
    assert list(local_store(tmp_path / "state.json").read().agents) == [2002, 2003]


def test_a_run_whose_lock_file_was_removed_writes_no_state_that_the_next_run_did_not_begin_from(tmp_path: Path) -> None:
    first, second = local_store(tmp_path / "state.json"), local_store(tmp_path / "state.json")
    with first.lock(holder()):
        overtaken = first.begin_run()
        (tmp_path / "state.json.lock").unlink()
        with second.lock(holder("bob@night", "run-2")):
            recorder = second.begin_run()
            asyncio.run(overtaken.deferred(A, at=NOW))  # its last answers come in only now
            asyncio.run(apply_one(recorder, 2002))
            with pytest.raises(LockLostError, match=r"state\.json\.lock was removed or replaced") as caught:
                overtaken.finish(rescue_directory=tmp_path)
    assert f"{tmp_path / 'errored-state.json'} is what this run knows, to compare with" in caught.value.hint
    assert list(local_store(tmp_path / "state.json").read().agents) == [2002]


def test_a_run_that_lost_its_lease_leaves_the_journal_of_the_next_run_on_this_machine(tmp_path: Path) -> None:
    backend = MemoryBackend()
    first, second = store(backend, tmp_path), store(backend, tmp_path)
    with first.lock(holder()):
        overtaken = first.begin_run()  # announces nobody
        second.unlock("run-1")
        with second.lock(holder("bob@night", "run-2")):
            recorder = second.begin_run(planned(1001))
            asyncio.run(apply_one(recorder))
            overtaken.finish(rescue_directory=tmp_path)
    assert store(backend, tmp_path).read().agents == {1001: record(at=NOW)}
