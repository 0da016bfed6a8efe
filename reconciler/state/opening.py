"""How a store is put together, for each kind of place a state can be kept in.

Rules of this file: nothing is read, made or connected to here: that is done when the store is first used. What opens
states that are kept away is imported for those.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.state_settings import LocalState
from reconciler.state.backups import Backups
from reconciler.state.files import OS_FILES, Files
from reconciler.state.journal.history import History
from reconciler.state.journal.run_journal import JournalBeside
from reconciler.state.keeping import Keeping
from reconciler.state.local import LocalBackend
from reconciler.state.setting import Setting
from reconciler.state.store import StateStore

if TYPE_CHECKING:  # most states are here
    from reconciler.model.states_away import StateSettings


def open_local_store(
    path: Path,
    *,
    site: str,
    clock: Callable[[], str],
    new_lineage: Callable[[], str],
    files: Files = OS_FILES,
    display: str | None = None,
    environment: str | None = None,
) -> StateStore:
    """Return the store of a state in a file of this machine, its journal and its lock beside it.

    Args:
        path: the state's file, or a link to it; journal and lock stand beside the real file.
        site: the site whose state it is.
        clock: gives the time as RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        new_lineage: gives a fresh UUID as text, for a state's first write.
        files: the file system.
        display: the path as the user wrote it, for messages; `path` itself if not given.
        environment: the environment as the user names it, for the commands in an advice.
    """
    backend = LocalBackend(path, display=display, files=files)
    history = History(backend.beside(".history"), display=f"{backend.name}.history", files=files)
    journal = JournalBeside(backend.beside(".journal"), name=f"{backend.name}.journal", history=history, files=files)
    # A copy has to be named on the command line, so behind a link it is named where it is.
    named = backend.name if backend.path.parent == files.real_path(path.parent) else str(backend.path)
    backups = Backups(backend.path, display=named, files=files)
    keeping = Keeping(backend, journal, backups, site=site, new_lineage=new_lineage)
    return StateStore(keeping, site=site, clock=clock, files=files, environment=environment)


def open_state(settings: StateSettings, around: Setting) -> StateStore:
    """Return the store that `settings` describe."""
    if isinstance(settings, LocalState):
        return open_local_store(
            around.root / settings.path,
            site=around.site,
            clock=around.clock,
            new_lineage=around.new_lineage,
            display=(around.root / settings.path).as_posix(),
            environment=around.environment,
        )
    from reconciler.state.opening_away import open_state_away  # noqa: PLC0415 - see the rules of this file

    return open_state_away(settings, around)
