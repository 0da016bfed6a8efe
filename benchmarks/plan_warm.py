"""A plan of 100,000 agents, again: nothing has changed since the last, or one file has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from environments import cold, fleet, scratch, warm
from measuring import Figure, at_least, in_turn, measured, ratio, wall

AGENTS = 100_000


def measure() -> Iterator[Figure]:
    """Measure the first plan and both kinds of a second."""
    with scratch() as work:
        root = fleet(work, AGENTS)
        again = warm("plan", root=root)
        measured(again)
        edited = replace(again, prepare=_Editing(root / "agents" / "part-0007.yaml"))
        costs = in_turn({"cold": cold("plan", root=root), "nothing changed": again, "one file changed": edited})
    raw = {name: wall(each) for name, each in costs.items()}
    for row, name in (("warm-nothing", "nothing changed"), ("warm-one-file", "one file changed")):
        what = f"`plan` of 100,000 agents, {name} since the last, v. the first"
        kept = {each: raw[each] for each in ("cold", name)}
        yield at_least(row, what, goal=3, reached=ratio(raw["cold"], raw[name]), raw=kept)


class _Editing:
    """Makes a file new each time it is called, without changing what it says."""

    def __init__(self, file: Path) -> None:
        self._file, self._text, self._count = file, file.read_text(), itertools.count()

    def __call__(self) -> None:
        self._file.write_text(f"{self._text}# edited {next(self._count)}\n")
