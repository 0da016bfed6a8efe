"""What past runs did is kept for those who ask, bounded, strictly read, and never a reason for a run to fail."""

from __future__ import annotations

import asyncio
import errno
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from state import golden
from state.disk import Died, Disk
from state.memory import MemoryBackend
from state.records import (
    LINEAGE,
    NOW,
    WEB_CHAT_4,
    WEB_CHAT_9,
    apply_one,
    holder,
    intend,
    pending,
    record,
    state,
    store,
)
from state.runs import leave, names, nothing, run

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.past import Ending, Event, PastRun
from reconciler.state import Setting, StateStore, encode
from reconciler.state.files import OS_FILES
from reconciler.state.journal import history as bounds
from reconciler.state.journal.history import History
from reconciler.state.journal.lines import frame, read_journal
from reconciler.state.journal.recorder import Recorder
from reconciler.state.journal.retelling import retell
from reconciler.state.opening_away import open_away_store
from reconciler.values import replace

A, B = AgentId(1001), AgentId(1002)


def told(path: Path) -> tuple[PastRun, ...]:
    runs, flaws = store(path).history()
    assert flaws == ()
    return runs


def events(past: PastRun) -> list[tuple[int, Event, str | None]]:
    return [(event.agent, event.event, event.retcode) for event in past.events]


def history(path: Path) -> Path:
    return path.with_name("state.json.history")


def away(root: Path, backend: MemoryBackend) -> StateStore:
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


async def work(recorder: Recorder) -> None:
    await apply_one(recorder, 1001, session="login-1")
    await intend(recorder, 1002)
    await recorder.not_applied(B, at=NOW, retcode="106-011")
    await recorder.deferred(AgentId(1003), at=NOW, retcode="100-006")
    await intend(recorder, 1004)


def test_a_run_that_ended_is_told_with_who_and_what_and_the_gateways_word(path: Path) -> None:
    run(store(path), work)
    (past,) = told(path)
    assert (past.run, past.operation, past.who, past.started_at) == ("run-1", "apply", "alice@desk", NOW)
    assert (past.ending, past.site, past.serial) == (Ending.ENDED, "demo", 0)
    assert events(past) == [
        (1001, Event.APPLIED, "0"),
        (1002, Event.FAILED, "106-011"),
        (1003, Event.DEFERRED, "100-006"),
        (1004, Event.IN_DOUBT, None),
    ]
    assert past.events[0].record == record(at=NOW, session="login-1")
    assert past.events[-1].at == NOW  # whoever is in doubt was called then, or soon after


def test_every_kind_of_entry_is_told() -> None:
    journal = read_journal(b"".join(map(frame, (golden.RUN, *golden.ENTRIES))), name="j")
    assert journal is not None
    past = retell(journal, Ending.ENDED)
    assert [(event.agent, event.event, event.kept) for event in past.events] == [
        (101, Event.APPLIED, True),
        (1001, Event.APPLIED, False),
        (1003, Event.FAILED, True),
        (1004, Event.NOT_APPLIED, True),
        (1005, Event.DEFERRED, True),
        (1006, Event.DEFERRED, True),
        (20_001, Event.NOT_DUE, True),
        (999_999, Event.FORGOTTEN, True),
        (1002, Event.NOTED, True),
        (1007, Event.RECORDED, True),
        (1008, Event.IN_DOUBT, True),
    ]


def test_runs_are_told_in_the_order_they_came(path: Path) -> None:
    for agent in (1005, 1001, 1003):
        run(store(path), lambda recorder, agent=agent: apply_one(recorder, agent))  # type: ignore[misc]
    assert [past.events[0].agent for past in told(path)] == [1005, 1001, 1003]
    assert [past.serial for past in told(path)] == [0, 1, 2]


def test_a_run_that_did_nothing_leaves_nothing(path: Path) -> None:
    run(store(path), apply_one)
    for _ in range(3):
        run(store(path), nothing)
    assert len(told(path)) == 1


def test_a_run_that_was_cut_short_is_told_before_and_after_another_took_over(path: Path) -> None:
    leave(store(path), intend)
    (before,) = told(path)
    assert (before.ending, events(before)) == (Ending.NOT_ENDED, [(1001, Event.IN_DOUBT, None)])
    run(store(path), lambda recorder: apply_one(recorder, 1002))
    cut, ended = told(path)
    assert (cut.ending, events(cut)) == (Ending.CUT_SHORT, events(before))
    assert (ended.ending, events(ended)) == (Ending.ENDED, [(1002, Event.APPLIED, "0")])


def test_a_run_that_was_cut_in_the_middle_of_a_line_is_told_up_to_there(path: Path) -> None:
    leave(store(path), work)
    journal = path.with_name("state.json.journal")
    journal.write_bytes(journal.read_bytes()[:-5])
    run(store(path), nothing)
    (past,) = told(path)
    assert events(past)[-1] == (1003, Event.DEFERRED, "100-006")


