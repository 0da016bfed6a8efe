"""Applies whose state is kept away from the machine: killed, interrupted, cut off and continued from another one."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from state.backends.object_server import serving_objects
from state.backends.rigs import Rig, git_http_rig, http_rig, object_rig
from state.backends.state_server import LOGIN, serving
from support.counterparts import require_program
from support.processes import PATIENCE, start_apply, wait_until
from support.rehearsal import RehearsalServer
from support.site import Site

from reconciler.model.states_away import BasicLogin, GitState, HttpState, ObjectState


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = tmp_path / "states.git"
    subprocess.run([require_program("git", package="git"), "init", "--quiet", "--bare", str(repository)], check=True)
    return repository


@pytest.fixture
def away(slow_site: Site, repository: Path) -> Site:
    slow_site.write(
        "site.yaml",
        (slow_site.root / "site.yaml").read_text() + f"state: {{backend: git, remote: 'file://{repository}'}}\n",
    )
    return slow_site


def recorded(site: Site) -> dict[str, str]:
    """The status of each recorded agent."""
    agents = json.loads(site.run("state", "pull", "demo").out)["agents"]
    return {agent: record["status"] for agent, record in agents.items()}


def applied_at_the_gateway(server: RehearsalServer) -> set[str]:
    return server.call(lambda gateway: set(gateway.agents_document()))


def total_calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


def another_machine(site: Site, directory: Path) -> Site:
    """Return the same environment elsewhere, without what runs have left beside it."""
    directory.mkdir()
    other = Site(directory)
    shutil.rmtree(other.root)
    shutil.copytree(site.root, other.root, ignore=shutil.ignore_patterns(".reconciler"))
    return other


def break_the_lock(site: Site) -> None:
    refused = site.run("state", "unlock", "nobody", "demo")
    assert refused.code == 7
    match = re.search(r"lock ([0-9a-f-]{36})", refused.err)
    assert match is not None
    assert site.run("state", "unlock", match[1], "demo").code == 0


def hurry(site: Site) -> None:
    site.edit("site.yaml", "requests_per_second: 10\n", "requests_per_second: 1000\n")


def test_after_a_kill_another_machine_sends_everybody_again_whom_the_dead_run_may_have_called(
    away: Site, server: RehearsalServer, tmp_path: Path
) -> None:
    process = start_apply(away)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 3)
    process.kill()
    process.communicate()
    reached = applied_at_the_gateway(server)

    other = another_machine(away, tmp_path / "other")
    found = recorded(other)
    assert set(found) == {str(agent) for agent in range(1001, 1021)} >= reached
    assert set(found.values()) == {"in_doubt"}
    planned = other.run("plan", "demo")
    assert "a run has not ended, as far as this state knows (" in planned.err
    break_the_lock(other)
    hurry(other)
    before = total_calls(server)
    assert other.run("apply", "demo", "--yes").code == 0
    assert total_calls(server) - before == 20
    assert set(recorded(other).values()) == {"acknowledged"}
    quiet = other.run("plan", "demo")
    assert "No changes" in quiet.out
    assert "a run has not ended" not in quiet.err
    assert "No changes" in away.run("plan", "demo").out  # the journal that was overtaken counts for nothing


def test_after_a_kill_the_same_machine_sends_only_what_is_missing_or_in_doubt(
    away: Site, server: RehearsalServer
) -> None:
    process = start_apply(away)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 5)
    process.kill()
    process.communicate()
    sure = sum(1 for status in recorded(away).values() if status == "acknowledged")
    assert sure >= 3

    break_the_lock(away)
    hurry(away)
    before = total_calls(server)
    assert away.run("apply", "demo", "--yes").code == 0
    assert total_calls(server) - before == 20 - sure
    assert "No changes" in away.run("plan", "demo").out


def test_an_interrupted_run_leaves_what_was_acknowledged_and_no_lock(
    away: Site, server: RehearsalServer, tmp_path: Path
) -> None:
    process = start_apply(away)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)

    assert json.loads(out)["exit_code"] == 130
    other = another_machine(away, tmp_path / "other")
    assert recorded(other) == dict.fromkeys(sorted(applied_at_the_gateway(server)), "acknowledged")
    assert "is not locked" in other.run("state", "unlock", "any", "demo").out


def test_a_repository_that_is_gone_at_the_end_leaves_a_file_and_the_command_that_pushes_it(
    away: Site, server: RehearsalServer, repository: Path, tmp_path: Path
) -> None:
    process = start_apply(away)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 1)
    repository.rename(repository.with_suffix(".gone"))
    out, _ = process.communicate(timeout=PATIENCE)

    document = json.loads(out)
    assert document["exit_code"] == 10
    assert document["summary"]["applied"] == 20
    (error,) = [each for each in document["diagnostics"] if each["severity"] == "error"]
    assert "the next apply on this machine takes it over" in error["detail"]
    words = shlex.split(error["detail"].rpartition("with: ")[2])
    assert words == ["reconciler", "state", "push", "errored-state.json", "demo"]

    repository.with_suffix(".gone").rename(repository)
    assert set(recorded(away).values()) == {"acknowledged"}
    break_the_lock(away)
    shutil.copyfile(away.work / "errored-state.json", tmp_path / "copy.json")
    assert away.run(*words[1:]).code == 0
    other = another_machine(away, tmp_path / "other")
    assert set(recorded(other).values()) == {"acknowledged"}
    assert "No changes" in other.run("plan", "demo").out


@contextmanager
def rig_of(backend: str, root: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        match backend:
            case "git":
                yield stack.enter_context(git_http_rig(root))
            case "object":
                yield stack.enter_context(object_rig(root, stack.enter_context(serving_objects())))
            case _:
                yield stack.enter_context(http_rig(root))


def keep_state_in(site: Site, rig: Rig, token: Path) -> None:
    """Let the site's state be kept where the rig is, its secret in the file `token`."""
    secret = f"file:{token}"
    state: dict[str, str | None]
    match rig.settings:
        case GitState(remote=remote, login=BasicLogin(username=user)):
            state = {"backend": "git", "remote": remote, "username": user, "password": secret}
        case HttpState(url=url, login=BasicLogin(username=user)):
            state = {"backend": "http", "url": url, "username": user, "password": secret}
        case ObjectState(options=options) as place:
            keys = {"access_key_id": secret, "secret_access_key": secret}
            state = {"backend": "object", "url": f"s3://{place.bucket}/{place.key}", **options, **keys}
        case _:
            raise AssertionError("this state is kept here")
    token.write_text(rig.password)
    site.write("site.yaml", f"{(site.root / 'site.yaml').read_text()}state: {json.dumps(state)}\n")


