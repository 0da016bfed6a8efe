"""A command run at a terminal, where somebody answers when asked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from support.site import Site

PATIENCE = 60.0
"""Seconds until a command that hangs is given up."""


def at_a_terminal(site: Site, answer: str, *arguments: str) -> tuple[int, str]:
    """Run `reconciler ARGUMENTS` with a terminal for all three streams, type `answer` when asked for `yes`.

    Returns the exit code and what was on the screen.
    """
    mine, its = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=site.work, stdin=its, stdout=its, stderr=its, env=environ, start_new_session=True,
    )  # fmt: skip
    os.close(its)
    screen = b""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            read = os.read(mine, 65536)
        except OSError:  # the other side is closed
            break
        screen += read
        if b"Only `yes` will do" in read:
            os.write(mine, f"{answer}\n".encode())
    os.close(mine)
    return process.wait(timeout=PATIENCE), screen.decode()
