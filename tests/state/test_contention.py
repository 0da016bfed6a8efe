"""Many processes want the lock at once, and at any moment at most one has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from crash.scale import CONTENDERS, amount
from state.backends.object_server import ENVIRONMENT, make_bucket, serving_objects
from state.backends.rigs import bare_repository, git_environment

import reconciler

CONTEND = """
import os, sys
from pathlib import Path
from reconciler.model.state_settings import LocalState
from reconciler.model.states_away import GitState, ObjectKind, ObjectState
from reconciler.state import LockHolder, Setting, open_state

count, root, kind, where = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
marker, log = root / "inside", root / "log"
settings = {
    "local": lambda: LocalState(),
    "git": lambda: GitState(remote=where),
    "object": lambda: ObjectState(
        kind=ObjectKind.S3, bucket="contended", key="demo.json", options={"endpoint": where, "region": "us-east-1"}
    ),
}[kind]()

def contend(number):
    now = lambda: "2026-01-31T09:30:00Z"
    around = Setting(
        root=root, site="demo", environ=dict(os.environ), resolve=lambda *_: "", clock=now, new_lineage=lambda: "",
        environment="demo",
    )
    store = open_state(settings, around)
    me = LockHolder(id=f"run-{number}", who=f"somebody@{number}", operation="apply", since=now())
    with store.lock(me, patience=300):
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))  # fails if anybody else is inside
        line = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(line, b"%d\\n" % number)
        os.close(line)
        marker.unlink()

children = []
for number in range(count):
    child = os.fork()
    if child == 0:
        try:
            contend(number)
        except BaseException as error:
            os.write(2, f"{number}: {type(error).__name__}: {error}\\n".encode())
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def contend(count: int, root: Path, kind: str, where: str, environment: dict[str, str]) -> list[int]:
    """Let `count` processes take the lock once each; return the order in which they had it."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONTEND, str(count), str(root), kind, where],
        cwd=Path(reconciler.__file__).parents[1],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.stderr == ""
    assert ran.returncode == 0
    assert not (root / "inside").exists()
    return [int(line) for line in (root / "log").read_text().splitlines()]


def test_of_two_hundred_processes_one_at_a_time_has_the_lock_of_a_file(tmp_path: Path) -> None:
    assert CONTENDERS.now == 200
    assert sorted(contend(200, tmp_path, "local", "", {})) == list(range(200))


def test_of_contending_processes_one_at_a_time_has_the_lock_in_a_repository(tmp_path: Path) -> None:
    repository, count = bare_repository(tmp_path), amount(8, 40)
    assert sorted(contend(count, tmp_path, "git", f"file://{repository}", git_environment())) == list(range(count))


def test_of_contending_processes_one_at_a_time_has_the_lock_in_a_bucket(tmp_path: Path) -> None:
    count = amount(12, 100)
    with serving_objects() as port:
        make_bucket(port, "contended")
        found = contend(count, tmp_path, "object", f"http://127.0.0.1:{port}", ENVIRONMENT)
    assert sorted(found) == list(range(count))