def test_a_change_by_hand_is_told_agent_by_agent(path: Path) -> None:
    path.write_bytes(encode(state({1001: record(), 1002: record()}, waiting={1002: pending(), 1003: pending()})))
    kept = store(path)
    with kept.lock(holder()):
        found = kept.read()
        kept.write(replace(found, agents={A: record(WEB_CHAT_4), B: record()}, pending={}))
        found = kept.read()
        kept.write(found.with_agents({A: record(WEB_CHAT_4)}))
    put, dropped = told(path)
    assert (put.ending, put.serial, put.who) == (Ending.BY_HAND, 7, "alice@desk")
    assert events(put) == [(1001, Event.RECORDED, None), (1002, Event.NOT_DUE, None), (1003, Event.NOT_DUE, None)]
    assert put.events[0].record == record(WEB_CHAT_4)
    assert events(dropped) == [(1002, Event.FORGOTTEN, None)]


def test_a_pushed_state_is_told_by_what_it_changed(path: Path) -> None:
    path.write_bytes(encode(state({1001: record(), 1002: record()})))
    kept = store(path)
    with kept.lock(holder()):
        kept.push(state({1001: record(WEB_CHAT_4), 1003: record()}, serial=9))
    (past,) = told(path)
    assert events(past) == [
        (1001, Event.RECORDED, None),
        (1002, Event.FORGOTTEN, None),
        (1003, Event.RECORDED, None),
    ]


def test_the_history_of_a_state_that_is_kept_elsewhere_stays_on_the_machine_of_the_run(tmp_path: Path) -> None:
    backend = MemoryBackend()
    run(away(tmp_path / "here", backend), apply_one)
    (past,), flaws = away(tmp_path / "here", backend).history()
    assert (past.ending, events(past), flaws) == (Ending.ENDED, [(1001, Event.APPLIED, "0")], ())
    assert away(tmp_path / "there", backend).history() == ((), ())


# Bounds


def fill(directory: Path, *, runs: int, entry: bytes) -> History:
    """Keep `runs` journals by the same way a run takes."""
    kept = History(directory / "history", display="history", files=OS_FILES)
    for _ in range(runs):
        (directory / "journal").write_bytes(entry)
        kept.take(directory / "journal", Ending.ENDED)
    assert kept.warnings == []
    return kept


def numbers(directory: Path) -> list[int]:
    return [int(name[:8]) for name in names(directory / "history")]


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    fill(tmp_path, runs=bounds.MAX_RUNS + 3, entry=b"one\ntwo\n")
    assert numbers(tmp_path) == list(range(4, bounds.MAX_RUNS + 4))


