"""Replacing a file: the old content or the new, and nothing left behind."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from state.disk import Died, Disk, Moment

from reconciler.state import replace_file


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    replace_file(tmp_path / "state.json", b"new")
    assert (tmp_path / "state.json").read_bytes() == b"new"
    assert mode(tmp_path / "state.json") == 0o600
    assert names(tmp_path) == ["state.json"]


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664])
def test_an_existing_file_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    path.chmod(kept)
    replace_file(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", kept)


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "real.json").write_bytes(b"old")
    (tmp_path / "state.json").symlink_to(Path("shared") / "real.json")
    replace_file(tmp_path / "state.json", b"new")
    assert (tmp_path / "state.json").is_symlink()
    assert (tmp_path / "shared" / "real.json").read_bytes() == b"new"
    assert names(tmp_path / "shared") == ["real.json"]


def test_a_link_planted_at_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".state.json.tmp").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic"):
        replace_file(tmp_path / "state.json", b"new")
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_content_is_synced_before_it_gets_the_name_and_the_name_after(tmp_path: Path) -> None:
    disk = Disk()
    replace_file(tmp_path / "state.json", b"new", files=disk)
    assert disk.calls[2:] == ["open_fresh", "set_mode", "write", "fsync", "close", "replace", "sync_directory"]


def test_a_disk_that_takes_little_at_a_time_gets_everything(tmp_path: Path) -> None:
    disk = Disk()
    disk.chunk = 3
    replace_file(tmp_path / "state.json", b"0123456789", files=disk)
    assert (tmp_path / "state.json").read_bytes() == b"0123456789"
    assert disk.count("write") == 4


def test_content_that_comes_in_chunks_is_written_as_each_is_made(tmp_path: Path) -> None:
    disk, made = Disk(), list[int]()

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            made.append(disk.count("write"))
            yield str(number).encode()

    replace_file(tmp_path / "state.json", chunks(), files=disk)
    assert ((tmp_path / "state.json").read_bytes(), made) == (b"012", [0, 1, 2])


def test_a_chunk_that_cannot_be_made_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise ValueError("nothing more can be said")

    with pytest.raises(ValueError, match="nothing more"):
        replace_file(path, chunks())
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["state.json"])


def test_what_a_killed_process_left_is_reused(tmp_path: Path) -> None:
    (tmp_path / ".state.json.tmp").write_bytes(b"half of something longer than the new content")
    replace_file(tmp_path / "state.json", b"new")
    assert names(tmp_path) == ["state.json"]
    assert (tmp_path / "state.json").read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["disk-full", "ctrl-c"])
@pytest.mark.parametrize("step", ["open_fresh", "set_mode", "write", "fsync", "close", "replace"])
def test_a_failure_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, step: str, error: BaseException
) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    disk = Disk()
    disk.refusals[step] = error
    with pytest.raises(type(error)):
        replace_file(path, b"new", files=disk)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["state.json"]


@pytest.mark.parametrize("moment", ["before", "halfway", "after"])
@pytest.mark.parametrize("step", range(9))
def test_death_at_any_call_leaves_the_old_content_or_the_new(tmp_path: Path, step: int, moment: Moment) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old content")
    with pytest.raises(Died):
        replace_file(path, b"new content", files=Disk(die_at=step, moment=moment))
    assert path.read_bytes() in {b"old content", b"new content"}
