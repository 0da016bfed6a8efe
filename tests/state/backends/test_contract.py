"""What every backend promises: the same cases for all of them, each against its real counterpart."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path

import pytest
from state.backends.rigs import Rig
from state.records import (
    LINEAGE,
    NOW,
    WEB_CHAT_4,
    apply_one,
    holder,
    in_doubt,
    intend,
    planned,
    record,
    state,
)
from state.runs import leave, nothing, run

from reconciler.errors import ExitCode, LockHeldError, StateConflictError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import State, empty_state
from reconciler.state import StateStore, decode, encode
from reconciler.state.backends.http import HttpLock
from reconciler.state.backends.lease import LeaseLock
from reconciler.state.journal.recorder import Recorder
from reconciler.state.locks.flock import FileLock

BOB = holder("bob@night", "run-2")


def put(rig: Rig, wanted: State | bytes) -> None:
    """Make this the kept document, from outside."""
    backend = rig.backend()
    found = backend.load()
    data = wanted if isinstance(wanted, bytes) else encode(wanted)
    backend.save(data, expected=None if found is None else found.version)


def test_nothing_is_there_at_first_and_looking_makes_nothing(rig: Rig) -> None:
    assert rig.store().read() == empty_state("demo")
    assert rig.backend().load() is None


def test_a_run_is_read_back_from_any_machine(rig: Rig) -> None:
    saved = run(rig.store(), apply_one)
    assert (saved.lineage, saved.agents, saved.open_run) == (LINEAGE, {1001: record(at=NOW)}, None)
    assert rig.store("there").read() == saved
    assert run(rig.store("there"), nothing) == saved
    later = run(rig.store("there"), lambda recorder: apply_one(recorder, concurrency=WEB_CHAT_4))
    assert later.serial > saved.serial
    assert rig.store().read() == later


def test_what_is_kept_is_the_document_byte_for_byte(rig: Rig) -> None:
    saved = run(rig.store(), apply_one)
    found = rig.backend().load()
    assert found is not None
    assert found.data == encode(saved)
    assert found.version == rig.backend().load().version  # type: ignore[union-attr]


def test_a_writer_who_is_out_of_date_overwrites_nothing(rig: Rig) -> None:
    first, second, third = (encode(state(serial=serial)) for serial in (1, 2, 3))
    backend = rig.backend()
    version = backend.save(first, expected=None)
    newer = backend.save(second, expected=version)
    assert newer != version
    for stale in (None, version):
        with pytest.raises(StateConflictError):
            rig.backend().save(third, expected=stale)
    found = rig.backend().load()
    assert found is not None
    assert (found.data, found.version) == (second, newer)


def test_ten_megabytes_come_back_as_they_were_written(rig: Rig) -> None:
    big = state(dict.fromkeys(range(100_001, 105_001), record(team="t" * 2000)))
    kept = rig.store()
    with kept.lock(holder()):
        saved = kept.push(big)
    found = rig.backend().load()
    assert found is not None
    assert len(found.data) > 10_000_000
    assert rig.store("there").read() == saved


def test_a_second_holder_is_told_who_the_first_is(rig: Rig) -> None:
    with rig.store().lock(holder()):
        who = r"is locked by alice@desk \(apply, since .*, lock run-1"
        with pytest.raises(LockHeldError, match=who) as caught, rig.store("there").lock(BOB):
            pytest.fail("two holders")
        assert caught.value.exit_code is ExitCode.LOCK_HELD
        assert "nothing was sent" in caught.value.hint
    with rig.store("there").lock(BOB):
        pass


def test_whoever_waits_gets_the_lock_once_it_is_free(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for lock in (FileLock, LeaseLock, HttpLock):
        monkeypatch.setattr(lock, "poll", 0.01)
    told: list[str] = []
    first = rig.store().lock(holder())
    first.__enter__()

    def tell(text: str) -> None:
        told.append(text)
        first.__exit__(None, None, None)  # only now does the other let go

    with rig.store("there").lock(BOB, patience=30, tell=tell):
        pass
    assert len(told) == 1
    assert "locked by alice@desk" in told[0]
    assert "waiting for up to" in told[0]


def test_unlocking_with_the_wrong_id_is_refused_and_names_the_holder(rig: Rig) -> None:
    with rig.store().lock(holder()):
        with pytest.raises(LockHeldError, match=r"alice@desk \(apply") as caught:
            rig.store("there").unlock("run-7")
        assert "run-7 is not the id of that lock" in caught.value.hint
        with pytest.raises(LockHeldError), rig.store("there").lock(BOB):
            pytest.fail("it was broken all the same")


def test_unlocking_what_is_free_says_so(rig: Rig) -> None:
    assert rig.store().unlock("run-1") is None
    with rig.store().lock(holder()):
        pass
    assert rig.store().unlock("run-1") is None
    with rig.store().lock(BOB):
        pass


def test_a_broken_lock_is_free_and_who_held_it_is_named(rig: Rig) -> None:
    rig.plant_lock(holder())
    broken = rig.store("there").unlock("run-1")
    if rig.away:
        assert broken is not None
        assert (broken.id, broken.who) == ("run-1", "alice@desk")
    with rig.store("there").lock(BOB):
        pass


def test_a_living_process_keeps_its_lock_on_this_machine(rig: Rig) -> None:
    if rig.away:
        pytest.skip("only on one machine can it be known that the holder lives")
    with rig.store().lock(holder()):
        with pytest.raises(LockHeldError) as caught:
            rig.store().unlock("run-1")
        assert "its process is alive" in caught.value.hint


def test_the_lock_of_a_dead_run_is_taken_over_and_said_so(rig: Rig) -> None:
    rig.plant_lock(holder())
    told: list[str] = []
    if rig.away and not rig.expires:
        with pytest.raises(LockHeldError) as caught, rig.store().lock(BOB):
            pytest.fail("this protocol cannot tell a dead holder from a living one")
        assert "reconciler state unlock run-1" in caught.value.hint
        return
    with rig.store("there").lock(BOB, tell=told.append):
        pass
    if rig.away:
        assert "watching it for" in told[0]
        assert told[1].startswith("took over the lock on ")
        assert "alice@desk" in told[1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", ": the state file is empty", id="empty"),
        pytest.param(b"{", ": the state file is not JSON", id="cut-short"),
        pytest.param(encode(state())[:-9] + b"}\n", ": the state", id="field-missing"),
        pytest.param(b'{"format_version": "9.0"}', ": format 9.0 was written by a newer reconciler", id="newer"),
    ],
)
def test_what_is_damaged_is_refused_with_where_it_is(rig: Rig, data: bytes, words: str) -> None:
    if not data and rig.away and not rig.expires:
        pytest.skip("in this protocol an empty reply means that nothing is there")
    put(rig, data)
    kept = rig.store()
    with pytest.raises(StateError) as caught:
        kept.read()
    assert str(caught.value).startswith(f"{kept.name}{words}")
    assert caught.value.hint


def test_the_state_of_another_site_is_refused(rig: Rig) -> None:
    put(rig, state())
    kept = rig.store(site="prod")
    with pytest.raises(StateError, match="this is the state of site 'demo', and 'prod' is wanted") as caught:
        kept.read()
    assert kept.name in str(caught.value)


def test_a_state_that_becomes_unreachable_during_a_run_loses_nothing(rig: Rig, tmp_path: Path) -> None:
    rescue = tmp_path / "rescue"
    rescue.mkdir()
    kept = rig.failing_store()

    async def work(recorder: Recorder) -> None:
        await apply_one(recorder)
        await intend(recorder, 1002)
        rig.cut()

    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001, 1002, 1003))
        asyncio.run(work(recorder))
        with pytest.raises(StateError, match="cannot be written") as caught:
            recorder.finish(rescue_directory=rescue)
    command = shlex.split(caught.value.hint.rpartition("with: ")[2])
    assert command == ["reconciler", "state", "push", str(rescue / "errored-state.json"), "demo"]
    rescued = decode((rescue / "errored-state.json").read_bytes(), site="demo")
    assert rescued.agents == {1001: record(at=NOW), 1002: in_doubt()}
    rig.mend()
    assert rig.store().read().agents == rescued.agents  # the journal holds it too
    free(rig)
    pushing = rig.store()
    with pushing.lock(BOB):
        assert pushing.push(rescued) == rescued
    assert rig.store("there").read() == rescued
    assert run(rig.store(), nothing) == rescued


def test_the_next_run_on_the_machine_takes_over_what_could_not_be_written(rig: Rig, tmp_path: Path) -> None:
    rescue = tmp_path / "rescue"
    rescue.mkdir()
    kept = rig.failing_store()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001))
        asyncio.run(apply_one(recorder))
        rig.cut()
        with pytest.raises(StateError, match="cannot be written"):
            recorder.finish(rescue_directory=rescue)
    rig.mend()
    free(rig)
    assert run(rig.store(), nothing).agents == {1001: record(at=NOW)}
    assert rig.store("there").read().agents == {1001: record(at=NOW)}


def free(rig: Rig) -> None:
    """Break the lock that could not be let go of, as its holder's error says."""
    if rig.away:
        rig.store("there").unlock("run-1")


