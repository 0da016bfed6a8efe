"""Many callers, one fsync; and the first failure is the last word."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from state.disk import Disk, SlowDisk
from state.records import LINEAGE, NOW

from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.state.journal.commit import JournalWriter, open_journal
from reconciler.state.journal.entries import Forgotten, RunOpened
from reconciler.state.journal.lines import read_journal

RUN = RunOpened(site="demo", lineage=LINEAGE, serial=7, run="run-1", started_at=NOW)
NAME = "state.json.journal"


def forgotten(number: int) -> Forgotten:
    return Forgotten(agent=AgentId(1000 + number))


def open_at(directory: Path, disk: Disk) -> JournalWriter:
    return open_journal(directory / NAME, RUN, name=NAME, files=disk)


def agents_in(directory: Path) -> list[int]:
    journal = read_journal((directory / NAME).read_bytes(), name=NAME)
    assert journal is not None
    return [entry.agent - 1000 for _, entry in journal.entries]


@asynccontextmanager
async def opened(directory: Path, disk: Disk) -> AsyncIterator[JournalWriter]:
    journal = open_at(directory, disk)
    try:
        yield journal
    finally:
        journal.close()


def test_the_opening_is_durable_before_anything_else(tmp_path: Path) -> None:
    disk = Disk()
    open_at(tmp_path, disk).close()
    assert disk.calls == ["open_append", "write", "fsync", "sync_directory", "close"]
    assert agents_in(tmp_path) == []


def test_a_hundred_commits_at_once_share_one_fsync(tmp_path: Path) -> None:
    disk = Disk()

    async def commit_all() -> None:
        async with opened(tmp_path, disk) as journal:
            await asyncio.gather(*(journal.commit(forgotten(number)) for number in range(100)))

    asyncio.run(commit_all())
    assert disk.count("fsync") == 2  # one of them the opening's
    assert agents_in(tmp_path) == list(range(100))


def test_what_comes_while_the_disk_is_busy_goes_down_together(tmp_path: Path) -> None:
    disk = SlowDisk()
    disk.go_on.set()

    async def commit_in_turns() -> None:
        async with opened(tmp_path, disk) as journal:
            disk.busy.clear()
            disk.go_on.clear()
            waiting = [asyncio.create_task(journal.commit(forgotten(0)))]
            await asyncio.to_thread(disk.busy.wait, 30)
            for number in range(1, 50):
                waiting.append(asyncio.create_task(journal.commit(forgotten(number))))
                await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            disk.go_on.set()
            await asyncio.gather(*waiting)

    asyncio.run(commit_in_turns())
    assert disk.count("fsync") == 3
    assert agents_in(tmp_path) == list(range(50))


def test_a_commit_returns_only_after_its_fsync(tmp_path: Path) -> None:
    disk = Disk()

    async def commit_one_by_one() -> None:
        async with opened(tmp_path, disk) as journal:
            for number in range(3):
                await journal.commit(forgotten(number), forgotten(number + 10))
                assert disk.calls[-2:] == ["write", "fsync"]
                assert agents_in(tmp_path)[-2:] == [number, number + 10]

    asyncio.run(commit_one_by_one())
    assert disk.count("fsync") == 4


def test_a_caller_who_is_cancelled_takes_nothing_from_the_others(tmp_path: Path) -> None:
    disk = SlowDisk()
    disk.go_on.set()

    async def cancel_one() -> None:
        async with opened(tmp_path, disk) as journal:
            disk.go_on.clear()
            tasks = [asyncio.create_task(journal.commit(forgotten(number))) for number in range(3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.sleep(0)
            disk.go_on.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]

    asyncio.run(cancel_one())
    assert agents_in(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_failure_is_final_for_every_waiter_and_every_later_caller(tmp_path: Path, step: str) -> None:
    disk = Disk()

    async def fail() -> list[object]:
        async with opened(tmp_path, disk) as journal:
            await journal.commit(forgotten(0))
            disk.refusals[step] = OSError(errno.ENOSPC, "No space left on device", "/somewhere/else")
            waiting = await asyncio.gather(
                *(journal.commit(forgotten(number)) for number in range(1, 4)), return_exceptions=True
            )
            del disk.refusals[step]
            tried = len(disk.calls)
            late = await asyncio.gather(journal.commit(forgotten(9)), return_exceptions=True)
            assert len(disk.calls) == tried
            return [*waiting, *late]

    results = asyncio.run(fail())
    assert len(results) == 4
    for result in results:
        assert isinstance(result, JournalError)
        assert str(result) == "state.json.journal cannot be made durable: No space left on device"
        assert "free some space" in result.hint
    assert 9 not in agents_in(tmp_path)


def test_who_waits_behind_a_failing_batch_fails_with_it(tmp_path: Path) -> None:
    disk = SlowDisk()
    disk.go_on.set()

    async def fail() -> list[object]:
        async with opened(tmp_path, disk) as journal:
            disk.busy.clear()
            disk.go_on.clear()
            first = asyncio.create_task(journal.commit(forgotten(0)))
            await asyncio.to_thread(disk.busy.wait, 30)
            second = asyncio.create_task(journal.commit(forgotten(1)))
            await asyncio.sleep(0)
            disk.refusals["fsync"] = OSError(errno.EIO, "Input/output error")
            disk.go_on.set()
            return list(await asyncio.gather(first, second, return_exceptions=True))

    assert [type(result) for result in asyncio.run(fail())] == [JournalError, JournalError]
    assert agents_in(tmp_path) == [0]


def test_closing_writes_what_is_still_waiting(tmp_path: Path) -> None:
    disk = Disk()

    async def close_at_once() -> None:
        journal = open_at(tmp_path, disk)
        waiting = asyncio.create_task(journal.commit(forgotten(1)))
        await asyncio.sleep(0)
        journal.close()
        journal.close()
        await waiting
        with pytest.raises(JournalError, match="is closed"):
            await journal.commit(forgotten(2))

    asyncio.run(close_at_once())
    assert agents_in(tmp_path) == [1]
    assert disk.count("close") == 1


def test_a_caller_gone_with_its_loop_does_not_stop_the_closing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SlowDisk()
    disk.go_on.set()
    journal = open_at(tmp_path, disk)
    disk.go_on.clear()

    async def leave() -> None:
        waiting = asyncio.create_task(journal.commit(forgotten(1)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()

    asyncio.run(leave())
    disk.go_on.set()
    journal.close()
    assert agents_in(tmp_path) == [1]
    assert caplog.records == []


@pytest.mark.parametrize("step", ["open_append", "write", "fsync", "sync_directory"])
def test_a_journal_that_cannot_be_begun_is_an_error_of_the_state(tmp_path: Path, step: str) -> None:
    disk = Disk()
    disk.refusals[step] = OSError(errno.EACCES, "Permission denied", "/somewhere/else")
    with pytest.raises(StateError, match=r"^state\.json\.journal cannot be created: Permission denied$"):
        open_at(tmp_path, disk)
    assert disk.count("close") == (step != "open_append")


def test_a_journal_that_is_there_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"of somebody else")
    with pytest.raises(StateError, match="File exists"):
        open_at(tmp_path, Disk())
    assert (tmp_path / NAME).read_bytes() == b"of somebody else"


def test_the_patient_go_down_with_the_first_who_is_not(tmp_path: Path) -> None:
    disk = Disk()

    async def commit_all() -> None:
        async with opened(tmp_path, disk) as journal:
            waiting = [asyncio.create_task(journal.commit(forgotten(number), patient=True)) for number in range(9)]
            await asyncio.sleep(0)
            await journal.commit(forgotten(9))
            assert all(task.done() for task in waiting)

    asyncio.run(commit_all())
    assert disk.count("fsync") == 2  # one of them the opening's
    assert agents_in(tmp_path) == list(range(10))


def test_whoever_is_patient_waits_for_others_and_not_for_ever(tmp_path: Path) -> None:
    async def commit_one() -> None:
        async with opened(tmp_path, Disk()) as journal, asyncio.timeout(30):
            await journal.commit(forgotten(0), patient=True)
            assert agents_in(tmp_path) == [0]

    asyncio.run(commit_one())
