"""A program that is run for what it says, and ended with all it has started.

Rules of this file: no shell; a process group of its own, so that it can be killed with its children and is not cut off
by an interrupt at the terminal; and an end on every way out, also where the thread that listens to it is left to itself
and this process ends first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_GRACE = 5.0  # seconds for a killed program to be gone; only one that hangs in the kernel needs them


def start(
    words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a program with exactly `environ`; what it says and complains of comes through pipes.

    Raises:
        OSError: it cannot be started.
        ValueError: its words cannot be passed to a program.
    """
    return subprocess.Popen(  # noqa: S603 - no shell; what is run is the caller's to answer for
        words,
        cwd=cwd,
        env=dict(environ),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@contextlib.contextmanager
def ended(program: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the program with all it has started at the end of the block, unless somebody has waited for it by then."""
    at_exit = weakref.finalize(program, _kill_group, program.pid)
    try:
        yield
    finally:
        at_exit.detach()
        if program.returncode is None:  # nobody has waited for it, so the number is still its group's
            _kill_group(program.pid)
        for stream in (program.stdin, program.stdout, program.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what it was to be told and did not hear
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(_GRACE)


def _kill_group(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
