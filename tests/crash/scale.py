"""How much is tried: a sample that every run of the suite affords, and all of it under `make torture`.

Rules of this file: `FIGURES` are what docs/reliability.md says, and each is a floor that its test holds: a test that
tries less than its figure fails.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

TORTURE: Final = bool(os.environ.get("TORTURE"))
"""Set by `make torture`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How often something is tried, at least."""

    what: str
    usually: int
    torture: int
    test: str
    """The module that tries it, in tests/."""

    @property
    def now(self) -> int:
        return amount(self.usually, self.torture)


def amount(usually: int, torture: int) -> int:
    return torture if TORTURE else usually


POINTS = Figure(
    what="Points at which a run is killed: before, after and amid every operation, in six kinds of run",
    usually=1_440,
    torture=1_440,
    test="crash/test_kill_points.py",
)
PAIRS = Figure(
    what="Second kills, at a point of the recovery from the first",
    usually=40,
    torture=6_000,
    test="crash/test_kill_points.py",
)
CUTS = Figure(
    what="Disks found after a power cut: what was not synced, in every combination",
    usually=600,
    torture=2_400,
    test="crash/test_power_cut.py",
)
REFUSALS = Figure(
    what="Operations refused by the system (`ENOSPC`, `EIO`, `EROFS`, `EMFILE`, `EINTR`), once or from then on",
    usually=200,
    torture=6_000,
    test="crash/test_refusals.py",
)
DAMAGES = Figure(
    what="Journals cut at a byte, or with a byte changed",
    usually=7_200,
    torture=130_000,
    test="crash/test_journal_damage.py",
)
HISTORIES = Figure(
    what="Drawn histories of edits, runs, rollbacks, changes by hand, failures, kills, power cuts and absent people",
    usually=50,
    torture=1_000,
    test="crash/test_histories.py",
)
KILLS = Figure(
    what="Real processes killed with `SIGKILL` at a random instant",
    usually=8,
    torture=240,
    test="crash/test_processes.py",
)
INTERRUPTS = Figure(
    what="Real processes told to stop (`SIGINT`, `SIGTERM`) at a random instant",
    usually=3,
    torture=90,
    test="crash/test_processes.py",
)
TRACED = Figure(
    what="Real processes refused, or killed at, a system call under strace",
    usually=4,
    torture=100,
    test="crash/test_processes.py",
)
CONTENDERS = Figure(
    what="Processes that want one lock at once (a file's; fewer for a ref's and an object's)",
    usually=200,
    torture=200,
    test="state/test_contention.py",
)
FIGURES = (POINTS, PAIRS, CUTS, REFUSALS, DAMAGES, HISTORIES, KILLS, INTERRUPTS, TRACED, CONTENDERS)


def sample(items: Sequence[T], size: int, *, seed: int) -> list[T]:
    """Return so many of `items` in their order, the same ones every time; all, if there are no more."""
    if len(items) <= size:
        return list(items)
    chosen = sorted(random.Random(seed).sample(range(len(items)), size))  # noqa: S311 - a sample, not a secret
    return [items[number] for number in chosen]
