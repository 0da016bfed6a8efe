"""A state that finds no place of its own is put where nothing was, and nobody's file is lost for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from state.disk import Disk
from state.records import LINEAGE, record, state
from state.runs import names

from reconciler.model.state import State
from reconciler.state import OS_FILES, decode
from reconciler.state.files import OsFiles
from reconciler.state.rescue import rescue_state
from reconciler.values import replace

OF_ANOTHER_SITE = replace(state({2002: record()}, serial=3), site="prod", lineage=LINEAGE.replace("0", "1"))


def found(place: Path | None, site: str = "demo") -> State:
    assert place is not None
    return decode(place.read_bytes(), site=site)


def test_two_sites_that_find_no_place_in_one_directory_both_find_their_state_again(tmp_path: Path) -> None:
    first = rescue_state(state(), tmp_path, files=OS_FILES)
    second = rescue_state(OF_ANOTHER_SITE, tmp_path, files=OS_FILES)
    assert (found(first), found(second, "prod")) == (state(), OF_ANOTHER_SITE)
    assert names(tmp_path) == ["errored-state-prod-3.json", "errored-state.json"]


def test_one_site_that_finds_no_place_again_and_again_overwrites_nothing(tmp_path: Path) -> None:
    states = [state({1001 + number: record()}) for number in range(4)]
    places = [rescue_state(each, tmp_path, files=OS_FILES) for each in states]
    assert [found(place) for place in places] == states
    assert [place.name for place in places if place] == [
        "errored-state.json",
        "errored-state-demo-7.json",
        "errored-state-demo-7-2.json",
        "errored-state-demo-7-3.json",
    ]


@pytest.mark.parametrize("there", [True, False], ids=["to-a-file", "to-nothing"])
def test_a_link_that_somebody_has_put_there_is_not_followed(tmp_path: Path, there: bool) -> None:
    precious, directory = tmp_path / "precious", tmp_path / "here"
    directory.mkdir()
    if there:
        precious.write_text("precious")
    (directory / "errored-state.json").symlink_to(precious)
    place = rescue_state(state(), directory, files=OS_FILES)
    assert found(place) == state()
    assert place == directory / "errored-state-demo-7.json"
    assert not precious.exists() or precious.read_text() == "precious"


def test_a_state_that_cannot_be_written_there_either_leaves_no_name_behind(tmp_path: Path) -> None:
    disk = Disk()
    disk.refusals["write"] = OSError(28, "No space left on device")
    assert rescue_state(state(), tmp_path, files=disk) is None
    assert names(tmp_path) == []


def test_a_directory_full_of_rescued_states_is_left_as_it_is(tmp_path: Path) -> None:
    class Full(OsFiles):
        def open_append(self, path: Path) -> int:
            raise FileExistsError(17, f"{path} exists")

    assert rescue_state(state(), tmp_path, files=Full()) is None
