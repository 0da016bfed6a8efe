"""How a store is put together, for each kind of place a state can be kept in.

Rule of this file: nothing is read, made or connected to here: that is done when the store is first used. A backend's
own libraries are imported when it is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from reconciler.errors import StateError
from reconciler.model.state_settings import LocalState
from reconciler.model.states_away import DEFAULT_REFS, BasicLogin, GitState, HttpState, ObjectState, StateSettings
from reconciler.state.backend import Backend
from reconciler.state.backups import Backups
from reconciler.state.failures import explain
from reconciler.state.files import OS_FILES, Files
from reconciler.state.haste import Haste
from reconciler.state.history import History
from reconciler.state.impatient import ImpatientBackend
from reconciler.state.keeping import Keeping
from reconciler.state.lease import LEASE, Clocks
from reconciler.state.local import LocalBackend
from reconciler.state.run_journal import JournalAway, JournalBeside
from reconciler.state.store import StateStore
from reconciler.values import Struct, repr_without

if TYPE_CHECKING:  # most states have no secret
    from reconciler.model.secret_reference import SecretReference


class Setting(Struct, frozen=True, kw_only=True):
    """The world a store is opened in."""

    root: Path
    """The environment's directory."""
    site: str
    """The site whose state it is."""
    environ: Mapping[str, str]
    """The environment variables, secrets among them."""
    resolve: Callable[[SecretReference, str], str]
    """Reads a secret, for the setting that the text names; called only when a backend is first used."""
    clock: Callable[[], str]
    """The time as RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`."""
    new_lineage: Callable[[], str]
    """Gives a fresh UUID as text, for a state's first write."""
    environment: str
    """The environment as the user names it, for the commands in an advice."""
    lease: float = LEASE
    """Seconds without a sign of life after which a lock of this machine is free."""

    __repr__ = repr_without("environ")


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


def open_away_store(backend: Backend, *, journal: str, around: Setting, files: Files = OS_FILES) -> StateStore:
    """Return the store of a state that is kept away from this machine.

    Args:
        backend: what keeps it.
        journal: the directory for the journals of runs, relative to the environment's.
        around: the world it is opened in.
        files: the file system of this machine.
    """
    directory = around.root / journal / around.site
    away = JournalAway(directory, display=directory.as_posix(), files=files)
    backups = Backups(directory / "state.json", display=f"{directory.as_posix()}/state.json", files=files)
    haste = Haste()
    keeping = Keeping(ImpatientBackend(backend, haste), away, backups, site=around.site, new_lineage=around.new_lineage)
    return StateStore(
        keeping, site=around.site, clock=around.clock, files=files, environment=around.environment, haste=haste
    )


def open_state(settings: StateSettings, around: Setting) -> StateStore:
    """Return the store that `settings` describe."""
    match settings:
        case LocalState(path=path):
            return open_local_store(
                around.root / path,
                site=around.site,
                clock=around.clock,
                new_lineage=around.new_lineage,
                display=(around.root / path).as_posix(),
                environment=around.environment,
            )
        case GitState():
            return open_away_store(_git(settings, around), journal=settings.journal, around=around)
        case ObjectState():
            return open_away_store(_object(settings, around), journal=settings.journal, around=around)
        case HttpState():
            return open_away_store(_http(settings, around), journal=settings.journal, around=around)
        case _:
            assert_never(settings)


def _git(settings: GitState, around: Setting) -> Backend:
    from reconciler.state.backends.git import git_backend  # noqa: PLC0415 - see the rule of this file
    from reconciler.state.backends.git_program import Git  # noqa: PLC0415
    from reconciler.state.backends.git_remote import GitRemote, find_remote  # noqa: PLC0415

    def reach() -> tuple[Git, GitRemote]:
        login = _login(settings.login, around)
        remote = find_remote(settings.remote, root=around.root, environ=around.environ, login=login)
        return Git(cwd=around.root, environ=around.environ, config=remote.config), remote

    ref = settings.ref or f"{DEFAULT_REFS}{around.site}"
    return git_backend(reach, ref=ref, name=f"{ref} of {settings.remote}", clocks=_clocks(around), lease=around.lease)


def _object(settings: ObjectState, around: Setting) -> Backend:
    from reconciler.state.backends.object import object_backend  # noqa: PLC0415 - see the rule of this file
    from reconciler.state.backends.object_store import connect  # noqa: PLC0415

    def store() -> object:
        secrets = {name: around.resolve(reference, f"state.{name}") for name, reference in settings.secrets.items()}
        return connect(settings, secrets=secrets, authorities=_authorities(settings.ca_file, around))

    return object_backend(store, key=settings.key, name=str(settings), clocks=_clocks(around), lease=around.lease)


def _http(settings: HttpState, around: Setting) -> Backend:
    from reconciler.state.backends.http import HttpBackend  # noqa: PLC0415 - see the rule of this file
    from reconciler.state.backends.http_exchange import Exchange, open_exchange  # noqa: PLC0415

    def exchange() -> Exchange:
        return open_exchange(
            login=_login(settings.login, around),
            authorities=_authorities(settings.ca_file, around),
            timeout=settings.timeout,
            retries=settings.retries,
        )

    return HttpBackend(exchange, settings, environment=around.environment, pause=around.lease / 4)


def _login(login: BasicLogin | None, around: Setting) -> tuple[str, str] | None:
    return None if login is None else (login.username, around.resolve(login.password, "state.password"))


def _authorities(ca_file: str | None, around: Setting) -> bytes | None:
    if ca_file is None:
        return None
    path = around.root / ca_file
    try:
        return OS_FILES.read(path)
    except OSError as error:
        hint = "let state.ca_file in site.yaml name the PEM file of the authorities to trust"
        raise StateError(f"{path.as_posix()} cannot be read: {explain(error)}", hint=hint) from error


def _clocks(around: Setting) -> Clocks:
    return Clocks(now=around.clock, steady=_steady)


def _steady() -> float:
    """Return seconds on a clock that never jumps, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(_STEADY)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
