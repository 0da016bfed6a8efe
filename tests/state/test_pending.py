"""Who waits is kept by the state like any record: durable, replayed, and written only if it changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from state.disk import Disk
from state.records import EARLIER, NOW, apply_one, holder, in_doubt, intend, pending, record, state, store
from state.runs import Work, leave, nothing, run

from reconciler.model.agent import AgentId
from reconciler.state import decode, encode
from reconciler.state.journal.recorder import Recorder

A = AgentId(1001)
ONCE = pending(since=NOW, retcode=None)


async def defer(recorder: Recorder) -> None:
    await recorder.deferred(A, at=NOW)


def waits_at_first(path: Path) -> None:
    """Record that 1001, of whom there is no record, waits since earlier."""
    path.write_bytes(encode(state({1002: record()}, waiting={1001: pending()})))


def test_an_agent_who_was_never_applied_waits_without_a_record(path: Path) -> None:
    saved = run(store(path), defer)
    assert (saved.serial, saved.agents, saved.pending) == (1, {}, {1001: ONCE})
    assert store(path).read() == saved == decode(path.read_bytes(), site="demo")


def test_each_deferral_is_a_change_of_content_and_raises_the_serial_once(path: Path) -> None:
    waits_at_first(path)
    kept = store(path)
    assert run(kept, defer).serial == 8
    assert run(kept, nothing).serial == 8
    again = run(kept, defer)
    assert (again.serial, again.pending) == (
        9,
        {1001: pending(since=EARLIER, last=NOW, attempts=3, retcode=None)},
    )


def test_a_count_at_its_limit_stays_there_and_is_written(path: Path) -> None:
    most = 2**53 - 1
    path.write_bytes(encode(state({}, waiting={1001: pending(attempts=most)})))

    assert run(store(path), defer).pending[A].attempts == most


def test_a_wait_that_ends_is_a_change_of_content_too(path: Path) -> None:
    waits_at_first(path)
    saved = run(store(path), lambda recorder: recorder.not_due(A))
    assert (saved.serial, saved.pending) == (8, {})
    assert b"pending" not in path.read_bytes()


def test_a_wait_that_begins_and_ends_in_one_run_leaves_nothing_to_write(path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        await recorder.deferred(A, at=NOW)
        await recorder.not_due(A)

    run(store(path), work)
    assert not path.exists()


def test_an_acknowledgement_ends_the_wait_and_nobody_elses(path: Path) -> None:
    path.write_bytes(encode(state({}, waiting={1001: pending(), 1002: pending()})))
    saved = run(store(path), apply_one)
    assert (saved.agents, saved.pending) == ({1001: record(at=NOW)}, {1002: pending()})


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(lambda r: r.not_applied(A), id="failed"),
        pytest.param(lambda r: r.in_doubt(A), id="in-doubt"),
    ],
)
def test_a_failure_and_a_doubt_leave_the_wait_as_it_is(path: Path, ending: Work) -> None:
    async def work(recorder: Recorder) -> None:
        await intend(recorder)
        await ending(recorder)

    waits_at_first(path)
    assert run(store(path), work).pending == {1001: pending()}


def test_a_deferral_withdraws_the_intent_before_it(path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        await intend(recorder)
        await recorder.deferred(A, at=NOW, retcode="100-006")

    saved = run(store(path), work)
    assert (saved.agents, saved.pending) == ({}, {1001: pending(since=NOW)})


def test_an_unfinished_runs_deferrals_are_read_from_its_journal_and_taken_over(path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        await recorder.deferred(A, at=NOW)
        await intend(recorder, 1003)

    waits_at_first(path)
    leave(store(path), work)
    found = store(path).read()
    assert found.pending == {1001: pending(since=EARLIER, last=NOW, attempts=2, retcode=None)}
    assert found.agents == {1002: record(), 1003: in_doubt()}
    taken_over = run(store(path), nothing)
    assert (taken_over.serial, taken_over.content) == (8, found.content)


def test_a_run_that_left_only_a_deferral_is_taken_over_too(path: Path) -> None:
    leave(store(path), defer)
    assert run(store(path), nothing).pending == {1001: ONCE}
    assert not path.with_name("state.json.journal").exists()


def test_ten_thousand_deferrals_are_synced_together_and_saved_with_one_replacement(path: Path) -> None:
    disk = Disk()

    async def work(recorder: Recorder) -> None:
        await asyncio.gather(*(recorder.deferred(AgentId(agent), at=NOW) for agent in range(1001, 11_001)))

    assert len(run(store(path, files=disk), work).pending) == 10_000
    assert disk.count("replace") == 2  # the other one moves the journal into the history
    assert disk.count("fsync") < 100


def test_writing_other_records_keeps_who_waits(path: Path) -> None:
    waits_at_first(path)
    kept = store(path)
    with kept.lock(holder()):
        saved = kept.write(kept.read().with_agents({A: record()}))
    assert (saved.agents, saved.pending) == ({1001: record()}, {1001: pending()})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param(lambda r: r.not_due(A), "no pending change", id="not-due-without-a-wait"),
        pytest.param(lambda r: r.deferred(A, at="now"), "at is 'now'", id="no-time"),
    ],
)
def test_a_wait_that_cannot_be_is_never_written(path: Path, told: Work, words: str) -> None:
    async def work(recorder: Recorder) -> None:
        with pytest.raises(ValueError, match=words):
            await told(recorder)

    run(store(path), work)
    assert not path.exists()
