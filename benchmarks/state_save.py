"""Saving the state of 100,000 agents beside the least that could be done: orjson, a write, an fsync."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from environments import fleet, scratch
from measuring import ROUNDS, Figure, at_most, ratio

AGENTS = 100_000
OURS, BARE = "ours", "orjson, write, fsync"
WAYS = {OURS: "ours", BARE: "bare"}


def measure() -> Iterator[Figure]:
    """Measure both, in turn, each time in a process of its own."""
    first: dict[str, list[float]] = {name: [] for name in WAYS}
    again: dict[str, list[float]] = {name: [] for name in WAYS}
    with scratch() as work:
        state = fleet(work, AGENTS) / "state.json"
        for _ in range(ROUNDS):
            for name, way in WAYS.items():
                seconds = _saved(way, state)
                first[name].append(seconds[0])
                again[name].append(statistics.median(seconds[1:]))
    what = "state of 100,000 agents: save, atomically, v. bare orjson, write and fsync"
    yield at_most("state-save", what, goal=2, reached=_times(first), raw=first)
    yield at_most("state-save-again", "the same, once more in one process", goal=2, reached=_times(again), raw=again)


def _times(raw: Mapping[str, Sequence[float]]) -> float:
    return ratio(raw[OURS], raw[BARE])


def _saved(way: str, state: Path) -> Sequence[float]:
    words = [sys.executable, str(Path(__file__).with_name("saved.py")), way, str(state), f"fleet-{AGENTS}"]
    seconds: Sequence[float] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return seconds