@pytest.mark.parametrize(
    ("backend", "gateway"),
    [
        pytest.param("http", "answers", id="http-amid-the-run"),
        pytest.param("http", "is-done", id="http-at-its-end"),
        pytest.param("git", "hangs", id="git-with-calls-that-hang"),
        pytest.param("object", "hangs", id="object-with-calls-that-hang"),
    ],
)
def test_an_interrupted_run_ends_within_seven_seconds_though_the_place_of_its_state_says_nothing(
    slow_site: Site, server: RehearsalServer, tmp_path: Path, backend: str, gateway: str
) -> None:
    with rig_of(backend, tmp_path) as rig:
        assert rig.wire is not None
        keep_state_in(slow_site, rig, tmp_path / "token")
        slow_site.edit("site.yaml", "  concurrency: 2", "  concurrency: 2\n  timeout: 60s")
        process = start_apply(slow_site)
        wait_until(lambda: len(applied_at_the_gateway(server)) >= 2)
        rig.wire.mute()
        if gateway == "hangs":
            server.add_faults("*=slow:60")
        if gateway == "is-done":
            journal = slow_site.root / ".reconciler" / "demo" / "journal"
            wait_until(lambda: journal.read_text().count('"acknowledged"') == 20)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=7)
        document = json.loads(out)
        assert document["exit_code"] == 10
        assert len(document["outcomes"]) == 20
        (error,) = [each for each in document["diagnostics"] if each["severity"] == "error"]
        words = shlex.split(error["detail"].rpartition("with: ")[2])

        rig.wire.mend()
        sent = {each["agent"] for each in document["outcomes"] if each["outcome"] in {"applied", "in_doubt"}}
        assert set(recorded(slow_site)) == sent
        break_the_lock(slow_site)
        assert slow_site.run(*words[1:]).code == 0
        assert set(recorded(another_machine(slow_site, tmp_path / "other"))) == sent


def test_nothing_of_a_run_elsewhere_is_left_in_the_environment_but_what_is_ignored(
    away: Site, server: RehearsalServer
) -> None:
    hurry(away)
    before = {path.name for path in away.root.iterdir()}
    assert away.run("apply", "demo", "--yes").code == 0
    assert len(applied_at_the_gateway(server)) == 20
    left = {path.name for path in away.root.iterdir()} - before
    assert left == {".reconciler"}
    kept = {path.name for path in (away.root / ".reconciler" / "demo").iterdir()}
    assert kept == {".gitignore", "history"}


def test_whoever_is_interrupted_while_it_says_that_its_run_is_open_tells_every_outcome_and_calls_nobody(
    slow_site: Site, server: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_PASSWORD", LOGIN[1])
    with serving() as states:
        slow_site.write("site.yaml", (slow_site.root / "site.yaml").read_text() + http_state(states.url))
        process, real = start_apply(slow_site), states.answer

        def answer(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
            if states.seen["POST"] == 1 and method == "POST":
                process.send_signal(signal.SIGINT)
                time.sleep(0.3)
            return real(method, lock_id, body)

        states.answer = answer  # type: ignore[method-assign]
        out, err = process.communicate(timeout=PATIENCE)
        document = json.loads(out)
        assert process.returncode == document["exit_code"] == 130, err
        assert [each["outcome"] for each in document["outcomes"]] == ["skipped"] * 20
        assert total_calls(server) == 0
        assert states.lock is None
        assert states.state is not None
        assert json.loads(states.state)["agents"] == {}
        assert "open_run" not in json.loads(states.state)


def http_state(url: str) -> str:
    login = f"username: {LOGIN[0]}, password: 'env:STATE_PASSWORD'"
    return f"state: {{backend: http, url: '{url}', {login}}}\n"
