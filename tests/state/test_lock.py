"""One writer at a time, whoever dies."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from state.disk import Disk
from state.records import holder, store

import reconciler
from reconciler.errors import ExitCode, LockHeldError, LockLostError, StateError
from reconciler.state.files import OsFiles

HOLD = """
import sys
from pathlib import Path
from reconciler.state import LockHolder, open_local_store

store = open_local_store(Path(sys.argv[1]), site="demo", clock=str, new_lineage=str)
with store.lock(LockHolder(id="run-9", who="bob@night", operation="watch", since="2026-01-31T01:00:00Z")):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock from another process until told otherwise."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(reconciler.__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def assert_free(path: Path) -> None:
    with store(path).lock(holder()):
        pass


def test_a_second_process_is_told_who_holds_the_lock_and_since_when(tmp_path: Path) -> None:
    with another_process(tmp_path / "state.json"):
        with pytest.raises(LockHeldError) as caught, store(tmp_path / "state.json").lock(holder()):
            pytest.fail("two holders")
        assert str(caught.value) == (
            "state.json is locked by bob@night (watch, since 2026-01-31T01:00:00Z, lock run-9)"
        )
        assert caught.value.exit_code is ExitCode.LOCK_HELD
        assert "wait until that run has ended" in caught.value.hint


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with another_process(tmp_path / "state.json") as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
        assert_free(tmp_path / "state.json")


def test_the_lock_of_a_process_that_ended_is_free(tmp_path: Path) -> None:
    with another_process(tmp_path / "state.json") as process:
        process.communicate(timeout=30)
        assert process.returncode == 0
        assert_free(tmp_path / "state.json")


def test_reading_needs_no_lock(tmp_path: Path) -> None:
    with another_process(tmp_path / "state.json"):
        assert store(tmp_path / "state.json").read().agents == {}


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), None], ids=["error", "ctrl-c", "no-error"])
def test_every_way_out_lets_go(tmp_path: Path, error: BaseException | None) -> None:
    def run() -> None:
        with store(tmp_path / "state.json").lock(holder()):
            if error is not None:
                raise error

    if error is None:
        run()
    else:
        with pytest.raises(type(error)):
            run()
    assert_free(tmp_path / "state.json")
    assert (tmp_path / "state.json.lock").read_bytes() == b""


def test_the_lock_names_its_holder_in_a_file_beside_the_state(tmp_path: Path) -> None:
    with store(tmp_path / "state.json").lock(holder()):
        assert json.loads((tmp_path / "state.json.lock").read_bytes()) == {
            "id": "run-1",
            "who": "alice@desk",
            "operation": "apply",
            "since": "2026-01-31T09:30:00Z",
        }
        assert (tmp_path / "state.json.lock").stat().st_mode & 0o777 == 0o600


def test_two_links_to_one_state_share_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("state.json")
    with store(tmp_path / "state.json").lock(holder()), pytest.raises(LockHeldError):
        assert_free(tmp_path / "link.json")