def test_a_run_cut_short_is_known_exactly_on_its_own_machine(rig: Rig) -> None:
    put(rig, state({1001: record(), 1002: record(), 1003: record()}))
    kept = rig.store()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001, 1002, 1003))
        asyncio.run(apply_one(recorder))
        asyncio.run(intend(recorder, 1002))
    found = rig.store().read().agents
    assert found == {1001: record(at=NOW), 1002: in_doubt(at=record().acknowledged_at), 1003: record()}
    assert run(rig.store(), nothing).agents == found
    assert rig.store("there").read().agents == found


def test_a_run_that_died_with_its_machine_leaves_all_it_was_to_call_in_doubt(rig: Rig) -> None:
    if not rig.away:
        pytest.skip("a local state dies with its machine")
    before = {1001: record(WEB_CHAT_4), 1002: record(WEB_CHAT_4), 1009: record(WEB_CHAT_4)}
    put(rig, state(before))
    kept = rig.store()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001, 1002, 1003))
        asyncio.run(apply_one(recorder))
    found = rig.store("there").read()
    assert found.open_run is not None
    assert (found.open_run.run, found.open_run.who) == ("run-1", "alice@desk")
    doubt = {1001: in_doubt(at=record().acknowledged_at), 1002: in_doubt(at=record().acknowledged_at)}
    expected = {**doubt, 1003: in_doubt(), 1009: record(WEB_CHAT_4)}
    assert found.agents == expected
    saved = run(rig.store("there"), nothing)
    assert (saved.agents, saved.open_run) == (expected, None)
    assert run(rig.store(), nothing) == saved  # the machine that comes back knows nothing better any more


