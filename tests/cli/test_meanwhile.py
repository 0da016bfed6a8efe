"""What a person sees while a command is busy, counted in what is shown: no test of these waits."""

from __future__ import annotations

import io
import shutil
import sys
import threading
from pathlib import Path

import pytest
from state.records import record, state
from support.rehearsal import RehearsalServer
from support.site import live_site

from reconciler.cli.environment import open_environment
from reconciler.cli.meanwhile import Work, meanwhile, show
from reconciler.cli.store import open_store, read_state
from reconciler.state import encode

DEMO = Path(__file__).parent.parent.parent / "desired" / "demo"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that moves while it is waited, and work that goes on meanwhile and ends in time."""

    def __init__(self, *, work: Work, lasts: float, done: int = 0, total: int = 0) -> None:
        self.seconds = 0.0
        self._work, self._lasts, self._done, self._total = work, lasts, done, total

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        self.seconds = min(self.seconds + seconds, self._lasts)
        if self._total:
            self._work.tell(int(self._done * self.seconds / self._lasts), self._total)
        return self.seconds >= self._lasts


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def shown(screen: Terminal) -> list[str]:
    return screen.getvalue().split("\r\x1b[2K")[1:]


def test_nothing_is_shown_of_what_is_over_in_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    work = Work("reading", "files")
    clock = Clock(work=work, lasts=0.5)
    show(work, clock.wait, clock)
    assert screen.getvalue() == ""


def test_longer_work_shows_its_rate_and_the_time_left_now_and_then_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = at_a_terminal(monkeypatch)
    work = Work("reading", "files")
    clock = Clock(work=work, lasts=4.0, done=40, total=40)
    show(work, clock.wait, clock)
    lines = shown(screen)
    assert lines[0] == "reading: 5 of 40 files, 10/s, 4 s left"
    assert lines[-1] == ""
    assert len(lines) == 1 + (4.0 - 0.5) / 0.2 + 0.5


def test_work_that_nobody_counts_shows_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    work = Work("reading the state")
    clock = Clock(work=work, lasts=2.1)
    show(work, clock.wait, clock)
    assert shown(screen)[-3:] == ["reading the state, 1.9 s", "reading the state, 2.1 s", ""]


def test_what_is_done_and_not_over_claims_no_time_left() -> None:
    work = Work("reading", "files")
    work.tell(1200, 1200)
    assert work.line(4.0) == "reading: 1,200 of 1,200 files, 4.0 s"


def test_without_a_terminal_nothing_is_shown_and_no_thread_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with meanwhile("reading") as work:
        work.tell(1, 2)
        assert "meanwhile" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_is_gone_with_the_work_whatever_ended_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, seen = at_a_terminal(monkeypatch), set[str]()

    def work() -> None:
        with meanwhile("reading"):
            seen.update(thread.name for thread in threading.enumerate())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert "meanwhile" in seen
    assert "meanwhile" not in {thread.name for thread in threading.enumerate()}
    assert screen.getvalue() == ""


def test_a_small_environment_shows_nothing_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    open_environment(DEMO)
    assert screen.getvalue() == ""


TOLD = {
    ("validate", "demo"): ["reading", "putting it into words"],
    ("plan", "demo", "--out", "plan.json"): [
        *("reading", "reading the state", "comparing with what is recorded", "saving the plan"),
        "putting it into words",
    ],
    ("show", "plan.json", "--report", "html=plan.html"): ["reading the document", "writing", "putting it into words"],
    ("apply", "demo", "--plan", "plan.json"): ["reading", "reading the plan", "planning", "putting it into words"],
    ("state", "list", "demo"): ["reading", "reading the state", "putting it into words"],
    ("rollback", "demo/rollback-demo-0.json", "demo", "--preview"): [
        *("reading the way back", "reading", "reading the state", "putting it into words"),
    ],
}
"""Commands, and all that may take long in each of them."""


def test_all_that_may_take_long_is_told_while_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = list[str]()

    class Noted(Work):
        def __init__(self, words: str, unit: str = "") -> None:
            super().__init__(words, unit)
            begun.append(words)

    monkeypatch.setattr("reconciler.cli.meanwhile.Work", Noted)
    found = {}
    with RehearsalServer(agents=range(1001, 1021)) as server, live_site(tmp_path, server) as site:
        for words in TOLD:
            begun.clear()
            assert site.run(*words).code == 0
            found[words] = list(begun)
    assert found == TOLD


def test_a_state_that_is_read_tells_how_many_of_its_agents_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[str]()

    class Noted(Work):
        def tell(self, done: int, total: int) -> None:
            super().tell(done, total)
            told.append(self.line(1.0))

    monkeypatch.setattr("reconciler.cli.meanwhile.Work", Noted)
    shutil.copytree(DEMO, tmp_path / "demo")
    recorded = state(dict.fromkeys(range(1001, 3001), record()))
    (tmp_path / "demo" / "state.json").write_bytes(encode(recorded))
    read_state(open_store(open_environment(tmp_path / "demo")))
    of_the_state = [line for line in told if line.startswith("reading the state: ")]
    assert len(of_the_state) > 1
    assert of_the_state[0].endswith("s left")
    assert of_the_state[-1] == "reading the state: 2,000 of 2,000 agents, 1.0 s"
