"""`sessions: {source: signin}` from the command line: opt-in, loud, and nobody is left signed in."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes import PATIENCE, start_apply, wait_until
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, live_site

from reconciler.simulator import Step

PASSWORD = "open-5ec2e7-sesame"
CREDENTIALS = json.dumps({"*": {"password": PASSWORD}, **{str(n): {"phonenum": f"4{n}"} for n in range(1001, 1021)}})


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, server: RehearsalServer) -> Iterator[Site]:
    """Five agents, of whom nobody is signed in."""
    with live_site(tmp_path, server) as ready:
        (ready.root / "sessions.json").unlink()
        ready.edit(
            "site.yaml", "name: demo\n", "name: demo\nsessions: {source: signin, credentials: file:secrets.json}\n"
        )
        ready.write("secrets.json", CREDENTIALS)
        yield ready


@pytest.fixture
def slow_site(site: Site) -> Site:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 10\n  concurrency: 2")
    site.write("fleet.yaml", "agents: {1001-1020: {total: 3, channels: {web_chat: 3}}}\n")
    return site


def attendance(server: RehearsalServer) -> dict[str, Any]:
    return server.call(lambda gateway: gateway.attendance_document())


def guids(server: RehearsalServer) -> set[str]:
    return server.call(lambda gateway: {session.guid for session in gateway.sessions()})


def warnings(document: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["summary"] for each in document["diagnostics"]}


def one_line(ended: Ended) -> str:
    return " ".join(ended.out.split())


def test_a_plan_says_how_many_agents_would_be_signed_in(site: Site, server: RehearsalServer) -> None:
    planned = site.run("plan", "demo", "--out", "plan.json")

    assert "5 agents would be signed in (status busy) for the calls" in one_line(planned)
    assert "nobody else is signed in or out" in one_line(planned)
    assert "nobody is signed in or out" not in one_line(planned)
    assert "5 agents would be signed in (status busy) for the calls" in one_line(site.run("show", "plan.json"))
    assert site.run("plan", "demo", "--json").document["signs_in"] is True
    assert attendance(server)["sign_ins"] == 0


def test_a_plan_needs_no_credentials(site: Site) -> None:
    (site.root / "secrets.json").unlink()

    assert site.run("plan", "demo").code == 0
    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (4, "session-source-failed")
    assert "sessions.credentials" in ended.document["diagnostics"][0]["summary"]


@pytest.mark.parametrize("reviewed", [False, True], ids=["yes", "reviewed-plan"])
def test_an_apply_says_before_and_after_that_it_signs_agents_in(
    site: Site, server: RehearsalServer, reviewed: bool
) -> None:
    site.run("plan", "demo", "--out", "plan.json")
    how = ["--plan", "plan.json"] if reviewed else ["--yes"]

    ended = site.run("apply", "demo", *how, "--json")

    assert ended.code == 0
    assert "warning: sessions.source is signin: 5 agents will be signed in (status busy) and out again" in ended.err
    told = "sessions.source is signin: 5 agents were signed in (status busy), 5 signed out again"
    assert warnings(ended.document) == {"signed-in": told}
    assert told in ended.err
    assert (attendance(server)["sign_ins"], attendance(server)["signed_in"]) == (5, {})
    assert {each["status"] for each in attendance(server)["agents"].values()} == {"3"}
    assert "No changes" in site.run("plan", "demo").out


def test_a_person_at_work_is_deferred_and_the_next_run_does_the_rest(site: Site, server: RehearsalServer) -> None:
    server.sign_in([1002])
    ended = site.run("apply", "demo", "--yes", "--json")

    outcomes = {each["agent"]: (each["outcome"], each["retcode"]) for each in ended.document["outcomes"]}
    assert (ended.code, outcomes["1002"]) == (9, ("deferred", "100-002"))
    assert "left alone" in next(each["message"] for each in ended.document["outcomes"] if each["agent"] == "1002")

    server.call(lambda gateway: gateway.sign_out(1002))
    again = site.run("apply", "demo", "--yes", "--json")

    assert again.code == 0
    assert [each["agent"] for each in again.document["outcomes"]] == ["1002"]


def test_a_wrong_password_exits_4_after_one_attempt_and_says_what_to_do(site: Site, server: RehearsalServer) -> None:
    for agent in range(1001, 1006):
        server.call(lambda gateway, agent=agent: gateway.set_password(agent, "another"))  # type: ignore[misc]

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, attendance(server)["refused"]) == (4, {"100-004": 1})
    (error,) = [each for each in ended.document["diagnostics"] if each["severity"] == "error"]
    assert "agent 1001" in error["summary"]
    assert "wrong user or password" in error["summary"]
    assert "correct sessions.credentials" in error["summary"]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "cancelled-job", "closed-terminal"]
)
def test_a_signal_in_the_middle_leaves_nobody_signed_in(
    slow_site: Site, server: RehearsalServer, number: signal.Signals
) -> None:
    process = start_apply(slow_site)
    wait_until(lambda: attendance(server)["sign_ins"] >= 3)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)

    document = json.loads(out)
    assert process.returncode == document["exit_code"] == 130
    assert attendance(server)["signed_in"] == {}
    assert 3 <= attendance(server)["sign_outs"] == attendance(server)["sign_ins"] < 20
    assert "left-signed-in" not in warnings(document)


def test_a_run_under_nohup_outlives_its_terminal(slow_site: Site, server: RehearsalServer) -> None:
    process = start_apply(slow_site, under=["nohup"])
    wait_until(lambda: attendance(server)["sign_ins"] >= 3)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=PATIENCE)

    assert (process.returncode, attendance(server)["sign_outs"]) == (0, 20)


def test_a_signal_while_the_gateway_hangs_ends_within_seven_seconds_and_names_who_is_left(
    slow_site: Site, server: RehearsalServer
) -> None:
    slow_site.edit("site.yaml", "  concurrency: 2", "  concurrency: 2\n  timeout: 60s")
    slow_site.edit("site.yaml", "source: signin,", "source: signin, timeout: 60s,")
    server.add_faults("1002*=slow:60", "sign-out/1002*=reset-before-commit+slow:60")
    process = start_apply(slow_site)
    wait_until(lambda: attendance(server)["sign_ins"] >= 3)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=7)

    document = json.loads(out)
    assert process.returncode == 130
    assert list(attendance(server)["signed_in"]) == ["1002"]
    assert warnings(document)["left-signed-in"].startswith("agent 1002 could not be signed out")


def test_a_second_signal_leaves_at_once_and_says_who_is_left_signed_in(
    slow_site: Site, server: RehearsalServer
) -> None:
    slow_site.edit("site.yaml", "  concurrency: 2", "  concurrency: 1")
    server.add_faults("1002*=slow:60")
    process = start_apply(slow_site)
    wait_until(lambda: attendance(server)["sign_ins"] >= 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "agent 1002 could not be signed out" in err
    assert "two minutes" in err


# Force


@pytest.mark.parametrize(
    ("section", "words"),
    [
        pytest.param("{source: env}", "is for sites whose sessions.source is signin", id="another-source"),
        pytest.param("{source: signin, credentials: env:X}", "site.yaml does not allow it", id="not-allowed"),
        pytest.param(
            "{source: signin, credentials: env:X, force: false}", "site.yaml does not allow it", id="forbidden"
        ),
    ],
)
def test_the_flag_for_force_is_refused_where_site_yaml_does_not_say_the_same(
    site: Site, server: RehearsalServer, section: str, words: str
) -> None:
    site.edit("site.yaml", "{source: signin, credentials: file:secrets.json}", section)

    ended = site.run("apply", "demo", "--yes", "--force-sign-in")

    assert ended.code == 3
    assert words in ended.err
    assert attendance(server)["sign_ins"] == 0


@pytest.mark.parametrize(("flag", "thrown_out"), [([], 0), (["--force-sign-in"], 1)], ids=["without-flag", "with-flag"])
def test_somebody_is_thrown_out_only_with_the_flag_and_it_is_told(
    site: Site, server: RehearsalServer, flag: list[str], thrown_out: int
) -> None:
    server.sign_in([1002])
    site.edit("site.yaml", "file:secrets.json}", "file:secrets.json, force: true}")

    ended = site.run("apply", "demo", "--yes", "--json", *flag)

    assert (attendance(server)["thrown_out"], attendance(server)["forced"]) == (thrown_out, thrown_out)
    assert ended.code == (0 if thrown_out else 9)
    assert ("forced-sign-in" in warnings(ended.document)) is bool(thrown_out)


# Whoever only wants to look


def test_comparing_sessions_is_refused_since_it_would_sign_everybody_in(site: Site, server: RehearsalServer) -> None:
    site.run("apply", "demo", "--yes")

    ended = site.run("plan", "demo", "--sessions")

    assert ended.code == 3
    assert "would sign them in" in ended.err
    assert attendance(server)["sign_ins"] == 5


# Secrets


def files_of(site: Site) -> bytes:
    kept = [file for file in site.work.rglob("*") if file.is_file() and file.name != "secrets.json"]
    return b"\n".join(file.read_bytes() for file in kept)


def test_no_password_and_no_guid_is_written_anywhere_whatever_the_outcome(site: Site, server: RehearsalServer) -> None:
    server.sign_in([1002])
    server.call(lambda gateway: gateway.set_password(1005, "another"))
    server.add_faults("1001=reset-after-commit", "sign-in/1003=reset-after-commit", "sign-out/*=slow:0.05")
    seen: set[str] = set()
    server.call(lambda gateway: _watch_guids(gateway, seen))

    planned = site.run("plan", "demo", "--out", "plan.json")
    applied = site.run("apply", "demo", "--plan", "plan.json", "--json")
    again = site.run("apply", "demo", "--yes")
    listed = site.run("state", "show", "demo")

    said = "".join(each.out + each.err for each in (planned, applied, again, listed)).encode() + files_of(site)
    assert len(seen) >= 3
    assert [secret for secret in {PASSWORD, *seen} if secret.encode() in said] == []


def stop_amid_a_session(process: subprocess.Popen[str], server: RehearsalServer) -> set[str]:
    """Let the process go no further once somebody is signed in, and return the Guids; between two agents nobody is."""
    while True:
        wait_until(lambda: bool(guids(server)))
        process.send_signal(signal.SIGSTOP)
        if left := guids(server):
            return left
        process.send_signal(signal.SIGCONT)


def test_no_secret_is_in_what_a_killed_run_leaves_behind(slow_site: Site, server: RehearsalServer) -> None:
    process = start_apply(slow_site)
    wait_until(lambda: attendance(server)["sign_ins"] >= 5)
    left = stop_amid_a_session(process, server)
    process.kill()
    out, err = process.communicate()

    said = (out + err).encode() + files_of(slow_site)
    assert left
    assert "state.json.journal" in {file.name for file in slow_site.root.iterdir()}
    assert [secret for secret in {PASSWORD, *left} if secret.encode() in said] == []


def _watch_guids(gateway: Any, seen: set[str]) -> None:
    leave = gateway.leave

    def leaving(visit: Any) -> None:
        seen.update(session.guid for session in gateway.sessions())
        leave(visit)

    gateway.leave = leaving


def test_what_the_gateway_saw_is_a_sign_in_a_call_and_a_sign_out_for_each(site: Site, server: RehearsalServer) -> None:
    site.run("apply", "demo", "--yes")

    for agent in range(1001, 1006):
        steps = server.call(
            lambda gateway, agent=agent: [  # type: ignore[misc]
                gateway.attendance.count(step, agent) for step in (Step.SIGN_IN, Step.SIGN_OUT, Step.FORCE)
            ]
        )
        assert steps == [1, 1, 0]
    total = server.call(lambda gateway: gateway.requests_document())["total"]
    assert total == 5
