"""Finding 1,000 problems in the files of 100,000 agents beside finding none."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from environments import command, fleet, scratch
from measuring import Figure, at_most, cpu, in_turn, ratio

AGENTS, PROBLEMS_A_FILE = 100_000, 10
_INVALID_INPUT = 3


def measure() -> Iterator[Figure]:
    """Measure both."""
    with scratch() as work:
        clean = fleet(work, AGENTS, recorded=False)
        broken = work / "broken"
        shutil.copytree(clean, broken)
        for file in (broken / "agents").iterdir():
            _break(file)
        commands = {
            "clean": command("validate", root=clean),
            "1,000 problems": command("validate", root=broken, exit_code=_INVALID_INPUT),
        }
        costs = in_turn(commands)
    raw = {name: cpu(each) for name, each in costs.items()}
    what = "`validate` finding 1,000 problems in 100,000 agents v. a clean run"
    yield at_most("validate-problems", what, goal=2, reached=ratio(raw["1,000 problems"], raw["clean"]), raw=raw)


def _break(file: Path) -> None:
    """Misspell a key, a profile, a channel or a number here and there, the same way each time."""
    lines = file.read_text().splitlines(keepends=True)
    step = len(lines) // (PROBLEMS_A_FILE + 1)
    for number in range(1, PROBLEMS_A_FILE + 1):
        line = lines[number * step]
        mistakes = (("{profile:", "{profil:"), ("profile: ", "profile: x"), ("{profile:", "{total: 61, profile:"))
        wrong, right = mistakes[number % len(mistakes)]
        lines[number * step] = re.sub(re.escape(wrong), right, line, count=1)
    file.write_text("".join(lines))
