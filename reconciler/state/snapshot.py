"""The state's file: read whole, replaced whole.

Rules of this file: a missing file is a state of which nothing was recorded yet, a missing directory is a mistake; every
error carries the name the user wrote.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import StateError
from reconciler.model.state import State, empty_state
from reconciler.state.atomic import replace_file
from reconciler.state.codec import decode, encode
from reconciler.state.failures import translated
from reconciler.state.files import Files

RESCUE_NAME = "errored-state.json"


def load_snapshot(path: Path, *, site: str, name: str, files: Files) -> State:
    """Return the state in the file, or the empty state of `site` when there is no file.

    Raises:
        StateError: it cannot be read, is damaged, of another site or of a newer format; or its directory is missing.
    """
    with translated(name, "read"):
        try:
            data = files.read(path)
        except FileNotFoundError:
            if files.mode_of(path.parent) is None:
                raise
            return empty_state(site)
    try:
        return decode(data, site=site)
    except StateError as error:
        raise StateError(f"{name}: {error}", hint=error.hint) from None


def save_snapshot(path: Path, state: State, *, name: str, files: Files) -> None:
    """Make `state` the content of the file, durably.

    Raises:
        StateError: it cannot be written.
    """
    data = encode(state)
    with translated(name, "written"):
        replace_file(path, data, files=files)


def rescue_state(state: State, directory: Path, *, files: Files) -> Path | None:
    """Put a state that found no place of its own into `directory`; return where, or `None` if not there either."""
    place = directory / RESCUE_NAME
    try:
        replace_file(place, encode(state), files=files)
    except OSError:
        return None
    return place
