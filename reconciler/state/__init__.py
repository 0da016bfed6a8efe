"""What is recorded of a site's agents: its document, its journal, its lock, and the store that keeps them together.

Rules of this room: it knows the model, and how Git and secrets are come by, and no other room; it is the only home of
orjson and obstore, and speaks HTTP to state servers. No Guid, cookie, password or path of the machine is ever written
here; the credentials of a backend come in as values when it is first used, and stay in its connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.front_door import open_on_demand

if TYPE_CHECKING:
    from reconciler.state.atomic import replace_file
    from reconciler.state.document.codec import decode, encode
    from reconciler.state.files import OS_FILES, Files, OsFiles
    from reconciler.state.journal.entries import Intended
    from reconciler.state.journal.recorder import Recorder
    from reconciler.state.locks.lock import LockHolder
    from reconciler.state.opening import open_local_store, open_state
    from reconciler.state.rescue import RESCUE_NAME
    from reconciler.state.setting import Setting
    from reconciler.state.store import StateStore

__all__ = [
    "OS_FILES",
    "RESCUE_NAME",
    "Files",
    "Intended",
    "LockHolder",
    "OsFiles",
    "Recorder",
    "Setting",
    "StateStore",
    "decode",
    "encode",
    "open_local_store",
    "open_state",
    "replace_file",
]

open_on_demand(
    __name__,
    {
        "atomic": ("replace_file",),
        "document.codec": ("decode", "encode"),
        "journal.entries": ("Intended",),
        "files": ("Files", "OS_FILES", "OsFiles"),
        "locks.lock": ("LockHolder",),
        "opening": ("open_local_store", "open_state"),
        "journal.recorder": ("Recorder",),
        "rescue": ("RESCUE_NAME",),
        "setting": ("Setting",),
        "store": ("StateStore",),
    },
)
