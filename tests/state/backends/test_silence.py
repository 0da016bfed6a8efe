"""A place that takes what it is sent and never says a word: nobody waits for it longer than there is time."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from state.backends.rigs import Rig
from state.backends.wire import Wire
from state.records import EARLIER, NOW, WEB_CHAT_4, apply_one, holder, in_doubt, planned, record
from state.runs import run
from support.processes import PATIENCE, wait_until

from reconciler.errors import LockHeldError, StateError, StateUnansweredError
from reconciler.model.agent import AgentId
from reconciler.model.state import State
from reconciler.model.state_settings import LocalState
from reconciler.model.states_away import GitState, HttpState, ObjectState, StateSettings
from reconciler.state import LockHolder, StateStore, decode
from reconciler.state.journal.recorder import Recorder
from reconciler.values import replace

AWAY = pytest.mark.parametrize("rig", ["git-http", "object", "http"], indirect=True)
SOON = 4.0
"""Seconds: every backend alone waits longer than that for an answer."""
BOB = LockHolder(id="run-2", who="bob@desk", operation="apply", since=EARLIER)


def ended_soon(work: Callable[[], object]) -> None:
    """Do `work` and see it end, or fail as it does; all while the wire is silent."""
    failed: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised where the test sees it
            failed.append(error)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(SOON)
    assert not thread.is_alive()
    for error in failed:
        raise error


def wire_of(rig: Rig) -> Wire:
    assert rig.wire is not None
    return rig.wire


def another_way(rig: Rig) -> Rig:
    """Return the same place by a way that is not silent."""
    return dataclasses.replace(rig, settings=_at(rig.settings, wire_of(rig)), wire=None)


def _at(settings: StateSettings, wire: Wire) -> StateSettings:
    def direct(url: str | None) -> str:
        return str(url).replace(f":{wire.port}", f":{wire.target}")

    match settings:
        case GitState():
            return replace(settings, remote=direct(settings.remote))
        case HttpState():
            return replace(settings, url=direct(settings.url))
        case ObjectState():
            return replace(settings, options={**settings.options, "endpoint": direct(settings.options["endpoint"])})
        case LocalState():
            raise AssertionError("there is no wire to a file")


def end_in_a_hurry(rig: Rig, rescue: Path, *words: bytes) -> State:
    """Begin a run that may call two, apply one, and end it over a wire that is silent; return what was rescued."""
    kept = rig.store()

    def end() -> None:
        with kept.lock(holder()):
            recorder = kept.begin_run(planned(1001, 1002))
            asyncio.run(apply_one(recorder))
            wire_of(rig).mute(*words)
            kept.hurry(0.5)
            with pytest.raises(StateUnansweredError, match="the run had to end before it answered") as caught:
                recorder.finish(rescue_directory=rescue)
            assert "state push" in caught.value.hint

    ended_soon(end)
    return decode((rescue / "errored-state.json").read_bytes(), site="demo")


async def apply_other(recorder: Recorder) -> None:
    await apply_one(recorder, concurrency=WEB_CHAT_4)


def let_the_late_arrive(rig: Rig) -> None:
    """Let through what was held back, and wait until whoever sent it is done with it."""
    wire_of(rig).mend()
    for thread in threading.enumerate():
        if thread.name == "in-haste":
            thread.join(30)
            assert not thread.is_alive()


@AWAY
def test_a_run_in_a_hurry_leaves_what_nobody_answered_for_in_a_file_and_in_its_journal(
    rig: Rig, tmp_path: Path
) -> None:
    rescued = end_in_a_hurry(rig, tmp_path)
    assert rescued.agents == {1001: record(at=NOW)}
    other = another_way(rig)
    assert other.store("there").read().agents == {1001: in_doubt(), 1002: in_doubt()}
    assert other.store().read().agents == rescued.agents


@AWAY
def test_the_lock_stays_where_the_write_it_is_for_may_still_arrive(rig: Rig, tmp_path: Path) -> None:
    end_in_a_hurry(rig, tmp_path)
    other = another_way(rig)
    if not other.expires:
        with pytest.raises(LockHeldError), other.store("there").lock(BOB):
            pytest.fail("two holders")
    held = other.store("there").unlock("run-1")
    assert held is not None
    assert held.who == "alice@desk"


@AWAY
@pytest.mark.parametrize("words", [(), (b"POST", b"PUT")], ids=["from-then-on", "from-the-write-on"])
def test_a_write_that_was_given_up_and_arrives_late_overwrites_nothing(
    rig: Rig, tmp_path: Path, words: tuple[bytes, ...]
) -> None:
    end_in_a_hurry(rig, tmp_path, *words)
    other = another_way(rig)
    other.store("there").unlock("run-1")
    saved = run(other.store("there"), apply_other)
    assert saved.agents[AgentId(1001)].concurrency == WEB_CHAT_4
    let_the_late_arrive(rig)
    assert other.store("there").read() == saved


@AWAY
def test_a_write_that_was_given_up_and_arrives_all_the_same_is_the_truth(rig: Rig, tmp_path: Path) -> None:
    rescued = end_in_a_hurry(rig, tmp_path)
    let_the_late_arrive(rig)
    assert rig.store("there").read() == rescued
    assert rig.store().read() == rescued


@AWAY
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda kept: kept.read(), id="read"),
        pytest.param(lambda kept: kept.lock(BOB).__enter__(), id="lock"),
        pytest.param(lambda kept: kept.unlock("run-1"), id="unlock"),
    ],
)
def test_whatever_is_asked_of_it_ends_when_the_time_is_over(rig: Rig, ask: Callable[[StateStore], object]) -> None:
    wire_of(rig).mute()
    kept = rig.store()
    kept.hurry(0.2)
    with pytest.raises(StateError, match="the run had to end before it answered"):
        ended_soon(lambda: ask(kept))


@AWAY
def test_an_interrupt_ends_the_waiting_for_it(rig: Rig) -> None:
    wire_of(rig).mute()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupt_after(0.3, rig.store().read)
    assert time.monotonic() - begun < SOON


def raise_interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def interrupt_after(seconds: float, work: Callable[[], object]) -> None:
    """Do `work` in this thread, with a signal on the way whose handler raises."""
    before = signal.signal(signal.SIGALRM, raise_interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_GIVE_UP = """
import sys
from pathlib import Path
from reconciler.errors import StateError
from reconciler.model.states_away import GitState
from reconciler.state import Setting, open_state

around = Setting(root=Path(sys.argv[2]), site="demo", environ={"PATH": sys.argv[3]}, resolve=lambda *_: "",
                 clock=lambda: "", new_lineage=lambda: "", environment="demo")
store = open_state(GitState(remote=sys.argv[1]), around)
store.hurry(1)
try:
    store.read()
except StateError as error:
    print(error)
"""


@pytest.mark.parametrize("rig", ["git-http"], indirect=True)
def test_a_git_that_nobody_waits_for_any_more_ends_with_the_process(rig: Rig, tmp_path: Path) -> None:
    wire_of(rig).mute()
    url = f"http://127.0.0.1:{wire_of(rig).port}/states.git"
    words = [sys.executable, "-c", _GIVE_UP, url, str(tmp_path), rig.environ["PATH"]]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
        wait_until(lambda: any(line.split()[0].endswith("git") for line in programs_with(url)))
        said, _ = program.communicate(timeout=PATIENCE)
    assert "the run had to end before it answered" in said
    wait_until(lambda: not programs_with(url))


def programs_with(word: str) -> list[str]:
    """Return the command lines of this machine that have `word` in them."""
    listed = subprocess.run(["ps", "-A", "-o", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if word in line]
