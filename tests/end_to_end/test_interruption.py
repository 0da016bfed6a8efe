"""A run that is told to stop, or is killed, leaves a truth from which the next one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from support.rehearsal import RehearsalServer
from support.site import Site

PATIENCE = 20.0


def start_apply(site: Site) -> subprocess.Popen[str]:
    """Start an apply that sends a few calls a second."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "demo", "--yes", "--json"],
        cwd=site.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(what: Callable[[], bool]) -> None:
    """Wait for an effect, with a bound that only a broken run meets."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def applied_at_the_gateway(server: RehearsalServer) -> set[str]:
    return server.call(lambda gateway: set(gateway.agents_document()))


@pytest.fixture
def slow_site(site: Site) -> Site:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 10\n  concurrency: 2")
    site.write("fleet.yaml", "agents: {1001-1020: {total: 3, channels: {web_chat: 3}}}\n")
    return site


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
    process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    reasons = {each["reason"] for each in slow_site.run("plan", "demo", "--json").document["changes"]}
    assert "in-doubt" in reasons


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
