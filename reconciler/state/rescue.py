"""What is done with a state that found no place of its own.

Rule of this file: it is written whole or not at all, and a failure here hides no other.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.model.state import State
from reconciler.state.atomic import replace_file
from reconciler.state.codec import encode
from reconciler.state.files import Files

RESCUE_NAME = "errored-state.json"


def rescue_state(state: State, directory: Path, *, files: Files) -> Path | None:
    """Put `state` into `directory`; return where, or `None` if not there either."""
    place = directory / RESCUE_NAME
    try:
        replace_file(place, encode(state), files=files)
    except OSError:
        return None
    return place
