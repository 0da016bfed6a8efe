"""The store on a local disk: what a run leaves, when the serial rises, and who goes on from there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from state.disk import Disk
from state.records import (
    EARLIER,
    LINEAGE,
    NOW,
    WEB_CHAT_4,
    apply_one,
    holder,
    in_doubt,
    intend,
    record,
    state,
    store,
)
from state.runs import Work, leave, names, nothing, run

from reconciler.errors import JournalError
from reconciler.model.agent import AgentId
from reconciler.model.state import empty_state
from reconciler.state import decode, encode
from reconciler.state.journal.recorder import Recorder

A = AgentId(1001)


def test_a_missing_file_is_a_state_of_which_nothing_was_recorded(path: Path) -> None:
    assert store(path).read() == empty_state("demo")
    assert names(path.parent) == []


def test_the_first_write_gives_the_state_its_lineage(path: Path) -> None:
    saved = run(store(path), apply_one)
    assert (saved.lineage, saved.serial) == (LINEAGE, 1)
    assert saved.agents == {1001: record(at=NOW)}
    assert store(path).read() == saved == decode(path.read_bytes(), site="demo")
    assert names(path.parent) == ["state.json", "state.json.history", "state.json.lock"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_serial_rises_only_when_content_changes(path: Path) -> None:
    kept = store(path)
    assert run(kept, nothing) == empty_state("demo")
    assert not path.exists()
    assert run(kept, apply_one).serial == 1
    written = path.stat()
    assert run(kept, nothing).serial == 1
    assert run(kept, apply_one).serial == 1  # the same values, acknowledged in the same second
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert run(kept, lambda recorder: apply_one(recorder, concurrency=WEB_CHAT_4)).serial == 2


def test_every_outcome_of_a_run_is_in_the_saved_state(path: Path) -> None:
    path.write_bytes(encode(state(dict.fromkeys(range(1001, 1007), record()))))

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder, 1001, WEB_CHAT_4, session="login-1")
        await intend(recorder, 1002, WEB_CHAT_4)
        await recorder.not_applied(AgentId(1002))
        await intend(recorder, 1003, WEB_CHAT_4)
        await recorder.in_doubt(AgentId(1003))
        await recorder.forget(AgentId(1004))
        await intend(recorder, 1005, WEB_CHAT_4)
        await recorder.acknowledged(AgentId(1005), at=NOW, session=None, keep=False)
        await recorder.note(AgentId(1006), team="west", protected=True)

    saved = run(store(path), work)
    assert saved.serial == 8
    assert saved.agents == {
        1001: record(WEB_CHAT_4, at=NOW, session="login-1"),
        1002: record(),
        1003: in_doubt(WEB_CHAT_4, at=EARLIER),
        1006: record(team="west", protected=True),
    }


def test_the_recorder_tells_the_records_as_of_now(path: Path) -> None:
    seen: list[object] = []

    async def work(recorder: Recorder) -> None:
        seen.append(recorder.state.agents.get(A))
        await intend(recorder)
        seen.append(recorder.state.agents[A])
        await recorder.acknowledged(A, at=NOW)
        seen.append(recorder.state.agents[A])

    run(store(path), work)
    assert seen == [None, in_doubt(), record(at=NOW)]


def test_an_unfinished_run_is_read_from_its_journal(path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        await intend(recorder, 1002)

    leave(store(path), work)
    found = store(path).read()
    assert found.agents == {1001: record(at=NOW), 1002: in_doubt()}
    assert (found.lineage, found.serial) == (None, 0)
    assert names(path.parent) == ["state.json.journal", "state.json.lock"]


def test_an_unfinished_runs_journal_is_closed_before_the_lock_is_free(path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        waiting = asyncio.create_task(intend(recorder))
        await asyncio.sleep(0)
        assert not waiting.done()

    leave(store(path, files=disk), work)
    assert disk.calls[-5:] == ["write", "fsync", "close", "truncate", "close"]
    assert store(path).read().agents == {1001: in_doubt()}


def test_the_next_run_takes_over_what_an_unfinished_one_left(path: Path) -> None:
    leave(store(path), apply_one)
    saved = run(store(path), nothing)
    assert (saved.serial, saved.agents) == (1, {1001: record(at=NOW)})
    assert not path.with_name("state.json.journal").exists()


def test_a_journal_that_is_in_the_snapshot_already_counts_for_nothing_and_is_removed(path: Path) -> None:
    journal = path.with_name("state.json.journal")
    leave(store(path), apply_one)
    stale = journal.read_bytes()
    saved = run(store(path), lambda recorder: recorder.forget(A))
    journal.write_bytes(stale)
    assert store(path).read() == saved
    assert saved.agents == {}
    assert run(store(path), nothing) == saved
    assert not journal.exists()


def test_a_second_run_under_one_lock_goes_on_from_the_first(path: Path) -> None:
    kept = store(path)
    with kept.lock(holder()):
        first = kept.begin_run()
        asyncio.run(apply_one(first))
        second = kept.begin_run()
        assert second.state.agents == {1001: record(at=NOW)}
        with pytest.raises(JournalError, match="is closed"):
            asyncio.run(intend(first, 1002))
        assert second.finish().serial == 1


def test_ten_thousand_agents_are_saved_with_one_replacement(path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await asyncio.gather(*(apply_one(recorder, agent) for agent in range(1001, 11001)))

    assert len(run(store(path, files=disk), work).agents) == 10_000
    assert disk.count("replace") == 2  # the other one moves the journal into the history
    assert disk.count("fsync") < 100


def test_a_linked_state_is_replaced_where_it_is(tmp_path: Path, path: Path) -> None:
    (tmp_path / "shared").mkdir()
    path.symlink_to("shared/real.json")
    run(store(path), apply_one)
    assert path.is_symlink()
    assert names(tmp_path / "shared") == ["real.json", "real.json.history", "real.json.lock"]
    assert store(path).read().serial == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param(lambda r: r.acknowledged(A, at=NOW), "no open intent", id="answer-without-intent"),
        pytest.param(lambda r: r.not_applied(A), "no open intent", id="refusal-without-intent"),
        pytest.param(lambda r: r.in_doubt(A), "no open intent", id="doubt-without-intent"),
        pytest.param(lambda r: r.forget(A), "no record", id="forget-unknown"),
        pytest.param(lambda r: r.note(A, team=None, protected=False), "no record", id="note-unknown"),
        pytest.param(lambda r: r.acknowledged(A, at="now"), "at is 'now'", id="no-time"),
    ],
)
def test_what_cannot_have_happened_is_never_written(path: Path, told: Work, words: str) -> None:
    async def work(recorder: Recorder) -> None:
        with pytest.raises(ValueError, match=words):
            await told(recorder)

    assert run(store(path), work) == empty_state("demo")


def test_writing_needs_the_lock(path: Path) -> None:
    with pytest.raises(RuntimeError, match="under its lock"):
        store(path).begin_run()
    with pytest.raises(RuntimeError, match="under its lock"):
        store(path).write(empty_state("demo"))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_whoever_may_read_the_state_may_read_the_journal_beside_it(path: Path, mode: int) -> None:
    run(store(path), apply_one)
    path.chmod(mode)
    leave(store(path), lambda recorder: apply_one(recorder, 1002))
    assert path.with_name("state.json.journal").stat().st_mode & 0o777 == mode


def test_the_journal_of_a_first_run_is_for_its_owner_only(path: Path) -> None:
    leave(store(path), apply_one)
    assert path.with_name("state.json.journal").stat().st_mode & 0o777 == 0o600
