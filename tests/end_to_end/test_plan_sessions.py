"""`--sessions`: who signed in anew is sent the values again, and a reviewed plan holds only while nobody else does."""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonschema
import pytest
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, publish_sessions

from reconciler.schemas import schema_text

AGENTS = (1001, 1002, 1003, 1004, 1005)


@pytest.fixture(autouse=True)
def _applied(site: Site) -> None:
    """Everybody has their values, each in the session they are in."""
    assert site.run("apply", "demo", "--yes").code == 0


def sign_in_anew(site: Site, server: RehearsalServer, *agents: int) -> None:
    server.sign_in(agents)
    publish_sessions(site, server)


def sign_out(site: Site, server: RehearsalServer, *agents: int) -> None:
    for agent in agents:
        server.call(lambda gateway, agent=agent: gateway.sign_out(agent))  # type: ignore[misc]
    publish_sessions(site, server)


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


def deeds(ended: Ended) -> list[tuple[str, str, str]]:
    return [(each["agent"], each["action"], each["reason"]) for each in ended.document["changes"]]


def test_who_signed_in_anew_is_planned_and_sent_again_and_then_nobody(site: Site, server: RehearsalServer) -> None:
    sign_in_anew(site, server, 1002, 1004)
    before = calls(server)

    assert "No changes" in site.run("plan", "demo").out
    planned = site.run("plan", "demo", "--sessions", "--json")
    applied = site.run("apply", "demo", "--sessions", "--yes")

    assert deeds(planned) == [("1002", "reassert", "new-session"), ("1004", "reassert", "new-session")]
    assert (applied.code, calls(server) - before) == (0, 2)
    assert "No changes" in site.run("plan", "demo", "--sessions").out


def test_a_rotated_guid_is_no_new_session(site: Site, server: RehearsalServer) -> None:
    for agent in AGENTS:
        server.call(lambda gateway, agent=agent: gateway.rotate(agent))  # type: ignore[misc]
    publish_sessions(site, server)

    assert "No changes" in site.run("plan", "demo", "--sessions").out


def test_the_plan_says_how_many_sessions_there_are_and_who_would_be_deferred(
    site: Site, server: RehearsalServer
) -> None:
    sign_out(site, server, 1001, 1005)
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, total: 20}")

    ended = site.run("plan", "demo", "--sessions")

    assert ended.out.splitlines()[2] == "sessions as of this plan: 3 of 5 agents have one"
    assert "1 agent to be called has no session as of this plan, and would be deferred: 1001" in ended.out


def test_a_plan_without_sessions_says_on_its_first_lines_what_it_does_not_know(site: Site) -> None:
    _, recorded, unseen, *_ = site.run("plan", "demo").out.splitlines()

    assert "live values cannot be read back" in recorded
    assert unseen.startswith("not known without --sessions: who is signed in, and who has signed in anew")


def test_the_document_keeps_to_the_schema_and_show_prints_what_plan_printed(
    site: Site, server: RehearsalServer
) -> None:
    sign_in_anew(site, server, 1003)
    sign_out(site, server, 1001)
    planned = site.run("plan", "demo", "--sessions", "--out", "plan.json")
    schema, saved = json.loads(schema_text("plan")), json.loads((site.work / "plan.json").read_text())

    jsonschema.validate(saved, schema)
    jsonschema.validate(site.run("plan", "demo", "--sessions", "--json").document, schema)
    assert saved["options"]["sessions"] is True
    assert saved["sessions"] == {"asked": 5, "known": 4, "keyless": 0, "absent": []}
    told = [line for line in planned.out.splitlines() if "session" in line]
    assert told[0] == "sessions as of this plan: 4 of 5 agents have one"
    assert [line for line in site.run("show", "plan.json").out.splitlines() if "session" in line] == told


def test_no_guid_and_no_key_is_in_the_plan_or_its_file(site: Site, server: RehearsalServer) -> None:
    sign_in_anew(site, server, 1003)
    sessions: list[Any] = server.call(lambda gateway: [each.document() for each in gateway.sessions()])
    planned = site.run("plan", "demo", "--sessions", "--out", "plan.json")

    told = planned.out + planned.err + (site.work / "plan.json").read_text()
    assert "new-session" in told
    assert [each for each in sessions if each["guid"] in told or each["session"] in told] == []


# A reviewed plan


def reviewed(site: Site, *flags: str) -> None:
    assert site.run("plan", "demo", "--sessions", "--out", "plan.json", *flags).code == 0


def test_a_reviewed_plan_with_sessions_is_applied_while_the_floor_stays_as_it_was(
    site: Site, server: RehearsalServer
) -> None:
    sign_in_anew(site, server, 1002)
    reviewed(site)

    ended = site.run("apply", "demo", "--plan", "plan.json", "--json")

    assert (ended.code, [each["agent"] for each in ended.document["outcomes"]]) == (0, ["1002"])


def test_a_further_sign_in_of_the_same_agent_spoils_nothing(site: Site, server: RehearsalServer) -> None:
    sign_in_anew(site, server, 1002)
    reviewed(site)
    sign_in_anew(site, server, 1002)

    assert site.run("apply", "demo", "--plan", "plan.json").code == 0


