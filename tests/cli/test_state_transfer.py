"""`state pull`, `state push` and `state unlock`, and how long commands wait for the lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.counterparts import require_program
from support.site import Ended, Site

from reconciler.cli.locking import lock_holder, patience_of
from reconciler.state import LockHolder, decode, open_local_store

LINEAGE = "11111111-2222-4333-8444-555555555555"
RECORD = {
    "acknowledged_at": "2026-01-31T09:30:00Z",
    "callnums_key": "callNums",
    "channels": {"51": 6},
    "protected": False,
    "session": "login-1",
    "status": "acknowledged",
    "team": "east",
    "total": 12,
}
HOLD = """
import sys
from pathlib import Path
from reconciler.state import LockHolder, open_local_store

store = open_local_store(Path(sys.argv[1]), site="demo", clock=str, new_lineage=str)
with store.lock(LockHolder(id="run-9", who="bob@night", operation="apply", since="2026-01-31T01:00:00Z")):
    print("held", flush=True)
    sys.stdin.readline()
"""


def document(serial: int = 7, *, lineage: str = LINEAGE, site: str = "demo") -> str:
    """Return a state of one agent."""
    fields = {"format_version": "1.0", "lineage": lineage, "serial": serial, "site": site, "agents": {"1001": RECORD}}
    return json.dumps(fields)


@contextmanager
def locked(site: Site) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock of the site's state in another process, until a line is written to it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(site.root / "state.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def push(site: Site, *arguments: str, text: str | None = None) -> Ended:
    (site.work / "pushed.json").write_text(document(8) if text is None else text)
    return site.run("state", "push", "pushed.json", "demo", *arguments)


def test_pull_prints_the_document_that_push_takes(site: Site) -> None:
    site.write("state.json", document())
    pulled = site.run("state", "pull", "demo")
    assert (pulled.code, pulled.err) == (0, "")
    assert decode(pulled.out.encode(), site="demo").serial == 7
    assert site.run("state", "pull", "demo", "--json").out == pulled.out
    assert push(site, text=pulled.out).code == 0
    assert site.run("state", "pull", "demo").out == pulled.out


def test_pushing_a_later_state_makes_it_the_recorded_one(site: Site) -> None:
    site.write("state.json", document())
    ended = push(site, "--json")
    assert ended.code == 0
    assert ended.document["summary"] == {"lineage": LINEAGE, "serial": 8, "agents": 1}
    assert site.state["serial"] == 8


def test_pushing_to_a_site_without_a_state_makes_its_first(site: Site) -> None:
    assert push(site).out == "demo/state.json is at serial 8 now, 1 agents recorded.\n"
    assert site.state["lineage"] == LINEAGE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(document(6), "at serial 7 already", id="older"),
        pytest.param(document(9, lineage=LINEAGE.replace("1", "9")), "has nothing to do with it", id="other-lineage"),
    ],
)
def test_what_is_no_successor_is_refused_with_the_flag_that_forces_it(site: Site, text: str, words: str) -> None:
    site.write("state.json", document())
    ended = push(site, text=text)
    assert ended.code == 10
    assert words in ended.err
    assert "--force 7" in ended.err
    assert site.state["serial"] == 7
    assert push(site, "--force", "6", text=text).code == 10
    assert push(site, "--force", "7", text=text).code == 0
    assert site.state["serial"] > 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "pushed.json: the state file is not JSON", id="cut-short"),
        pytest.param(document(site="prod"), "pushed.json: this is the state of site 'prod'", id="other-site"),
    ],
)
def test_what_is_no_state_of_the_site_is_never_pushed(site: Site, text: str, words: str) -> None:
    ended = push(site, "--force", "0", text=text)
    assert ended.code == 3
    assert words in ended.err
    assert not (site.root / "state.json").exists()


def test_pushing_waits_for_the_lock_as_long_as_it_is_told(site: Site) -> None:
    with locked(site) as process:
        refused = push(site)
        assert refused.code == 7
        assert "demo/state.json is locked by bob@night (apply, since 2026-01-31T01:00:00Z, lock run-9)" in refused.err
        assert "waiting" not in refused.err
        waiting = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "state", "push", "pushed.json", "demo", "--lock-timeout", "60s"],
            cwd=site.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr is not None
        assert "waiting for up to 60 s (--lock-timeout)" in waiting.stderr.readline()
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
        assert waiting.wait(timeout=60) == 0
        waiting.communicate()
    assert site.state["serial"] == 8


def test_unlock_of_a_living_process_is_refused_whatever_the_id(site: Site) -> None:
    with locked(site):
        for lock_id, words in (("run-9", "its process is alive"), ("run-1", "run-1 is not the id of that lock")):
            ended = site.run("state", "unlock", lock_id, "demo")
            assert ended.code == 7
            assert "bob@night" in ended.err
            assert words in ended.err


def test_unlock_of_what_is_free_says_so(site: Site) -> None:
    ended = site.run("state", "unlock", "run-1", "demo", "--json")
    assert (ended.code, ended.document["summary"]) == (0, {"broken": False})
    assert site.run("state", "unlock", "run-1", "demo").out == "demo/state.json is not locked.\n"


@pytest.fixture
def with_git(site: Site) -> Site:
    """The environment with its state in a repository beside it."""
    repository = site.work / "states.git"
    subprocess.run([require_program("git", package="git"), "init", "--quiet", "--bare", str(repository)], check=True)
    (site.root / "site.yaml").write_text(
        (site.root / "site.yaml").read_text() + f"state: {{backend: git, remote: 'file://{repository}'}}\n"
    )
    return site


def test_a_state_elsewhere_is_pulled_pushed_listed_and_planned_with(with_git: Site) -> None:
    site = with_git
    assert push(site).out.startswith("refs/reconciler/demo of file://")
    assert json.loads(site.run("state", "pull", "demo").out)["serial"] == 8
    assert site.run("state", "list", "demo", "--json").document["summary"]["serial"] == 8
    planned = site.run("plan", "demo", "--json", "--allow-changes", "5")
    assert planned.document["base"] == {"lineage": LINEAGE, "serial": 8}
    left = {path.relative_to(site.root).as_posix() for path in site.root.rglob("*") if path.is_file()}
    assert {path for path in left if not path.startswith(".reconciler/demo/history/")} == {
        *("fleet.yaml", "site.yaml"),
        ".reconciler/demo/.gitignore",  # so that nothing of the rest gets into Git
    }


def test_a_broken_lock_is_said_to_be_free_and_whose_it_was(with_git: Site) -> None:
    site = with_git
    lock = '{"id":"run-9","who":"bob@night","operation":"apply","since":"2026-01-31T01:00:00Z","url":"https://ci.example/9","heartbeat":"2999-01-31T01:00:00Z"}'
    repository = site.work / "states.git"
    git = [require_program("git", package="git"), "-C", str(repository)]
    names = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}

    def plumb(*arguments: str, text: str = "") -> str:
        ran = subprocess.run(
            [*git, *arguments], input=text, check=True, capture_output=True, text=True, env={**os.environ, **names}
        )
        return ran.stdout.strip()

    blob = plumb("hash-object", "-w", "--stdin", text=lock)
    tree = plumb("mktree", text=f"100644 blob {blob}\tlock.json\n")
    plumb("update-ref", "refs/reconciler/demo+lock", plumb("commit-tree", tree, "-m", "lock"))

    wrong = site.run("state", "unlock", "run-1", "demo")
    assert wrong.code == 7
    assert "bob@night (apply, since 2026-01-31T01:00:00Z, lock run-9, https://ci.example/9)" in wrong.err
    assert push(site, "--lock-timeout", "0s").code == 7
    right = site.run("state", "unlock", "run-9", "demo")
    assert right.code == 0
    assert "was locked by bob@night" in right.out
    assert right.out.endswith("; it is free.\n")
    assert push(site).code == 0


@pytest.mark.parametrize(
    ("asked", "environ", "expected"),
    [
        pytest.param(None, {}, 0.0, id="a-person-is-told-at-once"),
        pytest.param(None, {"CI": "true"}, 300.0, id="a-pipeline-waits-for-another"),
        pytest.param(None, {"TF_BUILD": "True"}, 300.0, id="a-pipeline-that-says-so-in-its-own-way"),
        pytest.param(None, {"CI": "false"}, 0.0, id="no-pipeline"),
        pytest.param(0.0, {"CI": "true"}, 0.0, id="asked-not-to"),
        pytest.param(90.0, {}, 90.0, id="asked-to"),
    ],
)
def test_how_long_to_wait_depends_on_who_waits(asked: float | None, environ: dict[str, str], expected: float) -> None:
    assert patience_of(asked, environ) == expected


def test_a_lock_names_the_job_it_is_held_by(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")
    one, other = lock_holder("apply"), lock_holder("apply")
    assert one.url == "https://ci.example/jobs/7"
    assert one.id != other.id
    store = open_local_store(site.root / "state.json", site="demo", clock=str, new_lineage=str)
    with store.lock(LockHolder(id=one.id, who=one.who, operation="apply", since=one.since, url=one.url)):
        ended = push(site)
    assert f"lock {one.id}, https://ci.example/jobs/7)" in ended.err


@pytest.mark.parametrize("user", ["a\udcffb", "a\nb", "::error::b"], ids=["half-a-character", "a-line", "an-order"])
def test_a_lock_can_name_any_user(site: Site, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setenv("LOGNAME", user)
    who = lock_holder("apply").who
    assert who.isprintable()
    assert not who.startswith("::")
    assert push(site).code == 0


def test_an_id_that_no_lock_can_have_is_refused(site: Site) -> None:
    assert site.run("state", "unlock", "a\udcff", "demo").code == 3


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("rm", "demo", "--agent", "1001", "--yes"), id="rm"),
        pytest.param(("push", "pushed.json", "demo", "--force", str(2**53 - 1)), id="push"),
    ],
)
def test_a_serial_without_a_successor_is_refused_before_anything_is_changed(
    site: Site, command: tuple[str, ...]
) -> None:
    (site.work / "pushed.json").write_text(document(8))
    (site.root / "state.json").write_text(document(2**53 - 1))
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file() and path.suffix != ".lock"}
    ended = site.run("state", *command)
    assert (ended.code, "is the last there is; nothing was changed" in ended.err) == (10, True)
    after = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert after == before
