"""The state of an environment, opened as its `site.yaml` says, with this machine's clock."""

from __future__ import annotations

import getpass
import os
import socket
import uuid

from reconciler.cli.clock import utc_now
from reconciler.cli.environment import Environment
from reconciler.state import StateStore


def holder_name() -> str:
    """Return `user@host` for the lock; a container may run as a user that has no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def open_store(opened: Environment) -> StateStore:
    """Return the store of `opened`; nothing is read or created yet."""
    path = opened.path(opened.desired.site.state.path)
    return StateStore(
        path,
        site=opened.desired.site.name,
        clock=utc_now,
        new_lineage=lambda: str(uuid.uuid4()),
        display=path.as_posix(),
    )
