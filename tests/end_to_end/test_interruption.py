"""A run that is told to stop, or is killed, leaves a truth from which the next one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from state.backends.state_server import LOGIN, serving
from support.processes import PATIENCE, start_apply, wait_until
from support.rehearsal import RehearsalServer
from support.site import Site


def applied_at_the_gateway(server: RehearsalServer) -> set[str]:
    return server.call(lambda gateway: set(gateway.agents_document()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["sigint", "sigterm"])
def test_the_first_signal_ends_the_run_in_order_with_every_outcome_told(
    slow_site: Site, server: RehearsalServer, number: signal.Signals
) -> None:
    process = start_apply(slow_site)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)

    document = json.loads(out)
    assert process.returncode == document["exit_code"] == 130
    assert "stopping" in err
    assert len(document["outcomes"]) == 20
    applied = {each["agent"] for each in document["outcomes"] if each["outcome"] == "applied"}
    assert applied == set(slow_site.state["agents"]) == applied_at_the_gateway(server)
    assert document["summary"]["skipped"] == 20 - len(applied)


_TOLD_LATE = """
import os, signal, sys
from reconciler.cli import running
told = running.outcome_text
def late(*arguments, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return told(*arguments, **options)
running.outcome_text = late
from reconciler.__main__ import main
sys.exit(main())
"""


def test_a_signal_when_the_run_is_over_keeps_nobody_from_its_outcomes(site: Site) -> None:
    words = [sys.executable, "-c", _TOLD_LATE, "apply", "demo", "--yes"]
    ended = subprocess.run(words, cwd=site.work, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert (ended.returncode, "interrupted" in ended.stderr) == (0, False)
    assert f"Apply: {len(site.state['agents'])} applied" in ended.stdout


def test_after_a_kill_the_next_run_sends_what_is_missing_or_in_doubt_and_nothing_else(
    slow_site: Site, server: RehearsalServer
) -> None:
    process = start_apply(slow_site)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 5)
    process.kill()
    process.communicate()
    before = server.call(lambda gateway: gateway.requests_document())["total"]
    assert isinstance(before, int)

    planned = slow_site.run("plan", "demo", "--json").document
    slow_site.edit("site.yaml", "requests_per_second: 10\n", "requests_per_second: 1000\n")
    ended = slow_site.run("apply", "demo", "--yes")

    recorded = 20 - planned["summary"]["calls"]
    after = server.call(lambda gateway: gateway.requests_document())["total"]
    assert isinstance(after, int)
    assert ended.code == 0
    assert 3 <= recorded <= before
    assert after - before == planned["summary"]["calls"]
    assert len(applied_at_the_gateway(server)) == 20
    assert "No changes" in slow_site.run("plan", "demo").out


def test_a_second_signal_leaves_at_once_and_loses_nothing(slow_site: Site, server: RehearsalServer) -> None:
    process = start_apply(slow_site)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 3)
    server.add_faults("*=slow:30")
    wait_until(lambda: server.call(lambda gateway: gateway.requests_document())["total"] >= 5)  # type: ignore[operator]
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)

    document = json.loads(out)
    assert process.returncode == document["exit_code"] == 130
    assert "in doubt" in document["diagnostics"][0]["detail"]
    reasons = {each["reason"] for each in slow_site.run("plan", "demo", "--json").document["changes"]}
    assert "in-doubt" in reasons


def test_a_second_signal_says_how_to_break_a_lock_that_never_runs_out(
    slow_site: Site, server: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as kept:
        monkeypatch.setenv("STATE_TOKEN", LOGIN[1])
        login = f"username: {LOGIN[0]}, password: env:STATE_TOKEN"
        slow_site.edit("site.yaml", "name: demo\n", f"name: demo\nstate: {{backend: http, url: {kept.url}, {login}}}\n")
        process = start_apply(slow_site)
        wait_until(lambda: len(applied_at_the_gateway(server)) >= 3)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
        assert kept.lock is not None
        command = f"reconciler state unlock {json.loads(kept.lock)['ID']} demo"
        assert f"the lock on {kept.url} stays; break it with: {command}\n" in err
        broken = slow_site.run(*command.split()[1:])
        assert (broken.code, broken.out.endswith("; it is free.\n")) == (0, True)


def test_a_bug_in_the_middle_of_a_run_exits_1_and_what_was_acknowledged_is_recorded(
    site: Site, server: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 1000\n  concurrency: 1")
    server.add_faults("1003=retcode:100-007")

    def broken() -> float:
        raise ZeroDivisionError

    monkeypatch.setattr("random.random", broken)  # asked for the jitter before a call is tried again

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (1, "bug")
    assert set(site.state["agents"]) == applied_at_the_gateway(server) == {"1001", "1002"}


def test_the_first_signal_ends_the_run_within_seven_seconds_though_the_gateway_hangs(
    slow_site: Site, server: RehearsalServer
) -> None:
    slow_site.edit("site.yaml", "  concurrency: 2", "  concurrency: 2\n  timeout: 60s")
    server.add_faults("*=slow:60")
    process = start_apply(slow_site)
    wait_until(lambda: len(applied_at_the_gateway(server)) >= 2)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=7)

    document = json.loads(out)
    assert process.returncode == 130
    assert (document["summary"]["in_doubt"], document["summary"]["skipped"]) == (2, 18)
