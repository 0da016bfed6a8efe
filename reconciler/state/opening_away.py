"""How a store is put together whose state is kept away from this machine.

Rules of this file: those of `opening`. A backend's own libraries are imported when it is chosen.
"""

from __future__ import annotations

import time
from typing import assert_never

from reconciler.errors import StateError
from reconciler.model.states_away import DEFAULT_REFS, BasicLogin, GitState, HttpState, ObjectState
from reconciler.state.backend import Backend
from reconciler.state.backends.impatient import ImpatientBackend
from reconciler.state.backends.lease import Clocks
from reconciler.state.backups import Backups
from reconciler.state.failures import explain
from reconciler.state.files import OS_FILES, Files
from reconciler.state.haste import Haste
from reconciler.state.journal.run_journal import JournalAway
from reconciler.state.keeping import Keeping
from reconciler.state.setting import Setting
from reconciler.state.store import StateStore


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


def open_state_away(settings: GitState | ObjectState | HttpState, around: Setting) -> StateStore:
    """Return the store that `settings` describe."""
    return open_away_store(_backend(settings, around), journal=settings.journal, around=around)


def _backend(settings: GitState | ObjectState | HttpState, around: Setting) -> Backend:
    match settings:
        case GitState():
            return _git(settings, around)
        case ObjectState():
            return _object(settings, around)
        case HttpState():
            return _http(settings, around)
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
