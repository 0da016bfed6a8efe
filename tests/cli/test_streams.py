"""Colour and progress only where they are seen; text survives poor encodings."""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.site import Site

from reconciler.cli import main
from reconciler.cli.progress import progress_of
from reconciler.cli.streams import shows_progress, wants_color, write
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
    ids=["terminal", "no-color", "empty-no-color", "dumb", "pipe"],
)
def test_colour_is_for_terminals_and_gives_way_to_no_color(
    stream: Any, environ: dict[str, str], expected: bool
) -> None:
    assert wants_color(stream, environ) is expected


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [(Terminal(), {}, True), (Terminal(), {"CI": "true"}, False), (io.StringIO(), {}, False)],
    ids=["terminal", "ci", "pipe"],
)
def test_progress_is_for_terminals_outside_ci(stream: Any, environ: dict[str, str], expected: bool) -> None:
    assert shows_progress(stream, environ) is expected


def test_a_terminal_gets_colours(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.chdir(site.work)
    monkeypatch.setattr("sys.stdout", terminal)

    main(["plan", "demo"])

    assert "\x1b[" in terminal.getvalue()


def test_a_stream_of_another_encoding_gets_escapes_instead_of_an_error() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    write(stream, "3 → 4\n")

    assert raw.getvalue() == b"3 \\u2192 4\n"


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_result_that_is_cut_short_by_a_full_disk_is_an_error(unbuffered: str, tmp_path: Path) -> None:
    place = tmp_path / "schema.json"
    with place.open("wb") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "reconciler", "schema", "plan"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),  # takes a part, then no more
        )

    told, *_ = ended.stderr.splitlines()  # what measures the tests may have its own files, and say so behind it
    assert place.stat().st_size == 4096
    assert (ended.returncode, told) == (3, "error[invalid-input]: the result cannot be written: File too large")


@pytest.mark.parametrize("unbuffered", [False, True], ids=["buffered", "unbuffered"])
def test_a_pipe_that_does_not_wait_gets_the_whole_result(unbuffered: bool) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    text = "3 → 4\n" * 10_000

    def read() -> bytes:
        with open(reading, "rb") as pipe:  # noqa: PTH123 - a number, and no path
            return pipe.read()

    with ThreadPoolExecutor() as threads:
        read_meanwhile = threads.submit(read)
        raw = io.FileIO(writing, "w")  # as Python makes its own streams
        with io.TextIOWrapper(raw if unbuffered else io.BufferedWriter(raw), "utf-8", write_through=unbuffered) as end:
            write(end, text)

    assert read_meanwhile.result().decode() == text


def test_on_a_terminal_the_bar_counts_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    outcome = Outcome(agent=AgentId(1001), action=Action.SET, result=Result.FAILED)

    with progress_of(itertools.count().__next__) as progress:
        progress.begin(1)
        assert "0/1" in stream.getvalue()
        progress.advance(outcome)

    assert "1/1" in stream.getvalue()
    assert "1 failed" in stream.getvalue()


def test_elsewhere_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)

    with progress_of() as progress:
        progress.begin(1)
        progress.advance(Outcome(agent=AgentId(1001), action=Action.SET, result=Result.APPLIED))

    assert stream.getvalue() == ""
