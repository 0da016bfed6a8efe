"""A journal belongs to one lineage of the state, from the first run on."""

from __future__ import annotations

import errno
from itertools import count
from pathlib import Path

import pytest
from state.records import LINEAGE, NOW, apply_one, holder, in_doubt, intend, state
from state.runs import leave, run

from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.state import OS_FILES, Files, StateStore, encode, open_local_store
from reconciler.state.files import OsFiles
from reconciler.state.journal.entries import RunOpened
from reconciler.state.journal.lines import frame

_drawn = count(1)


class Stuck(OsFiles):
    """Files of which a journal stays where it is."""

    def replace(self, source: Path, target: Path) -> None:
        self._refuse(source)
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self._refuse(path)
        super().unlink(path)

    @staticmethod
    def _refuse(path: Path) -> None:
        if path.name == "state.json.journal":
            raise OSError(errno.EACCES, "Permission denied")


def store(path: Path, *, files: Files = OS_FILES) -> StateStore:
    """Return a store that draws another lineage each time, as real ones do."""
    return open_local_store(
        path,
        site="demo",
        clock=lambda: NOW,
        new_lineage=lambda: f"{next(_drawn):08x}-4c1a-4f5e-9a77-2f1c8d9e0a11",
        files=files,
        display="state.json",
    )


def test_the_journal_of_a_first_run_does_not_count_as_part_of_another_state(path: Path, tmp_path: Path) -> None:
    leave(store(path), apply_one)
    other = tmp_path / "other" / "state.json"
    other.parent.mkdir()
    run(store(other), lambda recorder: apply_one(recorder, 1002))
    path.write_bytes(other.read_bytes())
    with pytest.raises(JournalError, match="continues serial 0 of lineage"):
        store(path).read()


def test_a_first_run_that_was_cut_short_goes_on_under_the_lineage_it_has_drawn(path: Path) -> None:
    leave(store(path), lambda recorder: intend(recorder, 1002))
    taken = run(store(path), apply_one)
    assert taken.agents.keys() == {1001, 1002}
    first, second = store(path).history()[0]
    assert first.lineage == second.lineage == taken.lineage
    assert (first.serial, second.serial, taken.serial) == (0, 1, 2)


def test_a_first_run_that_could_not_remove_its_journal_is_read_as_it_ended(path: Path) -> None:
    saved = run(store(path, files=Stuck()), apply_one)
    assert path.with_name("state.json.journal").exists()
    assert store(path).read() == saved


def test_a_change_by_hand_over_a_first_run_that_was_cut_short_is_of_its_lineage(path: Path) -> None:
    leave(store(path), apply_one)
    kept = store(path, files=Stuck())
    with kept.lock(holder()):
        saved = kept.write(kept.read().with_agents({}))
    assert path.with_name("state.json.journal").exists()
    assert store(path).read() == saved


def test_the_journal_of_a_first_run_of_an_earlier_version_is_read(path: Path) -> None:
    opened = RunOpened(site="demo", lineage=None, serial=0, run="run-1", started_at=NOW)
    journal = path.with_name("state.json.journal")
    intent = (path.parent / "scratch").with_suffix(".json")
    leave(store(intent), intend)
    entries = intent.with_name("scratch.json.journal").read_bytes().splitlines(keepends=True)[1:]
    journal.write_bytes(frame(opened) + b"".join(entries))
    assert store(path).read().agents == {AgentId(1001): in_doubt()}
    path.write_bytes(encode(state(lineage=LINEAGE, serial=1)))
    assert store(path).read() == state(lineage=LINEAGE, serial=1)


def test_a_state_of_another_lineage_is_pushed_whole_over_a_journal_that_cannot_be_removed(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: apply_one(recorder, 1002))
    recorded = store(path).read()
    kept = store(path, files=Stuck())
    with kept.lock(holder()), pytest.raises(StateError, match=r"^state\.json\.journal cannot be removed"):
        kept.push(state(lineage=LINEAGE, serial=40), force=1)
    assert store(path).read().agents == recorded.agents


def test_what_an_unfinished_run_had_done_is_in_the_copy_when_another_lineage_takes_its_place(path: Path) -> None:
    run(store(path), apply_one)
    leave(store(path), lambda recorder: apply_one(recorder, 1002))
    recorded = store(path).read()
    kept = store(path)
    with kept.lock(holder()):
        kept.push(state(lineage=LINEAGE, serial=40), force=1)
    assert store(path).read() == state(lineage=LINEAGE, serial=40)
    assert path.with_name("state.json.backup-1").read_bytes() == encode(recorded)
    assert not path.with_name("state.json.journal").exists()
