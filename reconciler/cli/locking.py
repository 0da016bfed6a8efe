"""How commands take the lock on the state: under which name, and how long they wait for it.

Rule of this file: whoever holds the lock can be named, whatever the machine knows of its user.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
import uuid
from collections.abc import Mapping

import click

from reconciler.cli.ci_job import is_ci, job_url
from reconciler.cli.clock import utc_now
from reconciler.cli.options import SpanType
from reconciler.cli.streams import write
from reconciler.model.printable import printable
from reconciler.state import LockHolder

PATIENCE_IN_CI = 300.0
"""Seconds a pipeline waits for another one; a person at a terminal is told at once."""
_MAX_WHO = 200

lock_timeout_option = click.option(
    "--lock-timeout",
    type=SpanType(),
    metavar="SPAN",
    help="How long to wait while another run holds the lock, such as 90s or 5m; 5m in CI, else not at all.",
)


def patience_of(lock_timeout: float | None, environ: Mapping[str, str]) -> float:
    """Return the seconds to wait for the lock: what was asked for, or what suits a pipeline or a person."""
    if lock_timeout is not None:
        return lock_timeout
    return PATIENCE_IN_CI if is_ci(environ) else 0.0


def lock_holder(operation: str) -> LockHolder:
    """Return this process as it is to be named in the lock, under an id no other run has."""
    return LockHolder(id=str(uuid.uuid4()), who=_who(), operation=operation, since=utc_now(), url=job_url(os.environ))


def tell_waiting(text: str) -> None:
    """Say on stderr whom the lock is waited for."""
    write(sys.stderr, f"{text}\n")


def _who() -> str:
    """Return `user@host`; a container may run as a user that has no name, and a variable may say anything."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return printable(f"{user}@{socket.gethostname()}", limit=_MAX_WHO)
