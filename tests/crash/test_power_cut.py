"""The power goes at any operation: whatever part of what was not synced is found again, what was told holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from crash.disk import ModelDisk
from crash.fleets import EVERYBODY
from crash.laws import check_convergence, check_truth
from crash.runs import ROOT, live
from crash.scale import CUTS, amount, sample
from crash.stories import NAMES, tell
from crash.test_kill_points import naming

STATE = ROOT / "state.json"


@pytest.mark.parametrize("name", NAMES)
def test_a_power_cut_at_any_operation_takes_nothing_that_was_told(name: str) -> None:
    told, found = tell(name), 0
    finished: set[object] = set()
    for remains in sample(told.remains, amount(70, 1000), seed=4):
        for disk in remains.place.disk.power_cuts():
            found += 1
            place = replace(remains.place.copy(), disk=disk)
            with naming(remains):
                book = place.floor.book[told.life.first_call :]
                check_truth(told.before, told.plan, remains.told, book, place.read())
                if place.traces not in finished and (len(finished) < amount(20, 10**6)):
                    finished.add(place.traces)
                    check_convergence(place, told.story.desired, remains.told, EVERYBODY)
    assert found >= CUTS.now // len(NAMES)


@pytest.mark.parametrize("name", ["forget-3", "away-3"])
def test_after_the_power_cut_that_follows_a_run_its_state_is_found(name: str) -> None:
    told = tell(name)
    place = told.story.place.copy()
    live(place, told.story.desired)
    ended = place.read().content
    assert all(replace(place, disk=disk).read().content == ended for disk in place.disk.power_cuts())


def test_the_disk_of_these_tests_does_lose_what_was_not_synced() -> None:
    disk = ModelDisk(ROOT)
    handle = disk.open_fresh(STATE)
    disk.write(handle, b"half and half")
    found = {disk.files().get("state.json") for disk in disk.power_cuts()}
    assert found == {None, b"", b"half and half", b"half a", b"\0" * 13}
    disk.fsync(handle)
    assert {disk.files().get("state.json") for disk in disk.power_cuts()} == {None, b"half and half"}
    disk.sync_directory(ROOT)
    assert {disk.files().get("state.json") for disk in disk.power_cuts()} == {b"half and half"}


def test_the_disk_of_these_tests_shows_a_renaming_before_the_content_that_was_not_synced() -> None:
    disk = ModelDisk(ROOT)
    disk.put(STATE, b"old")
    handle = disk.open_fresh(ROOT / "new")
    disk.write(handle, b"new")
    disk.replace(ROOT / "new", STATE)
    assert {b"", b"old", b"new"} <= {disk.files().get("state.json") for disk in disk.power_cuts()}


# TODO
