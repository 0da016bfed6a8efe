"""A run that is stopped or killed in its midst still leaves the way back from all that it did."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
from support.processes import PATIENCE, start_apply, wait_until
from support.rehearsal import RehearsalServer
from support.site import Site

FILE = "demo/rollback-demo-1.json"


@pytest.fixture
def slow(slow_site: Site) -> Site:
    """Twenty agents at serial 1, and a slow run before them that gives them another number."""
    slow_site.edit("site.yaml", "requests_per_second: 10\n", "requests_per_second: 1000\n")
    assert slow_site.run("apply", "demo", "--yes").code == 0
    slow_site.edit("site.yaml", "requests_per_second: 1000\n", "requests_per_second: 10\n")
    slow_site.edit("fleet.yaml", "web_chat: 3", "web_chat: 2")
    return slow_site


def agents_with(server: RehearsalServer, number: int) -> int:
    agents: dict[str, Any] = server.call(lambda gateway: gateway.agents_document())
    return sum(1 for each in agents.values() if each["channels"]["51"] == number)


def quickly(site: Site) -> None:
    site.edit("site.yaml", "requests_per_second: 10\n", "requests_per_second: 1000\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["sigint", "sigterm"])
def test_a_run_that_was_interrupted_leaves_the_way_back_of_what_it_did(
    slow: Site, server: RehearsalServer, number: signal.Signals
) -> None:
    process = start_apply(slow)
    wait_until(lambda: agents_with(server, 2) >= 3)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    document = json.loads(out)
    applied = {each["agent"] for each in document["outcomes"] if each["outcome"] == "applied"}
    quickly(slow)

    left = json.loads((slow.work / FILE).read_text())
    ended = slow.run("rollback", FILE, "demo", "--yes", "--json")

    assert (document["exit_code"], document["rollback_file"], left["finished"]) == (130, FILE, True)
    assert {each["agent"] for each in left["agents"]} == applied
    assert ended.document["summary"]["applied"] == len(applied)
    assert agents_with(server, 3) == 20


def test_a_run_that_was_killed_leaves_a_way_back_too(slow: Site, server: RehearsalServer) -> None:
    process = start_apply(slow)
    wait_until(lambda: agents_with(server, 2) >= 5)
    process.kill()
    process.communicate()
    reached = agents_with(server, 2)
    quickly(slow)

    left = json.loads((slow.work / FILE).read_text())
    preview = slow.run("rollback", FILE, "demo", "--preview")
    ended = slow.run("rollback", FILE, "demo", "--yes", "--json")

    assert (left["finished"], len(left["agents"])) == (False, 20)
    assert "that run was cut short" in preview.out
    assert ended.code == 0
    assert reached <= ended.document["summary"]["calls"] <= reached + 2, "two calls may have been in flight"
    assert agents_with(server, 3) == 20
    assert {each["channels"]["51"] for each in slow.state["agents"].values()} == {3}


def test_a_way_back_that_was_killed_is_gone_to_its_end_by_the_same_command(slow: Site, server: RehearsalServer) -> None:
    quickly(slow)
    slow.run("apply", "demo", "--yes")
    slow.edit("site.yaml", "requests_per_second: 1000\n", "requests_per_second: 10\n")
    process = start_apply(slow, "rollback", FILE)
    wait_until(lambda: agents_with(server, 3) >= 5)
    process.kill()
    process.communicate()
    quickly(slow)

    ended = slow.run("rollback", FILE, "demo", "--yes")

    assert ended.code == 0
    assert agents_with(server, 3) == 20
    assert slow.run("plan", "demo", "--json").document["summary"]["set"] == 20