@pytest.mark.parametrize("flags", [(), ("--allow-shrink",)], ids=["plain", "allow-shrink"])
def test_an_agent_who_signed_in_anew_since_the_review_makes_the_plan_stale_and_is_named(
    site: Site, server: RehearsalServer, flags: tuple[str, ...]
) -> None:
    sign_in_anew(site, server, 1002)
    reviewed(site)
    sign_in_anew(site, server, 1004)
    before = calls(server)

    ended = site.run("apply", "demo", "--plan", "plan.json", *flags)

    assert (ended.code, calls(server)) == (6, before)
    assert "not the plan that was reviewed: 1 agent signed in anew since; nothing was sent" in ended.err
    assert "+ agent 1004  reassert (new-session)" in ended.err
    assert "plan again" in ended.err


def test_an_agent_who_signed_out_since_the_review_leaves_less_to_do(site: Site, server: RehearsalServer) -> None:
    sign_in_anew(site, server, 1002, 1004)
    reviewed(site)
    sign_out(site, server, 1004)

    refused = site.run("apply", "demo", "--plan", "plan.json")
    accepted = site.run("apply", "demo", "--plan", "plan.json", "--allow-shrink", "--json")

    assert refused.code == 6
    assert "1 agent who had signed in anew no longer shows it" in refused.err
    assert "--allow-shrink" in refused.err
    assert (accepted.code, [each["agent"] for each in accepted.document["outcomes"]]) == (0, ["1002"])


def test_a_reviewed_plan_without_sessions_reads_none_while_planning(site: Site, server: RehearsalServer) -> None:
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, total: 20}")
    assert site.run("plan", "demo", "--out", "plan.json").code == 0
    sign_in_anew(site, server, 1004)

    ended = site.run("apply", "demo", "--plan", "plan.json", "--json")

    assert (ended.code, [each["agent"] for each in ended.document["outcomes"]]) == (0, ["1001"])


def test_a_plan_file_that_says_otherwise_of_its_sessions_was_altered(site: Site) -> None:
    reviewed(site)
    text = (site.work / "plan.json").read_text()
    (site.work / "plan.json").write_text(text.replace('"sessions": true', '"sessions": false'))

    ended = site.run("apply", "demo", "--plan", "plan.json")

    assert ended.code == 6
    assert "sessions: contradicts options.sessions" in ended.err


def test_sessions_beside_a_reviewed_plan_are_refused_since_it_has_its_own(site: Site) -> None:
    reviewed(site)

    ended = site.run("apply", "demo", "--plan", "plan.json", "--sessions")

    assert ended.code == 3
    assert "--plan has its own selection and options" in ended.err


# The source


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_source_that_fails_exits_4_with_a_sentence_and_sends_nothing(
    site: Site, server: RehearsalServer, command: tuple[str, ...]
) -> None:
    (site.root / "sessions.json").unlink()
    before = calls(server)

    ended = site.run(command[0], "demo", "--sessions", *command[1:])

    assert (ended.code, calls(server)) == (4, before)
    assert "session file sessions.json cannot be read" in ended.err
    assert "Traceback" not in ended.err


def test_a_failed_source_leaves_no_plan_file_and_no_lock_behind(site: Site) -> None:
    (site.root / "sessions.json").write_text("{")

    assert site.run("plan", "demo", "--sessions", "--out", "plan.json").code == 4
    assert site.run("apply", "demo", "--sessions", "--yes").code == 4
    assert not (site.work / "plan.json").exists()
    assert site.run("apply", "demo", "--yes").code == 0


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_source_that_signs_agents_in_is_not_asked_who_is_signed_in(
    site: Site, server: RehearsalServer, command: tuple[str, ...]
) -> None:
    site.write("agents.json", json.dumps({str(agent): {"password": "", "phonenum": "40038"} for agent in AGENTS}))
    source = {"source": "signin", "credentials": "file:agents.json"}
    site.edit("site.yaml", "guardrails:", f"sessions: {json.dumps(source)}\nguardrails:")
    state = site.state

    ended = site.run(command[0], "demo", "--sessions", *command[1:])

    assert (ended.code, site.state) == (3, state)
    assert "to ask it who is signed in would sign them in" in ended.err
    assert "--sessions" in ended.err
    assert len(server.call(lambda gateway: gateway.sessions())) == 20


COUNTING = """\
import json, os, sys
known = {session["agentId"]: session for session in json.loads(os.environ["FLOOR_SESSIONS"])}
asked = [json.loads(line)["agentId"] for line in sys.stdin]
with open("asked.txt", "a") as file:
    file.write(" ".join(asked) + "\\n")
for agent in asked:
    if agent in known:
        print(json.dumps(known[agent]))
"""


def test_the_source_is_asked_once_for_all_agents_of_the_plan_and_no_others(
    site: Site, server: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = server.call(lambda gateway: [session.document() for session in gateway.sessions()])
    monkeypatch.setenv("FLOOR_SESSIONS", json.dumps(sessions))
    source = {"source": "command", "command": [sys.executable, "who.py"]}
    site.write("who.py", COUNTING)
    site.edit("site.yaml", "guardrails:", f"sessions: {json.dumps(source)}\nguardrails:")
    site.edit("fleet.yaml", "  1001: {profile: chat}\n", "")  # recorded, no longer desired: only forgotten

    assert site.run("plan", "demo", "--sessions").code == 0
    assert (site.root / "asked.txt").read_text() == "1002 1003 1004 1005\n"
    assert site.run("plan", "demo", "--sessions", "--team", "night").code == 0
    assert (site.root / "asked.txt").read_text() == "1002 1003 1004 1005\n1003 1004 1005\n"
    assert site.run("plan", "demo").code == 0
    assert len((site.root / "asked.txt").read_text().splitlines()) == 2
