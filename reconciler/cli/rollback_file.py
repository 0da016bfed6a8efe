"""The rollback file of a run: where it goes, and what is left of it.

Rules of this file: a rollback file that is there is never written over, since it may be somebody's only way back. Under
its own name it stands beside a local state, which is kept, else in the working directory, where a pipeline collects
what it keeps; of those under their own names only the newest stay.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler import __version__
from reconciler.cli.environment import Environment
from reconciler.cli.report_targets import belongs_to
from reconciler.cli.writing import write_file
from reconciler.errors import InputError
from reconciler.model.inverse import InversePlan
from reconciler.model.state_settings import LocalState
from reconciler.report import document_pieces, inverse_document

KEPT = 20
"""Rollback files under their own names that stay in one place; an older one is of use only after all later ones."""


class RollbackFile:
    """Keeps the way back of one run; see `applying.WayBack`. Whoever uses it holds the lock on the state."""

    def __init__(self, place: Path | None, *, opened: Environment) -> None:
        """Take the file or directory that was asked for, if one was, and the environment of the run."""
        self._place = place
        self._opened = opened
        self._own_name = place is None
        self.path: Path | None = None
        """Where it is, as long as it is anywhere."""

    def prepare(self, inverse: InversePlan) -> None:
        """Write all that the run may change; see `applying.WayBack`."""
        try:
            path = self._find_place(inverse)
        except OSError as error:
            place = (self._place or Path()).as_posix()
            raise _unkept(f"{place} cannot be looked at: {error.strerror}") from error
        try:
            write_file(path, self._pieces(inverse))
        except InputError as error:
            raise _unkept(str(error)) from error
        self.path = path

    def settle(self, inverse: InversePlan) -> None:
        """Write what the run did change, or leave nothing behind; see `applying.WayBack`."""
        if self.path is None:
            return
        if not inverse.changes:
            with contextlib.suppress(OSError):  # a way back that leads nowhere harms nobody
                self.path.unlink()
            self.path = None
            return
        write_file(self.path, self._pieces(inverse))
        if self._own_name:
            _remove_oldest(self.path, self._opened.desired.site.name)

    def _pieces(self, inverse: InversePlan) -> Iterator[str]:
        return document_pieces(inverse_document(inverse, tool_version=__version__))

    def _find_place(self, inverse: InversePlan) -> Path:
        place = self._place
        if place is None or place.is_dir():
            return _free_name(place or _default_directory(self._opened), inverse)
        if place.exists():
            raise InputError(
                f"{place.as_posix()} exists already, and the way back from an earlier run is never written over",
                hint="move it away, or give another name, or a directory: --rollback-out rollbacks/; nothing was sent",
            )
        if belongs_to(self._opened.root, self._opened.desired.site)(place):
            raise InputError(
                f"{place.as_posix()} would become a file of {self._opened.name}, which is read",
                hint="give another name, or a directory: --rollback-out rollbacks/; nothing was sent",
            )
        return place


def _unkept(why: str) -> InputError:
    hint = "give another place for it: --rollback-out with a file or a directory; nothing was sent"
    return InputError(f"the way back from this run: {why}", hint=hint)


def _default_directory(opened: Environment) -> Path:
    settings = opened.desired.site.state
    if not isinstance(settings, LocalState):
        return Path()
    state = opened.path(settings.path)
    return (state.resolve() if state.is_symlink() else state).parent


def _free_name(directory: Path, inverse: InversePlan) -> Path:
    """Return the name of the state that is gone back to, with a number behind it where that is taken."""
    stem = f"rollback-{inverse.site}-{inverse.serial_before}"
    # A dot, since the name of another site may end in a number behind a hyphen.
    names = itertools.chain([f"{stem}.json"], (f"{stem}.{number}.json" for number in itertools.count(2)))
    return next(path for name in names if not (path := directory / name).exists())


def _remove_oldest(newest: Path, site: str) -> None:
    ours = re.compile(rf"rollback-{re.escape(site)}-[0-9]+(\.[0-9]+)?\.json", re.ASCII)
    with contextlib.suppress(OSError):  # tidying up must not trouble a run that is over
        found = [path for path in newest.parent.iterdir() if ours.fullmatch(path.name) and path != newest]
        for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            path.unlink()