def test_the_lock_survives_the_state_being_replaced(tmp_path: Path) -> None:
    with store(tmp_path / "state.json").lock(holder()):
        (tmp_path / "new").write_bytes(b"")
        (tmp_path / "new").replace(tmp_path / "state.json")
        with pytest.raises(LockHeldError):
            assert_free(tmp_path / "state.json")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'{"id":"x"}', id="fields-missing"),
        pytest.param(b'{"id":1,"who":2,"operation":3,"since":4}', id="not-text"),
        pytest.param(b'{"id":"\\u001b[2J","who":"a","operation":"b","since":"c"}', id="terminal-escape"),
    ],
)
def test_a_holder_who_cannot_be_named_still_holds(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    with store(path).lock(holder()):
        (tmp_path / "state.json.lock").write_bytes(content)
        with pytest.raises(LockHeldError, match=r"^state\.json is locked by another run$"):
            assert_free(path)


def test_a_holder_of_a_later_version_is_still_named(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with store(path).lock(holder()):
        written = json.loads((tmp_path / "state.json.lock").read_bytes())
        (tmp_path / "state.json.lock").write_text(json.dumps({**written, "url": "ci.test/1"}))
        with pytest.raises(LockHeldError, match="alice@desk"):
            assert_free(path)


@pytest.mark.parametrize(
    ("step", "number", "hint"),
    [
        pytest.param("open_lock", errno.EACCES, "let the user", id="permission"),
        pytest.param("open_lock", errno.ENOENT, "create it", id="directory-missing"),
        pytest.param("lock", errno.ENOLCK, "cannot lock files", id="no-locks-here"),
        pytest.param("write", errno.ENOSPC, "free some space", id="disk-full"),
        pytest.param("truncate", 0, "look at the disk", id="nameless"),
    ],
)
def test_a_lock_that_cannot_be_made_is_an_error_of_the_state(tmp_path: Path, step: str, number: int, hint: str) -> None:
    disk = Disk()
    disk.refusals[step] = OSError(number, "It broke", "/somewhere/else") if number else OSError("/somewhere/else")
    with pytest.raises(StateError) as caught, store(tmp_path / "state.json", files=disk).lock(holder()):
        pytest.fail("no lock was made")
    assert str(caught.value) == f"state.json cannot be locked: {'It broke' if number else 'OSError'}"
    assert hint in caught.value.hint
    assert disk.count("close") == disk.count("open_lock") - (step == "open_lock")


@pytest.mark.parametrize("way", ["removed", "replaced"])
def test_whoever_locked_a_file_that_is_gone_begins_no_call(tmp_path: Path, way: str) -> None:
    kept, lock = store(tmp_path / "state.json"), tmp_path / "state.json.lock"
    with kept.lock(holder()):
        recorder = kept.begin_run()
        recorder.require_lock()
        lock.unlink()
        if way == "replaced":
            lock.touch()
        with pytest.raises(LockLostError, match=r"state\.json\.lock was removed or replaced"):
            recorder.require_lock()
        recorder.close()


def test_whoever_cannot_look_at_the_lock_file_is_not_sure_of_the_lock(tmp_path: Path) -> None:
    disk = Disk()
    kept = store(tmp_path / "state.json", files=disk)
    with kept.lock(holder()):
        disk.refusals["is_at"] = OSError(errno.EIO, "Input/output error")
        with pytest.raises(LockLostError):
            kept.begin_run()


def test_a_lock_is_let_go_of_though_a_child_has_its_file_still_open(tmp_path: Path) -> None:
    files = _Copying()
    kept = store(tmp_path / "state.json", files=files)
    with kept.lock(holder()):
        pass
    with kept.lock(holder()):
        assert len(files.copies) == 2


class _Copying(OsFiles):
    """Keeps a copy of each file that is locked, as a child does between its fork and its exec."""

    def __init__(self) -> None:
        self.copies: list[int] = []

    def lock(self, handle: int) -> None:
        super().lock(handle)
        self.copies.append(os.dup(handle))

    def __del__(self) -> None:
        for copy in self.copies:
            os.close(copy)


@pytest.mark.parametrize(("times", "held"), [(1, True), (2, True), (9, False)])
def test_a_lock_file_that_vanishes_while_it_is_locked_is_made_anew(tmp_path: Path, times: int, held: bool) -> None:
    class Vanishing(OsFiles):
        left = times

        def lock(self, handle: int) -> None:
            super().lock(handle)
            if self.left:
                self.left -= 1
                (tmp_path / "state.json.lock").unlink()

    kept = store(tmp_path / "state.json", files=Vanishing())
    if held:
        with kept.lock(holder()):
            kept.begin_run().close()
    else:
        with pytest.raises(LockHeldError), kept.lock(holder()):
            pytest.fail("held by nobody and everybody")