def test_a_run_says_that_it_is_open_before_its_first_call_and_ends_it_with_the_last(rig: Rig) -> None:
    if not rig.away:
        pytest.skip("beside a local state the journal says so")
    kept = rig.store()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001))
        during = rig.store("there").read()
        assert (during.open_run is not None, during.agents) == (True, {1001: in_doubt()})
        asyncio.run(intend(recorder))
        asyncio.run(recorder.not_applied(AgentId(1001)))
        after = recorder.finish(rescue_directory=rig.root)
    assert (after.open_run, after.agents, after.serial) == (None, {}, during.serial + 1)


def test_a_run_that_calls_nobody_writes_only_what_changed(rig: Rig) -> None:
    saved = run(rig.store(), apply_one)
    assert run(rig.store(), nothing) == saved
    version = rig.backend().load()
    assert run(rig.store("there"), nothing) == saved
    assert rig.backend().load() == version


def test_a_run_whose_lock_was_broken_cannot_overwrite_the_run_after_it(rig: Rig, tmp_path: Path) -> None:
    if not rig.away:
        pytest.skip("on one machine a lock cannot be broken while its process lives")
    late = rig.store()
    with late.lock(holder()):
        recorder = late.begin_run(planned(1001))
        asyncio.run(apply_one(recorder))
        rig.store("there").unlock("run-1")
        saved = run_as(rig.store("there"))
        with pytest.raises(StateConflictError) as caught:
            recorder.finish(rescue_directory=tmp_path)
    assert rig.store("third").read() == saved
    assert "in doubt there, and the next apply sends them again" in caught.value.hint
    assert decode((tmp_path / "errored-state.json").read_bytes(), site="demo").agents == {1001: record(at=NOW)}


