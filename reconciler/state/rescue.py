"""What is done with a state that found no place of its own.

Rules of this file: it is written whole or not at all, under a name that nothing had before (what an earlier run, or one
of another site, has left there is not touched, and no link is followed), and a failure here hides no other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.state import State
from reconciler.state.atomic import replace_file
from reconciler.state.document.codec import encode
from reconciler.state.files import Files

RESCUE_NAME = "errored-state.json"
"""Its name, unless that is taken."""
_MOST = 100
"""How many of one site and serial may lie in one directory."""


def rescue_state(state: State, directory: Path, *, files: Files) -> Path | None:
    """Put `state` into `directory`; return where, or `None` if not there either."""
    data = encode(state)
    for name in _names(state):
        try:
            return _put(directory / name, data, files)
        except FileExistsError:
            continue
        except OSError:
            return None
    return None


def _names(state: State) -> Iterator[str]:
    stem = f"errored-state-{state.site}-{state.serial}"
    yield RESCUE_NAME
    yield f"{stem}.json"
    yield from (f"{stem}-{number}.json" for number in range(2, _MOST))


def _put(place: Path, data: bytes, files: Files) -> Path:
    files.close(files.open_append(place))  # from here on the name is ours
    try:
        replace_file(place, data, files=files)
    except BaseException:
        with contextlib.suppress(OSError):
            files.unlink(place)
        raise
    return place
