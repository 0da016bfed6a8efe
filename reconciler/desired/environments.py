"""Where the environments of a repository are: every directory with a site.yaml, below one directory.

Rules of this file: hidden names are skipped and links are not followed, as in an environment itself; an environment is
not searched for others, since its site.yaml owns all that is below. Nothing is opened.
"""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.desired.discovery import SITE_FILE

MAX_DIRECTORIES = 100_000


class TooManyDirectoriesError(Exception):
    """The search was given up: this is no repository of environments."""


def environments_below(root: Path) -> tuple[Path, ...]:
    """Return the environments at and below `root`, sorted by their names.

    Raises:
        OSError: a directory cannot be looked into.
        TooManyDirectoriesError: there are more than anybody would keep.
    """
    found: list[Path] = []
    for looked, (folder, below, files) in enumerate(os.walk(root, onerror=_raise)):
        if looked >= MAX_DIRECTORIES:
            raise TooManyDirectoriesError
        if SITE_FILE in files:
            found.append(Path(folder))
            below.clear()
        below[:] = sorted(name for name in below if not name.startswith("."))
    return tuple(sorted(found, key=lambda path: path.parts))


def _raise(error: OSError) -> None:
    raise error