def run_as(kept: StateStore) -> State:
    """Run as somebody else."""
    with kept.lock(BOB):
        recorder = kept.begin_run(planned(1002))
        asyncio.run(apply_one(recorder, 1002))
        return recorder.finish(rescue_directory=Path("/nonexistent"))


def test_a_write_whose_answer_was_lost_is_found_and_not_repeated(rig: Rig, tmp_path: Path) -> None:
    if rig.wire is None:
        pytest.skip("no wire, no lost answer")
    wire = rig.wire
    kept = rig.store()
    kept.read()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001))
        asyncio.run(apply_one(recorder))
        wire.cut()  # whatever connection is kept open is closed
        wire.mend()
        wire.drop_replies = 1
        saved = recorder.finish(rescue_directory=tmp_path)
    assert wire.drop_replies == 0
    assert rig.store("there").read() == saved


@pytest.mark.parametrize(
    ("pushed", "words", "flag"),
    [
        pytest.param(state(serial=7, agents={}), "at serial 7 already", "--force 7", id="same-serial"),
        pytest.param(state(serial=6), "at serial 7 already", "--force 7", id="older"),
        pytest.param(
            state(lineage=LINEAGE.replace("0", "1"), serial=9), "nothing to do with it", "--force 7", id="other-lineage"
        ),
    ],
)
def test_pushing_what_is_no_successor_is_refused_unless_the_serial_is_named(
    rig: Rig, pushed: State, words: str, flag: str
) -> None:
    put(rig, state(serial=7))
    kept = rig.store()
    with kept.lock(holder()):
        with pytest.raises(StateError, match=words) as caught:
            kept.push(pushed)
        assert flag in caught.value.hint
        with pytest.raises(StateError, match="--force names 6"):
            kept.push(pushed, force=6)
        assert rig.store("there").read() == state(serial=7)
        saved = kept.push(pushed, force=7)
    assert (saved.serial, saved.lineage, saved.agents) == (max(8, pushed.serial), pushed.lineage, pushed.agents)
    assert rig.store("there").read() == saved


def test_pushing_what_is_there_already_writes_nothing(rig: Rig) -> None:
    put(rig, state())
    before = rig.backend().load()
    kept = rig.store()
    with kept.lock(holder()):
        assert kept.push(state()) == state()
    assert rig.backend().load() == before


def test_an_unreachable_state_is_an_error_that_names_it_and_shows_no_secret(rig: Rig) -> None:
    if not rig.away:
        pytest.skip("a disk is not unreachable")
    rig.cut()
    kept = rig.store()
    for ask in (kept.read, lambda: kept.lock(holder()).__enter__(), lambda: kept.unlock("run-1")):
        with pytest.raises(StateError) as caught:
            ask()
        text = f"{caught.value} {caught.value.hint}"
        assert kept.name in text
        assert caught.value.hint
        assert not rig.password or rig.password not in text
    rig.mend()


def test_nothing_secret_is_left_on_the_machine(rig: Rig) -> None:
    leave(rig.store(), apply_one)
    run(rig.store(), apply_one)
    files = [path for path in (rig.root / "here").rglob("*") if path.is_file()] if rig.away else []
    assert not [path for path in files if rig.password and rig.password.encode() in path.read_bytes()]
    assert json.loads(rig.backend().load().data)["site"] == "demo"  # type: ignore[union-attr]
