"""What is recorded of a site's agents: its document, its journal, its lock, and the store that keeps them together.

Rules of this room: it knows the model and nothing else of the package; it is the only home of orjson. No Guid, cookie,
password or path of the machine is ever written here, and no function of the room takes one.
"""

from reconciler.state.atomic import replace_file
from reconciler.state.codec import decode, encode
from reconciler.state.files import OS_FILES, Files, OsFiles
from reconciler.state.local import StateStore
from reconciler.state.lock import LockHolder
from reconciler.state.recorder import Recorder
from reconciler.state.snapshot import RESCUE_NAME

__all__ = [
    "OS_FILES",
    "RESCUE_NAME",
    "Files",
    "LockHolder",
    "OsFiles",
    "Recorder",
    "StateStore",
    "decode",
    "encode",
    "replace_file",
]
