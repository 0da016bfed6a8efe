"""Reading the state: without a lock, at any moment, and what is said when it cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from state.records import (
    apply_one,
    holder,
    state,
    store,
)
from state.runs import leave, names, nothing, run

import reconciler.state
from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.state import encode, files
from reconciler.state.journal.recorder import Recorder
from reconciler.values import replace

A = AgentId(1001)


@pytest.mark.parametrize(
    ("make", "words", "hint"),
    [
        pytest.param(lambda p: p.mkdir(), "cannot be read: Is a directory", "must name a file", id="directory"),
        pytest.param(lambda p: p.write_bytes(b""), ": the state file is empty", "move it away", id="empty"),
        pytest.param(lambda p: p.write_bytes(b"{"), ": the state file is not JSON", "restore it", id="cut-short"),
        pytest.param(
            lambda p: p.write_bytes(encode(replace(state(), site="prod"))),
            ": this is the state of site 'prod'",
            "the section state",
            id="other-site",
        ),
        pytest.param(
            lambda p: p.write_bytes(b'{"format_version": "9.0"}'), ": format 9.0 was written by", "upgrade", id="newer"
        ),
    ],
)
def test_what_cannot_be_read_is_named_as_the_user_wrote_it(
    path: Path, make: Callable[[Path], object], words: str, hint: str
) -> None:
    make(path)
    with pytest.raises(StateError) as caught:
        store(path).read()
    assert str(caught.value).startswith(f"state.json{words if words[0] == ':' else ' ' + words}")
    assert hint in caught.value.hint
    assert str(path.parent) not in f"{caught.value} {caught.value.hint}"


def test_a_missing_directory_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    kept = store(tmp_path / "gone" / "state.json", display="gone/state.json")
    with pytest.raises(StateError, match=r"^gone/state\.json cannot be read: No such file or directory$") as caught:
        kept.read()
    assert "create it" in caught.value.hint
    with pytest.raises(StateError, match=r"^gone/state\.json cannot be locked"), kept.lock(holder()):
        pytest.fail("no lock was made")
    assert names(tmp_path) == []


def test_without_a_name_to_display_the_path_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.json").write_bytes(b"")
    with pytest.raises(StateError, match=r"^my\.json: the state file is empty"):
        store(Path("my.json"), display=None).read()


def test_a_journal_that_cannot_be_read_is_an_error(path: Path) -> None:
    path.with_name("state.json.journal").mkdir()
    with pytest.raises(StateError, match=r"^state\.json\.journal cannot be read: Is a directory$"):
        store(path).read()


UNENDING = [
    pytest.param(os.mkfifo, id="pipe"),
    pytest.param(lambda place: place.symlink_to("/dev/zero"), id="link-to-a-device"),
]


@pytest.mark.parametrize("make", UNENDING)
@pytest.mark.parametrize("which", ["state.json", "state.json.journal"])
def test_what_is_no_regular_file_is_refused_at_once_and_by_name(
    path: Path, make: Callable[[Path], object], which: str
) -> None:
    make(path.with_name(which))
    with pytest.raises(StateError) as caught:
        store(path).read()
    assert str(caught.value) == f"{which} cannot be read: Not a regular file"
    assert "must name a plain file" in caught.value.hint
    assert caught.value.exit_code == 10


@pytest.mark.parametrize("which", ["state.json", "state.json.journal"])
def test_a_file_over_the_limit_is_refused_before_it_is_read(path: Path, which: str) -> None:
    with path.with_name(which).open("wb") as file:
        file.truncate(files.MAX_READ + 1)  # it takes no space
    with pytest.raises(StateError) as caught:
        store(path).read()
    assert str(caught.value) == f"{which} cannot be read: Larger than 1 GiB"
    assert "state.path" in caught.value.hint


def test_a_refused_file_is_closed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    close = os.close

    def close_and_tell(handle: int) -> None:
        closed.append(handle)
        close(handle)

    monkeypatch.setattr(os, "close", close_and_tell)
    path.with_name("state.json.journal").mkdir()
    with pytest.raises(StateError, match="Is a directory"):
        store(path).read()
    assert len(closed) == 1


def test_a_damaged_journal_stops_reading_and_running_and_is_left_alone(path: Path) -> None:
    leave(store(path), apply_one)
    journal = path.with_name("state.json.journal")
    damaged = journal.read_bytes().replace(b'"1001"', b'"1007"')
    journal.write_bytes(damaged)
    with pytest.raises(JournalError, match=r"^state\.json\.journal:\d+: the journal is damaged"):
        store(path).read()
    with pytest.raises(JournalError):
        run(store(path), nothing)
    assert journal.read_bytes() == damaged


def test_a_reader_never_sees_less_than_was_durable_before_it_began(path: Path) -> None:
    durable, failures, done = [0], [], threading.Event()

    def read_on() -> None:
        while not done.is_set():
            floor = durable[0]
            try:
                found = store(path).read()
                assert floor == 0 or found.agents[A].concurrency.total >= floor
            except BaseException as error:  # noqa: BLE001 - told in the main thread
                failures.append(error)
                return

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    for reader in readers:
        reader.start()
    for total in range(1, 41):

        async def work(recorder: Recorder, total: int = total) -> None:
            await apply_one(recorder, 1001, Concurrency.of(total, {Channel.WEB_CHAT: total}))
            durable[0] = total

        run(store(path), work)
    done.set()
    for reader in readers:
        reader.join(timeout=30)
    assert failures == []
    assert store(path).read().serial == 40


def test_who_only_reads_does_not_load_what_only_a_run_needs() -> None:
    script = "import sys, reconciler.state; sys.exit(bool({'asyncio', 'concurrent.futures'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(reconciler.__file__).parents[1])
