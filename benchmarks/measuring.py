"""Running programs side by side and telling what they cost.

Rules of this file: a program is measured as a whole process, by wall clock, processor time and peak memory as the
kernel counts them; programs that are compared run in turn, round after round, since machines drift and ratios do not;
what is told is the median.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
_KIB_A_MIB = 1024

RECONCILER = (str(Path(sys.executable).with_name("reconciler")),)
"""The command as it is installed beside this Python, which is what people and pipelines start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run took."""

    wall: float
    """Seconds by the clock on the wall."""
    cpu: float
    """Seconds of processor time, the kernel's for it and its children's included."""
    rss: float
    """MiB of its own memory at the peak, or of its largest child's if that is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to measure."""

    words: Sequence[str]
    cwd: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""
    prepare: Callable[[], object] | None = None
    """Called before each run, unmeasured."""
    exit_code: int = 0
    """What it must end with, or the figure would be of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table."""

    row: str
    what: str
    goal: str
    reached: str
    met: bool
    raw: Mapping[str, Sequence[float]]
    """Every single measurement, by what was measured."""


def measured(command: Command) -> Cost:
    """Run a program once and return its cost.

    Raises:
        RuntimeError: it ended otherwise than it must.
    """
    if command.prepare is not None:
        command.prepare()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        told = Path(folder) / "figures.json"
        words = [sys.executable, str(Path(__file__).with_name("launch.py")), str(told), *command.words]
        environ = _environ() | dict(command.environ)
        subprocess.run(words, cwd=command.cwd, env=environ, stdout=output, stderr=output, check=True)
        figures = json.loads(told.read_text())
        if figures["code"] != command.exit_code:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command.words)} ended with {figures['code']}:\n{text}")
    return Cost(wall=figures["wall"], cpu=figures["cpu"], rss=figures["kib"] / _KIB_A_MIB)


def _environ() -> dict[str, str]:
    # An installed program has its byte code beside it, and so has one that has run before, unless this forbids it.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_turn(commands: Mapping[str, Command], *, rounds: int = ROUNDS) -> dict[str, list[Cost]]:
    """Run all of them, one after the other, `rounds` times over."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            costs[name].append(measured(command))
    return costs


def wall(costs: Sequence[Cost]) -> list[float]:
    """Return the seconds of each run."""
    return [round(each.wall, 4) for each in costs]


def cpu(costs: Sequence[Cost]) -> list[float]:
    """Return the seconds of processor time of each run: what else the machine does counts for less there."""
    return [round(each.cpu, 4) for each in costs]


def rss(costs: Sequence[Cost]) -> list[float]:
    """Return the MiB of each run."""
    return [round(each.rss, 1) for each in costs]


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return how many times the median of the one is that of the other."""
    return statistics.median(over) / statistics.median(under)


def at_least(row: str, what: str, *, goal: float, reached: float, raw: Mapping[str, Sequence[float]]) -> Figure:
    """Return a row whose figure is a factor that should be large."""
    return Figure(row=row, what=what, goal=f"≥ {goal:g}×", reached=f"{reached:.2f}×", met=reached >= goal, raw=raw)


def at_most(row: str, what: str, *, goal: float, reached: float, raw: Mapping[str, Sequence[float]]) -> Figure:
    """Return a row whose figure is a factor that should be small."""
    return Figure(row=row, what=what, goal=f"≤ {goal:g}×", reached=f"{reached:.2f}×", met=reached <= goal, raw=raw)
