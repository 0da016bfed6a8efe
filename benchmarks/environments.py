"""Where the benchmarks work: a scratch directory with fleets in it, and our commands to run there.

Rule of this file: what a command remembers from one run to the next is in the scratch directory too, so that a cold run
can be had by throwing it away.
"""

from __future__ import annotations

import shutil
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


def cold(*words: str, root: Path, exit_code: int = 0) -> Command:
    """Return our command on the environment at `root`, with nothing remembered from before."""
    cache = root.parent / "cache"
    return _command(words, root, cache, exit_code, forget=True)


def warm(*words: str, root: Path, exit_code: int = 0) -> Command:
    """Return our command on the environment at `root`, with what earlier warm runs have remembered."""
    return _command(words, root, root.parent / "kept-cache", exit_code, forget=False)


def _command(words: tuple[str, ...], root: Path, cache: Path, exit_code: int, *, forget: bool) -> Command:
    return Command(
        words=(*RECONCILER, *words, str(root)),
        environ={"XDG_CACHE_HOME": str(cache)},
        prepare=(lambda: shutil.rmtree(cache, ignore_errors=True)) if forget else None,
        exit_code=exit_code,
    )
