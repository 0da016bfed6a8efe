"""Where the benchmarks work: a scratch directory with fleets in it, and our commands to run there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet import write_fleet, write_state
from measuring import RECONCILER, Command


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        yield Path(folder)


def fleet(work: Path, agents: int, *, recorded: bool = True) -> Path:
    """Return a fleet of so many agents, recorded but for 1 %."""
    root = work / f"fleet-{agents}"
    write_fleet(root, agents)
    if recorded:
        write_state(root)
    return root


def command(*words: str, root: Path, exit_code: int = 0) -> Command:
    """Return our command on the environment at `root`."""
    return Command(words=(*RECONCILER, *words, str(root)), exit_code=exit_code)
