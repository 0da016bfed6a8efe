"""When the disk says no, nothing is lost and the user is told where it is."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from state.disk import Disk
from state.records import (
    NOW,
    apply_one,
    holder,
    in_doubt,
    intend,
    record,
    store,
)
from state.runs import names, nothing, run

from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.state import decode
from reconciler.state.journal.recorder import Recorder

A = AgentId(1001)


def test_a_state_that_cannot_be_written_is_put_where_it_can_be_found(path: Path, tmp_path: Path) -> None:
    disk = Disk()
    rescue = tmp_path / "here"
    rescue.mkdir()
    kept = store(path, files=disk)
    run(kept, apply_one)

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder, 1002)
        # The disk of the state refuses the new name; the place of rescue is another one.
        disk.replace = lambda source, target: refuse_beside(path, source, target)  # type: ignore[method-assign]

    with pytest.raises(StateError) as caught:
        run(kept, work, rescue=rescue)
    assert str(caught.value) == "state.json cannot be written: No space left on device"
    place = rescue / "errored-state.json"
    assert f"or put the full copy there with: reconciler state push {place} demo" in caught.value.hint
    assert "state.json.journal holds the run" in caught.value.hint
    assert "the next apply takes it over" in caught.value.hint
    rescued = decode(place.read_bytes(), site="demo")
    assert (rescued.serial, rescued.agents) == (2, dict.fromkeys((1001, 1002), record(at=NOW)))
    assert store(path).read().agents == rescued.agents
    assert run(store(path), nothing) == rescued


def test_a_rescued_state_put_in_the_place_of_the_state_by_hand_is_the_state(path: Path, tmp_path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        disk.replace = lambda source, target: refuse_beside(path, source, target)  # type: ignore[method-assign]

    rescue = tmp_path / "here"
    rescue.mkdir()
    with pytest.raises(StateError):
        run(store(path, files=disk), work, rescue=rescue)
    place = rescue / "errored-state.json"
    rescued = decode(place.read_bytes(), site="demo")
    place.replace(path)  # the journal is still beside it
    assert store(path).read() == rescued
    assert run(store(path), nothing) == rescued


def refuse_beside(path: Path, source: Path, target: Path) -> None:
    if target == path:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
    source.replace(target)


def test_the_place_of_rescue_is_named_as_it_was_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    disk = Disk()
    kept = store(path, files=disk)

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        disk.replace = lambda source, target: refuse_beside(path, source, target)  # type: ignore[method-assign]

    with pytest.raises(StateError) as caught:
        run(kept, work)
    assert "reconciler state push errored-state.json demo" in caught.value.hint
    assert str(path.parent) not in f"{caught.value} {caught.value.hint}"


def test_when_nothing_can_be_written_anywhere_the_journal_has_it_all(path: Path, tmp_path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        disk.refusals["open_fresh"] = OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(StateError) as caught:
        run(store(path, files=disk), work, rescue=tmp_path)
    assert "state.json.journal holds the run" in caught.value.hint
    assert "errored-state.json" not in caught.value.hint
    assert store(path).read().agents == {1001: record(at=NOW)}


def test_after_a_failed_journal_the_state_still_holds_every_answer(path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await intend(recorder)
        disk.refusals["fsync"] = OSError(errno.EIO, "Input/output error")
        with pytest.raises(JournalError):
            await recorder.acknowledged(A, at=NOW)
        with pytest.raises(JournalError):
            await intend(recorder, 1002)
        disk.refusals.clear()

    saved = run(store(path, files=disk), work)
    assert saved.agents == {1001: record(at=NOW), 1002: in_doubt()}
    assert store(path).read() == saved


NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


async def fail_at_the_answer(disk: Disk, recorder: Recorder) -> None:
    """Get an answer when neither the journal nor the state can be written any more."""
    await apply_one(recorder)
    await intend(recorder, 1002)
    disk.refusals["write"] = NO_SPACE
    with pytest.raises(JournalError):
        await recorder.acknowledged(AgentId(1002), at=NOW)


def test_where_the_journal_failed_too_it_is_not_said_that_it_holds_the_run(path: Path, tmp_path: Path) -> None:
    disk = Disk()
    with pytest.raises(StateError) as caught:
        run(store(path, files=disk), lambda recorder: fail_at_the_answer(disk, recorder), rescue=tmp_path)
    assert str(caught.value) == "state.json cannot be written: No space left on device"
    hint = caught.value.hint
    assert "nothing is lost" not in hint
    assert "holds the run" not in hint
    assert "state.json.journal could not be written to its end either: the last answers may be missing" in hint
    assert "the next plan then shows those agents as in doubt" in hint
    assert store(path).read().agents == {1001: record(at=NOW), 1002: in_doubt()}


def test_where_the_journal_failed_too_the_rescued_state_is_what_to_use(path: Path, tmp_path: Path) -> None:
    disk = Disk()
    rescue = tmp_path / "here"
    rescue.mkdir()

    async def work(recorder: Recorder) -> None:
        await fail_at_the_answer(disk, recorder)
        disk.refusals.clear()  # the disk of the place of rescue is another one
        disk.replace = lambda source, target: refuse_beside(path, source, target)  # type: ignore[method-assign]

    with pytest.raises(StateError) as caught:
        run(store(path, files=disk), work, rescue=rescue)
    place = rescue / "errored-state.json"
    assert "nothing is lost" not in caught.value.hint
    assert (
        f"{place} is a full copy of the state: before the next apply, reconciler state push {place} demo --force 0"
        in (caught.value.hint)
    )
    kept = store(path)
    with kept.lock(holder()):
        kept.push(decode(place.read_bytes(), site="demo"))
    assert store(path).read().agents == dict.fromkeys((1001, 1002), record(at=NOW))


def test_a_journal_that_fails_in_its_last_batch_is_known_to_have_failed(path: Path, tmp_path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        disk.refusals["fsync"] = OSError(errno.EIO, "Input/output error")
        answer = asyncio.ensure_future(recorder.note(A, team="west", protected=False))
        await asyncio.sleep(0)  # it waits in the journal now, and nobody waits for it
        answer.cancel()

    with pytest.raises(StateError) as caught:
        run(store(path, files=disk), work, rescue=tmp_path)
    assert "nothing is lost" not in caught.value.hint


def test_a_journal_that_cannot_be_removed_at_the_end_is_removed_by_the_next_run(path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        # Nor can it be moved into the history.
        disk.refusals["make_directory"] = disk.refusals["unlink"] = OSError(errno.EACCES, "Permission denied")

    kept = store(path, files=disk)
    saved = run(kept, work)
    assert store(path).read() == saved
    with pytest.raises(StateError, match=r"^state\.json\.journal cannot be removed: Permission denied$"):
        run(kept, nothing)
    assert run(store(path), nothing) == saved
    assert names(path.parent) == ["state.json", "state.json.history", "state.json.lock"]
