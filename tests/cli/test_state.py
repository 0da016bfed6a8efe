"""`state list` and `state show`."""

from __future__ import annotations

import json

from support.site import Site

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
DOUBTFUL = {**RECORD, "acknowledged_at": None, "protected": True, "session": None, "status": "in_doubt", "team": None}


def record(site: Site) -> None:
    agents = {"1001": RECORD, "1002": DOUBTFUL}
    state = {"format_version": "1.0", "lineage": "11111111-2222-4333-8444-555555555555", "serial": 7, "site": "demo"}
    site.write("state.json", json.dumps({**state, "agents": agents}))


def test_nothing_recorded_yet_is_said_so(site: Site) -> None:
    assert site.run("state", "list", "demo").out == "State: site demo, nothing is recorded yet.\n"


def test_list_gives_a_line_an_agent_and_marks_doubt_and_protection(site: Site) -> None:
    record(site)

    first, second, summary = site.run("state", "list", "demo").out.splitlines()

    assert first.split("  ")[0] == "1001"
    assert "in doubt" in second
    assert "protected" in second
    assert "never" in second
    assert summary == "State: site demo, serial 7, 2 agents listed, 1 in doubt, 0 waiting."


def test_list_can_be_narrowed(site: Site) -> None:
    record(site)

    summary = site.run("state", "list", "demo", "--team", "east").last_line

    assert summary == "State: site demo, serial 7, 1 agent listed, 0 in doubt, 0 waiting."


def test_show_gives_every_field(site: Site) -> None:
    record(site)

    out = site.run("state", "show", "demo", "--agent", "1001").out

    assert "agent 1001" in out
    assert "web_chat 6" in out
    assert "login-1" in out
    assert "callNums" in out


def test_the_document_lists_the_records(site: Site) -> None:
    record(site)

    document = site.run("state", "list", "demo", "--json").document

    assert document["agents"] == [{"agent": "1001", **RECORD}, {"agent": "1002", **DOUBTFUL}]
    assert document["summary"]["in_doubt"] == 1


def test_the_group_alone_shows_its_help_and_exits_3(site: Site) -> None:
    assert site.run("state").code == 3
