"""Saving the state of 100,000 agents beside the least that could be done: orjson, a write, an fsync."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from environments import fleet, scratch
from measuring import ROUNDS, Figure, at_most, ratio

from reconciler.state import decode, encode, replace_file

AGENTS = 100_000


def measure() -> Iterator[Figure]:
    """Measure both, in turn, in this process."""
    with scratch() as work:
        data = (fleet(work, AGENTS) / "state.json").read_bytes()
        state, plain = decode(data, site=f"fleet-{AGENTS}"), orjson.loads(data)
        ways: dict[str, Callable[[], None]] = {
            "ours": lambda: replace_file(work / "ours.json", encode(state)),
            "orjson, write, fsync": lambda: _bare(work / "bare.json", plain),
        }
        raw: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                raw[name].append(_seconds(way))
    what = "state of 100,000 agents: save, atomically, v. bare orjson, write and fsync"
    reached = ratio(raw["ours"], raw["orjson, write, fsync"])
    yield at_most("state-save", what, goal=2, reached=reached, raw=raw)


def _bare(path: Path, plain: object) -> None:
    with path.open("wb") as file:
        file.write(orjson.dumps(plain))
        file.flush()
        os.fsync(file.fileno())


def _seconds(way: Callable[[], None]) -> float:
    begin = time.perf_counter()
    way()
    return round(time.perf_counter() - begin, 4)
