"""Before what is recorded is replaced by hand, a copy of it is durable; and there are never many."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from state.disk import Died, Disk
from state.memory import MemoryBackend
from state.records import LINEAGE, NOW, apply_one, holder, in_doubt, intend, record, state, store
from state.runs import leave, names, run

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import State
from reconciler.state import Setting, StateStore, decode, encode
from reconciler.state.backups import KEPT
from reconciler.state.opening_away import open_away_store


def copy(path: Path, number: int) -> State:
    return decode(path.with_name(f"state.json.backup-{number}").read_bytes(), site="demo")


def drop_all(kept: StateStore) -> State:
    with kept.lock(holder()):
        return kept.write(kept.read().with_agents({}))


def rename_team(kept: StateStore, team: str) -> State:
    with kept.lock(holder()):
        return kept.write(kept.read().with_agents({AgentId(1001): record(team=team)}))


def test_the_copy_is_what_was_recorded_and_pushing_it_puts_that_back(path: Path) -> None:
    before = run(store(path), apply_one)
    kept = store(path)
    saved = drop_all(kept)
    assert kept.backed_up == "state.json.backup-1"
    assert copy(path, 1) == before
    with kept.lock(holder()):
        back = kept.push(copy(path, 1), force=saved.serial)
    assert (back.agents, back.serial, back.lineage) == (before.agents, 3, before.lineage)
    assert copy(path, 1) == saved


def test_only_the_owner_may_read_a_copy(path: Path) -> None:
    run(store(path), apply_one)
    path.chmod(0o644)
    drop_all(store(path))
    assert path.with_name("state.json.backup-1").stat().st_mode & 0o777 == 0o600


def test_the_newest_copies_stay_and_the_oldest_fall_off(path: Path) -> None:
    path.write_bytes(encode(state()))
    for number in range(KEPT + 3):
        rename_team(store(path), f"team-{number}")
    kept = [copy(path, number).agents[AgentId(1001)].team for number in range(1, KEPT + 1)]
    assert kept == [f"team-{number}" for number in range(KEPT + 1, 1, -1)]
    assert not path.with_name(f"state.json.backup-{KEPT + 1}").exists()


def test_runs_make_no_copies(path: Path) -> None:
    run(store(path), apply_one)
    run(store(path), lambda recorder: apply_one(recorder, 1002))
    assert not path.with_name("state.json.backup-1").exists()


def test_nothing_recorded_is_nothing_to_copy(path: Path) -> None:
    kept = store(path)
    with kept.lock(holder()):
        kept.push(state())
    assert kept.backed_up is None
    assert names(path.parent) == ["state.json", "state.json.history", "state.json.lock"]


def test_a_change_that_changes_nothing_makes_no_copy(path: Path) -> None:
    run(store(path), apply_one)
    kept = store(path)
    with kept.lock(holder()):
        kept.write(kept.read())
    assert kept.backed_up is None
    assert not path.with_name("state.json.backup-1").exists()


def test_the_copy_holds_what_an_unfinished_run_has_left(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: intend(recorder, 1002))
    drop_all(store(path))
    assert copy(path, 1).agents == {1001: record(at=NOW), 1002: in_doubt()}


def test_what_cannot_be_copied_is_not_replaced(path: Path) -> None:
    before = run(store(path), apply_one)
    disk = Disk()
    disk.refusals["make_directory"] = OSError(errno.EACCES, "Permission denied")
    with pytest.raises(StateError, match=r"^state\.json\.backup-1 cannot be written: Permission denied$"):
        drop_all(store(path, files=disk))
    assert store(path).read() == before


def test_killed_anywhere_no_copy_is_lost_that_was_to_stay(tmp_path: Path) -> None:
    def prepare(directory: Path) -> Path:
        directory.mkdir()
        path = directory / "state.json"
        path.write_bytes(encode(state()))
        for number in range(KEPT + 1):
            rename_team(store(path), f"team-{number}")
        return path

    disk = Disk()
    rename_team(store(prepare(tmp_path / "alive"), files=disk), "last")
    assert disk.count("replace") > KEPT
    for number in range(len(disk.calls)):
        path = prepare(tmp_path / str(number))
        with pytest.raises(Died):
            rename_team(store(path, files=Disk(die_at=number)), "last")
        rename_team(store(path), "after")
        kept = {
            copy(path, each).agents[AgentId(1001)].team
            for each in range(1, KEPT + 1)
            if path.with_name(f"state.json.backup-{each}").exists()
        }
        expected = {f"team-{each}" for each in range(KEPT, 2, -1)}
        assert expected <= kept, f"call {number}: {disk.calls[number]}"


def test_the_same_is_not_copied_twice_in_a_row(path: Path) -> None:
    # A change that was cut short after its copy, and is repeated.
    run(store(path), apply_one)
    rename_team(store(path), "west")
    disk = Disk()
    with pytest.raises(Died):
        rename_team(store(path, files=Disk(die_at=_save_of_the_state(path, disk))), "night")
    rename_team(store(path), "night")
    assert [copy(path, number).agents[AgentId(1001)].team for number in (1, 2)] == ["west", "east"]
    assert not path.with_name("state.json.backup-3").exists()


def _save_of_the_state(path: Path, disk: Disk) -> int:
    """Return which call begins to write the state, counted on a copy of the directory."""
    elsewhere = path.parent / "counted"
    elsewhere.mkdir()
    for each in path.parent.iterdir():
        if each.is_file():
            (elsewhere / each.name).write_bytes(each.read_bytes())
    rename_team(store(elsewhere / "state.json", files=disk), "night")
    opened = [number for number, name in enumerate(disk.calls) if name == "open_fresh"]
    return opened[1]


def test_behind_a_link_the_copy_is_named_where_it_is(tmp_path: Path, path: Path) -> None:
    (tmp_path / "shared").mkdir()
    path.symlink_to("shared/state.json")
    run(store(path), apply_one)
    kept = store(path)
    drop_all(kept)
    assert kept.backed_up is not None
    assert Path(kept.backed_up).exists()


def test_the_copies_of_a_state_that_is_kept_elsewhere_are_on_this_machine(tmp_path: Path) -> None:
    around = Setting(
        root=tmp_path,
        site="demo",
        environ={},
        resolve=lambda _reference, _what: "",
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        environment="demo",
    )
    kept = open_away_store(MemoryBackend(), journal=".reconciler", around=around)
    before = run(kept, apply_one)
    drop_all(kept)
    assert kept.backed_up == (tmp_path / ".reconciler/demo/state.json.backup-1").as_posix()
    assert decode(Path(kept.backed_up).read_bytes(), site="demo") == before
