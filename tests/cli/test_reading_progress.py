"""What a look at a large environment shows meanwhile."""

from __future__ import annotations

import io
import sys
from itertools import count
from pathlib import Path

import pytest

from reconciler.cli.environment import open_environment
from reconciler.cli.reading_progress import reading_progress

DEMO = Path(__file__).parent.parent.parent / "desired" / "demo"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def shown(screen: Terminal) -> list[str]:
    return screen.getvalue().split("\r\x1b[2K")[1:]


def test_nothing_is_shown_in_the_first_half_second(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    clock = count(0, 0.01)
    with reading_progress(lambda: next(clock)) as tell:
        for done in range(1, 41):
            tell(done, 40)
    assert screen.getvalue() == ""


def test_a_longer_look_shows_its_rate_and_the_time_left_a_few_times_a_second_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = at_a_terminal(monkeypatch)
    clock = count(0, 0.1)
    with reading_progress(lambda: next(clock)) as tell:
        for done in range(1, 41):
            tell(done, 40)
    lines = shown(screen)
    assert lines[0] == "reading 5 of 40 files, 10/s, 4 s left"
    assert lines[-2:] == ["reading 40 of 40 files, 10/s, comparing", ""]
    assert len(lines) < 25


def test_without_a_terminal_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    clock = count(0, 10)
    with reading_progress(lambda: next(clock)) as tell:
        tell(1, 2)
    assert stream.getvalue() == ""


def test_a_small_environment_shows_nothing_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    open_environment(DEMO)
    assert screen.getvalue() == ""
