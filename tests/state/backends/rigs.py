"""Each backend with its real counterpart, behind one face: what the contract suite needs of it.

A machine is a directory of its own, since a run's journal stays on its machine. The local backend has one machine only.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from state.backends.azure_server import ACCOUNT, KEY, make_container
from state.backends.git_server import LOGIN as GIT_LOGIN
from state.backends.git_server import serving_git
from state.backends.object_server import ENVIRONMENT, make_bucket
from state.backends.state_server import LOGIN, serving
from state.backends.wire import Wire
from state.disk import Disk
from state.records import EARLIER, LINEAGE, NOW
from support.counterparts import require_program

from reconciler.model.secret_reference import SecretReference
from reconciler.model.state_settings import LocalState
from reconciler.model.states_away import BasicLogin, GitState, HttpState, ObjectKind, ObjectState, StateSettings
from reconciler.state import Setting, StateStore, open_local_store, open_state
from reconciler.state.backend import Backend
from reconciler.state.backends.impatient import ImpatientBackend
from reconciler.state.locks.lock import LockHolder, LockRecord, write_lock

SHORT = 0.4
"""A lease that is over before a test gets bored."""
TOKEN = SecretReference.parse("env:STATE_TOKEN")


@dataclass
class Rig:
    """One backend, its counterpart, and the wire between the two."""

    root: Path
    settings: StateSettings
    environ: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None
    repository: Path | None = None
    password: str = ""
    lease: float = 60.0

    @property
    def away(self) -> bool:
        """Whether the state is kept away from the machine."""
        return not isinstance(self.settings, LocalState)

    @property
    def expires(self) -> bool:
        """Whether a lock runs out by itself."""
        return self.away and not isinstance(self.settings, HttpState)

    def around(self, machine: str = "here", *, site: str = "demo") -> Setting:
        root = self.root / machine if self.away else self.root
        root.mkdir(exist_ok=True)
        return Setting(
            root=root,
            site=site,
            environ=self.environ,
            resolve=lambda _reference, _what: self.password,
            clock=lambda: NOW,
            new_lineage=lambda: LINEAGE,
            environment="demo",
            lease=self.lease,
        )

    def store(self, machine: str = "here", *, site: str = "demo") -> StateStore:
        return open_state(self.settings, self.around(machine, site=site))

    def failing_store(self) -> StateStore:
        """Return a store whose state can be cut off by `cut`."""
        if self.away:
            return self.store()
        self.disk = Disk()
        path = self.root / "state.json"
        return open_local_store(
            path,
            site="demo",
            clock=lambda: NOW,
            new_lineage=lambda: LINEAGE,
            files=self.disk,
            display="state.json",
            environment="demo",
        )

    def backend(self) -> Backend:
        """Return the backend of a store of its own, to look at it from outside."""
        backend = self.store("outside")._keeping.backend
        return backend._backend if isinstance(backend, ImpatientBackend) else backend

    def cut(self) -> None:
        """Make the state unreachable."""
        if self.wire is not None:
            self.wire.cut()
        elif self.repository is not None:
            self.repository.rename(self.repository.with_suffix(".away"))
        else:
            self._refuse(True)

    def mend(self) -> None:
        """Make it reachable again."""
        if self.wire is not None:
            self.wire.mend()
        elif self.repository is not None:
            self.repository.with_suffix(".away").rename(self.repository)
        else:
            self._refuse(False)

    def _refuse(self, refusing: bool) -> None:
        def replace_file(source: Path, target: Path) -> None:
            if refusing and target.name == "state.json":
                raise OSError(28, "No space left on device")
            source.replace(target)

        self.disk.replace = replace_file  # type: ignore[method-assign]

    def plant_lock(self, holder: LockHolder) -> None:
        """Leave a lock behind as a holder does who dies."""
        lock = self.backend().lock()
        if not self.expires:
            if self.away:
                lock.take(holder)  # and nobody lets go of it
            else:
                (self.root / "state.json.lock").write_bytes(
                    write_lock(LockRecord(holder=holder, heartbeat=NOW, lease=SHORT))
                )
            return
        record = LockRecord(holder=holder, heartbeat=EARLIER, lease=SHORT)
        lock._place.save(write_lock(record), expected=None)  # type: ignore[attr-defined]


def local_rig(root: Path) -> Rig:
    return Rig(root=root, settings=LocalState())


def bare_repository(root: Path) -> Path:
    git = require_program("git", package="git")
    repository = root / "states.git"
    subprocess.run([git, "init", "--quiet", "--bare", str(repository)], check=True)
    subprocess.run([git, "-C", str(repository), "config", "http.receivepack", "true"], check=True)
    subprocess.run([git, "-C", str(repository), "config", "core.fsync", "none"], check=True)
    return repository


def git_environment() -> dict[str, str]:
    path = shutil.which("git")
    assert path is not None
    return {"PATH": f"{Path(path).parent}:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


def git_rig(root: Path) -> Rig:
    repository = bare_repository(root)
    settings = GitState(remote=f"file://{repository}", ref="refs/reconciler/demo")
    return Rig(root=root, settings=settings, environ=git_environment(), repository=repository)


@contextmanager
def git_http_rig(root: Path) -> Iterator[Rig]:
    (root / "served").mkdir()
    repository = bare_repository(root / "served")
    git = require_program("git", package="git")
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(stack.enter_context(serving_git(root / "served", git))))
        settings = GitState(
            remote=f"http://127.0.0.1:{wire.port}/{repository.name}",
            ref="refs/reconciler/demo",
            login=BasicLogin(username=GIT_LOGIN[0], password=TOKEN),
        )
        yield Rig(root=root, settings=settings, environ=git_environment(), wire=wire, password=GIT_LOGIN[1])


@contextmanager
def object_rig(root: Path, port: int) -> Iterator[Rig]:
    bucket = f"states-{root.name.replace('_', '-').lower()[-30:].strip('-')}-{time.monotonic_ns()}"
    make_bucket(port, bucket)
    with Wire(port) as wire:
        settings = ObjectState(
            kind=ObjectKind.S3,
            bucket=bucket,
            key="contact-centre/demo.json",
            options={"endpoint": f"http://127.0.0.1:{wire.port}", "region": "us-east-1"},
            secrets={"access_key_id": TOKEN, "secret_access_key": TOKEN},
        )
        yield Rig(root=root, settings=settings, environ=ENVIRONMENT, wire=wire, password="made-up")


@contextmanager
def azure_rig(root: Path, port: int) -> Iterator[Rig]:
    container = f"states-{time.monotonic_ns()}"
    make_container(port, container)
    with Wire(port) as wire:
        settings = ObjectState(
            kind=ObjectKind.AZURE,
            bucket=container,
            key="contact-centre/demo.json",
            options={"account": ACCOUNT, "endpoint": f"http://127.0.0.1:{wire.port}/{ACCOUNT}"},
            secrets={"account_key": TOKEN},
        )
        yield Rig(root=root, settings=settings, wire=wire, password=KEY)


@contextmanager
def http_rig(root: Path) -> Iterator[Rig]:
    with serving() as server, Wire(server.port) as wire:
        settings = HttpState(
            url=f"http://127.0.0.1:{wire.port}/state/demo",
            login=BasicLogin(username=LOGIN[0], password=TOKEN),
            timeout=5.0,
            retries=1,
        )
        yield Rig(root=root, settings=settings, wire=wire, password=LOGIN[1])