def test_the_runs_kept_take_only_so_much_room_and_the_newest_stays_whatever_it_takes(tmp_path: Path) -> None:
    third = b"one\n" + b"x" * (bounds.MAX_BYTES // 3) + b"\n"
    fill(tmp_path, runs=4, entry=third)
    assert numbers(tmp_path) == [3, 4]
    fill(tmp_path, runs=1, entry=b"one\n" + b"x" * bounds.MAX_BYTES + b"\n")
    assert numbers(tmp_path) == [5]


def test_what_is_not_ours_in_the_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    for name in ("notes.txt", "00000009-ended.journal.old", "9-ended.journal"):
        (tmp_path / "history" / name).write_text("mine")
    (tmp_path / "history" / "00000007-ended.journal").symlink_to(tmp_path / "elsewhere")
    kept = fill(tmp_path, runs=bounds.MAX_RUNS + 1, entry=b"one\ntwo\n")
    assert {"notes.txt", "00000009-ended.journal.old", "9-ended.journal"} <= set(names(tmp_path / "history"))
    assert len(kept._found()) == bounds.MAX_RUNS


# Damage


def test_a_damaged_journal_is_named_with_its_place_and_the_others_are_told(path: Path) -> None:
    for agent in (1001, 1002, 1003):
        run(store(path), lambda recorder, agent=agent: apply_one(recorder, agent))  # type: ignore[misc]
    spoilt = history(path) / "00000002-ended.journal"
    data = bytearray(spoilt.read_bytes())
    offset = data.index(b"\n") + 1
    data[offset + 30] ^= 1
    spoilt.write_bytes(data)
    runs, (flaw,) = store(path).history()
    assert [past.events[0].agent for past in runs] == [1001, 1003]
    assert str(flaw).startswith(f"state.json.history/00000002-ended.journal:{offset}: the journal is damaged: ")
    assert flaw.hint == bounds.LEFT_OUT


def test_a_journal_cut_at_any_byte_is_told_in_part_or_left_out_and_never_raises(path: Path) -> None:
    run(store(path), work)
    kept = history(path) / "00000001-ended.journal"
    whole, seen = kept.read_bytes(), []
    for length in range(len(whole) + 1):
        kept.write_bytes(whole[:length])
        runs, flaws = store(path).history()
        assert flaws == ()
        seen.append(sum(event.event is not Event.IN_DOUBT for past in runs for event in past.events))
    assert (seen[0], seen[-1]) == (0, 3)
    assert all(before <= after for before, after in pairwise(seen))


def test_an_answer_without_its_intent_is_no_history(path: Path) -> None:
    run(store(path), apply_one)
    kept = history(path) / "00000001-ended.journal"
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(lines[0] + lines[2])
    runs, (flaw,) = store(path).history()
    assert runs == ()
    assert f":{len(lines[0])}: the journal is damaged: agent 1001 has no open intent" in str(flaw)


def test_a_journal_of_the_future_is_left_out_with_the_remedy(path: Path) -> None:
    run(store(path), apply_one)
    kept = history(path) / "00000001-ended.journal"
    payload = kept.read_bytes().splitlines()[0][18:].replace(b'"1.0"', b'"7.0"')
    kept.write_bytes(b"%08x %08x %b\n" % (len(payload), zlib.crc32(payload), payload))
    _, (flaw,) = store(path).history()
    assert "format 7.0 was written by a newer reconciler" in str(flaw)
    assert "upgrade this reconciler" in flaw.hint


def test_a_damaged_journal_of_the_run_under_way_does_not_hide_the_past(path: Path) -> None:
    run(store(path), apply_one)
    path.with_name("state.json.journal").write_bytes(b"nonsense\n")
    runs, (flaw,) = store(path).history()
    assert len(runs) == 1
    assert "state.json.journal:0" in str(flaw)


def test_a_directory_that_cannot_be_read_is_said_so(path: Path) -> None:
    run(store(path), apply_one)
    disk = Disk()
    disk.refusals["sizes_in"] = OSError(errno.EACCES, "Permission denied")
    runs, (flaw,) = store(path, files=disk).history()
    assert runs == ()
    assert str(flaw) == "state.json.history cannot be read: Permission denied"


def test_telling_the_history_writes_nothing(path: Path) -> None:
    leave(store(path), work)
    disk = Disk()
    store(path, files=disk).history()
    assert set(disk.calls) <= {"read", "sizes_in", "real_path", "mode_of"}


# A run does not fail for its history


@pytest.mark.parametrize("refused", ["make_directory", "sizes_in"])
def test_a_history_that_cannot_be_kept_is_a_warning(path: Path, refused: str) -> None:
    disk = Disk()
    disk.refusals[refused] = OSError(errno.ENOSPC, "No space left on device")
    kept = store(path, files=disk)
    assert run(kept, apply_one).agents == {1001: record(at=NOW)}
    (warning,) = kept.warnings
    assert warning.code == "history-not-kept"
    assert warning.summary == "state.json.history cannot be kept up to date: No space left on device"
    assert not path.with_name("state.json.journal").exists()


def test_a_file_in_the_place_of_the_history_is_a_warning(path: Path) -> None:
    history(path).write_text("mine")
    kept = store(path)
    assert run(kept, apply_one).serial == 1
    assert kept.warnings[0].code == "history-not-kept"
    assert history(path).read_text() == "mine"
    runs, (flaw,) = kept.history()
    assert (runs, isinstance(flaw, StateError)) == ((), True)


def test_a_change_by_hand_that_cannot_be_told_is_made_with_a_warning(path: Path) -> None:
    path.write_bytes(encode(state()))
    history(path).write_text("mine")
    kept = store(path)
    with kept.lock(holder()):
        assert kept.write(kept.read().with_agents({})).serial == 8
    assert [each.code for each in kept.warnings] == ["history-not-kept"]


def test_killed_anywhere_a_run_is_told_once_or_not_yet(tmp_path: Path) -> None:
    def live(path: Path, disk: Disk) -> None:
        path.parent.mkdir()
        run(store(path, files=disk), apply_one)

    disk = Disk()
    live(tmp_path / "alive" / "state.json", disk)
    for number in range(len(disk.calls)):
        path = tmp_path / str(number) / "state.json"
        with pytest.raises(Died):
            live(path, Disk(die_at=number))
        before = told(path)
        assert len(before) <= 1, number
        run(store(path), nothing)
        after = [past for past in told(path) if past.events]
        assert len(after) == sum(bool(past.events) for past in before), f"call {number}: {disk.calls[number]}"
        acknowledged = bool(store(path).read().agents)
        assert not acknowledged or len(after) == 1, f"call {number}: {disk.calls[number]}"


def test_the_run_under_way_is_not_told_twice_when_it_ends_meanwhile(path: Path) -> None:
    kept = store(path)
    with kept.lock(holder()):
        recorder = kept.begin_run()
        asyncio.run(apply_one(recorder, 1001, WEB_CHAT_9))
        disk = _EndsBetween(recorder.finish)
        runs, flaws = store(path, files=disk).history()
    assert (len(runs), flaws) == (1, ())
    assert runs[0].ending is Ending.ENDED


class _EndsBetween(Disk):
    """The run ends after its journal was read, and before the directory is."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self._end = end

    def sizes_in(self, path: Path) -> dict[str, int]:
        self._end()
        return super().sizes_in(path)
