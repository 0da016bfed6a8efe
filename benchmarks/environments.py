"""Where the benchmarks work: a scratch directory with fleets in it, and our commands to run there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import RECONCILER, Command


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        yield Path(folder)


def fleet(work: Path, agents: int, *, recorded: bool = True) -> Path:
    """Return a fleet of so many agents, recorded but for 1 %."""
    root = work / f"fleet-{agents}"
    # In a process of its own: the kernel counts as a program's memory what the process had that started it.
    words = [sys.executable, str(Path(__file__).with_name("fleet.py")), str(agents), str(root)]
    subprocess.run([*words, *(["--recorded"] if recorded else [])], check=True)
    return root


def command(*words: str, root: Path, exit_code: int = 0) -> Command:
    """Return our command on the environment at `root`."""
    return Command(words=(*RECONCILER, *words, str(root)), exit_code=exit_code)
