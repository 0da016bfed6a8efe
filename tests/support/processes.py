"""An apply as a process of its own, so that it can be told to stop or killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from support.site import Site

PATIENCE = 20.0


def start_apply(site: Site, *command: str, under: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start `apply --yes --json`, or another command that applies, beside the environment, `under` another program."""
    with _a_terminal_to_lose():
        return subprocess.Popen(
            [*under, sys.executable, "-m", "reconciler", *(command or ("apply",)), "demo", "--yes", "--json"],
            cwd=site.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@contextmanager
def _a_terminal_to_lose() -> Iterator[None]:
    """Begin a process that dies with its terminal, also where these tests themselves run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def wait_until(what: Callable[[], bool]) -> None:
    """Wait for an effect, with a bound that only a broken run meets."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)
