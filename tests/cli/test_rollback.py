"""`rollback`, and the file that `apply` leaves for it, as somebody at a command line meets them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.counterparts import require_program
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, live_site

from reconciler.cli.rollback_file import KEPT
from reconciler.schemas import schema_text

FILE = "demo/rollback-demo-1.json"
ALL = {"1001", "1002", "1003", "1004", "1005"}


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=range(1001, 1021)) as running:
        yield running


@pytest.fixture
def live(tmp_path: Path, server: RehearsalServer) -> Iterator[Site]:
    """Five agents at serial 1, and none of it older."""
    with live_site(tmp_path, server) as ready:
        assert ready.run("apply", "demo", "--yes").code == 0
        (ready.root / "rollback-demo-0.json").unlink()
        yield ready


@pytest.fixture
def changed(live: Site) -> Site:
    """The five after a second run, which gave them more web chats and is to be taken back."""
    edit(live)
    assert live.run("apply", "demo", "--yes").code == 0
    return live


def edit(site: Site) -> None:
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 9")


def revert(site: Site) -> None:
    site.edit("fleet.yaml", "web_chat: 9", "web_chat: 6")


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


def web_chats(server: RehearsalServer) -> set[int]:
    agents: dict[str, Any] = server.call(lambda gateway: gateway.agents_document())
    return {numbers["channels"]["51"] for numbers in agents.values()}


def rollback_files(site: Site) -> set[str]:
    return {path.relative_to(site.work).as_posix() for path in site.work.rglob("rollback*.json")}


def documented(ended: Ended, schema: str = "outcome") -> dict[str, Any]:
    jsonschema.validate(ended.document, json.loads(schema_text(schema)))
    return ended.document


# What apply leaves


def test_apply_leaves_the_way_back_beside_the_state_and_says_the_command(live: Site) -> None:
    edit(live)

    ended = live.run("apply", "demo", "--yes")

    assert f"the way back: reconciler rollback {FILE} demo\n" in ended.err
    left = json.loads((live.work / FILE).read_text())
    jsonschema.validate(left, json.loads(schema_text("rollback")))
    assert {each["agent"] for each in left["agents"]} == ALL
    assert {each["before"]["channels"]["51"] for each in left["agents"]} == {6}


def test_the_document_of_apply_names_the_file(live: Site) -> None:
    edit(live)

    assert documented(live.run("apply", "demo", "--yes", "--json"))["rollback_file"] == FILE


def test_an_apply_that_changes_nothing_leaves_no_file(live: Site) -> None:
    ended = live.run("apply", "demo", "--yes", "--reassert", "all", "--json")

    assert (ended.document["summary"]["applied"], ended.document["rollback_file"]) == (5, None)
    assert rollback_files(live) == set()


def test_an_apply_that_reached_nobody_leaves_no_file(live: Site) -> None:
    edit(live)
    live.write("sessions.json", "[]")

    ended = live.run("apply", "demo", "--yes", "--json")

    assert (ended.document["summary"]["deferred"], ended.document["rollback_file"]) == (5, None)
    assert rollback_files(live) == set()


def test_a_first_apply_leaves_a_file_that_says_unknown_and_promises_no_way_back(
    tmp_path: Path, server: RehearsalServer
) -> None:
    with live_site(tmp_path, server) as site:
        ended = site.run("apply", "demo", "--yes")

        assert "the way back" not in ended.err
        preview = site.run("rollback", "demo/rollback-demo-0.json", "demo", "--preview")
    assert "5 agents  left alone: not recorded before that run, so what to go back to is unknown" in preview.out
    assert "nothing of that run is left to be taken back" in preview.out


@pytest.mark.parametrize(
    ("place", "found"),
    [("back.json", "back.json"), ("kept", "kept/rollback-demo-1.json")],
    ids=["file", "directory"],
)
def test_the_way_back_goes_where_it_was_asked_for(live: Site, place: str, found: str) -> None:
    (live.work / "kept").mkdir()
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--json", "--rollback-out", place)

    assert ended.document["rollback_file"] == found
    assert {path.name for path in live.work.rglob("*") if path.name.startswith(("rollback", "back"))} == {
        Path(found).name
    }


def test_the_way_back_from_an_earlier_run_is_never_written_over(live: Site, server: RehearsalServer) -> None:
    before = calls(server)
    (live.work / "back.json").write_text("somebody's only way back")
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--rollback-out", "back.json")

    assert (ended.code, calls(server)) == (3, before)
    assert "back.json exists already" in ended.err
    assert (live.work / "back.json").read_text() == "somebody's only way back"


def test_a_name_that_is_taken_gets_a_number(live: Site) -> None:
    (live.work / FILE).write_text("from a run that was killed")
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--json")

    assert ended.document["rollback_file"] == "demo/rollback-demo-1.2.json"


@pytest.mark.parametrize("place", ["demo/state.json.journal", "demo/back.yaml"])
def test_a_way_back_is_never_written_where_the_state_or_a_fleet_file_stands(
    live: Site, server: RehearsalServer, place: str
) -> None:
    before = calls(server)
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--rollback-out", place)

    assert (ended.code, calls(server)) == (3, before)
    assert f"{place} would become a file of demo" in ended.err
    assert not (live.work / "demo/back.yaml").exists()


def test_without_a_place_for_the_way_back_nothing_is_sent(live: Site, server: RehearsalServer) -> None:
    before = calls(server)
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--rollback-out", "nowhere/back.json")

    assert (ended.code, calls(server)) == (3, before)
    assert "nowhere/back.json cannot be written" in ended.err
    assert "--rollback-out" in ended.err


def test_a_place_for_the_way_back_that_cannot_be_looked_at_sends_nothing(live: Site, server: RehearsalServer) -> None:
    before = calls(server)
    edit(live)

    ended = live.run("apply", "demo", "--yes", "--rollback-out", "x" * 300)

    assert (ended.code, calls(server)) == (3, before)
    assert "cannot be looked at: File name too long" in ended.err
    assert "give another place for it: --rollback-out" in ended.err


def test_a_linked_state_has_its_way_back_beside_the_real_file(live: Site) -> None:
    (live.work / "volume").mkdir()
    (live.root / "state.json").rename(live.work / "volume" / "state.json")
    (live.root / "state.json").symlink_to(live.work / "volume" / "state.json")
    edit(live)

    live.run("apply", "demo", "--yes")

    assert rollback_files(live) == {"volume/rollback-demo-1.json"}


def test_the_way_back_of_a_state_kept_elsewhere_is_in_the_working_directory_and_leads_back(
    tmp_path: Path, server: RehearsalServer
) -> None:
    git = require_program("git", package="git")
    subprocess.run([git, "init", "--quiet", "--bare", str(tmp_path / "state.git")], check=True)
    with live_site(tmp_path, server) as site:
        site.edit(
            "site.yaml", "name: demo", f"name: demo\nstate: {{backend: git, remote: 'file://{tmp_path}/state.git'}}"
        )
        site.run("apply", "demo", "--yes")
        edit(site)
        site.edit("fleet.yaml", "  1001: {profile: chat}\n", "")
        file = site.run("apply", "demo", "--yes", "--json").document["rollback_file"]

        ended = site.run("rollback", file, "demo", "--yes", "--json")
        recorded = site.run("state", "list", "demo", "--json").document["agents"]

    assert Path(file).parent == Path()
    assert (ended.code, ended.document["summary"]["applied"]) == (0, 4)
    assert {each["agent"]: each["channels"]["51"] for each in recorded} == dict.fromkeys(sorted(ALL), 6)


def test_of_the_files_under_their_own_names_only_the_newest_stay(live: Site) -> None:
    for age in range(1, KEPT + 5):
        old = live.root / f"rollback-demo-{1000 + age}.json"
        old.write_text("{}")
        os.utime(old, (1_700_000_000 - age, 1_700_000_000 - age))
    others = {live.root / "rollback-demo-2-7.json", live.root / "rollback-demo-old.json"}
    for other in others:
        other.write_text("{}")
    edit(live)

    live.run("apply", "demo", "--yes")

    mine = {path.name for path in live.root.glob("rollback-*.json") if path not in others}
    assert all(other.exists() for other in others)
    assert mine == {"rollback-demo-1.json", *(f"rollback-demo-{1000 + age}.json" for age in range(1, KEPT))}


# Looking first


def test_a_preview_sends_nothing_and_says_what_would_be(changed: Site, server: RehearsalServer) -> None:
    before, serial = calls(server), changed.state["serial"]

    ended = changed.run("rollback", FILE, "demo", "--preview")

    assert (ended.code, calls(server), changed.state["serial"]) == (0, before, serial)
    assert ended.out.startswith("rollback for site demo: what was recorded before the apply of ")
    assert "web_chat 9 → 6" in ended.out
    assert "rollback would send 5 setcallnumsbymediatype calls" in ended.out
    assert "revert the commit" in ended.err


def test_the_document_of_a_preview_is_a_plan_with_what_else_there_is_to_say(changed: Site) -> None:
    document = documented(changed.run("rollback", FILE, "demo", "--preview", "--json"), "plan")

    assert (document["command"], document["summary"]["calls"]) == ("rollback", 5)
    assert document["going_back"]["finished"] is True
    assert {change["source"] for change in document["changes"]} == {None}


def test_what_a_preview_shows_cannot_be_given_to_apply(changed: Site) -> None:
    ended = changed.run("rollback", FILE, "demo", "--preview", "--json")
    (changed.work / "plan.json").write_text(ended.out)

    assert "is not plan" in changed.run("apply", "demo", "--plan", "plan.json").err


def test_a_preview_tells_both_refusals(changed: Site) -> None:
    changed.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 5")
    changed.run("apply", "demo", "--yes")
    changed.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 3")

    since = changed.run("rollback", FILE, "demo", "--preview")
    limited = changed.run("rollback", FILE, "demo", "--preview", "--allow-shrink")

    assert (since.code, limited.code) == (6, 5)
    assert "1 agent was changed since that run: 1002" in since.err
    assert "guardrail max_changed_agents: 4 agents, limit 3" in limited.out


PAGE = Path(__file__).parents[2] / "docs" / "rollback.md"
SHOWN = re.compile(r"(?<=```console\n)\$ reconciler (.*?)\n(.*?)(?=```)", re.DOTALL)
PLACEHOLDERS = (
    (r"https://127\.0\.0\.1:[0-9]+", "https://cc-gateway.example:8043"),
    (r"[0-9-]{10}T[0-9:]{8}Z", "2026-01-31T09:30:00Z"),
    (r"sha256:[0-9a-f]{64}", f"sha256:{'7dc4bde22a031810' * 4}"),
)


def test_the_page_on_rollback_shows_what_a_preview_prints(live: Site) -> None:
    live.edit("fleet.yaml", "  1001: {profile: chat}\n", "")
    live.edit("fleet.yaml", "1003-1005", "1003-1006")
    live.edit("fleet.yaml", "web_chat: 6, sms: 4", "web_chat: 7")
    live.run("apply", "demo", "--yes")
    live.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 20")
    shown = SHOWN.search(PAGE.read_text())
    assert shown is not None

    told = live.run(*shlex.split(shown[1])).out
    for pattern, placeholder in PLACEHOLDERS:
        told = re.sub(pattern, placeholder, told)
    if os.environ.get("UPDATE_GOLDENS"):
        PAGE.write_text(PAGE.read_text().replace(shown[0], f"$ reconciler {shown[1]}\n{told}"))

    assert told == shown[2]


# Going back


def test_going_back_sends_the_old_numbers_and_says_that_git_must_follow(changed: Site, server: RehearsalServer) -> None:
    before = calls(server)

    ended = changed.run("rollback", FILE, "demo", "--yes")

    assert (ended.code, calls(server) - before, web_chats(server)) == (0, 5, {6})
    assert {each["channels"]["51"] for each in changed.state["agents"].values()} == {6}
    assert "warning[git-must-follow]: the YAML still asks for something else for 5 agents" in ended.err
    assert "1001-1005" in ended.err
    assert "the way back: reconciler rollback demo/rollback-demo-2.json demo" in ended.err
    assert "5 set" in changed.run("plan", "demo").out


def test_once_the_commit_is_reverted_nobody_is_told_to_and_the_plan_is_empty(changed: Site) -> None:
    revert(changed)

    document = documented(changed.run("rollback", FILE, "demo", "--yes", "--json"))

    assert document["still_desired"] == []
    assert document["diagnostics"] == []
    assert "No changes" in changed.run("plan", "demo").out


def test_the_document_of_a_rollback_lists_whom_the_yaml_still_wants_otherwise(changed: Site) -> None:
    document = documented(changed.run("rollback", FILE, "demo", "--yes", "--json"))

    assert (document["command"], document["exit_reason"]) == ("rollback", "done")
    assert set(document["still_desired"]) == ALL
    assert {each["outcome"] for each in document["outcomes"]} == {"applied"}
    assert document["rollback_file"] == "demo/rollback-demo-2.json"


def test_only_those_who_were_taken_back_are_still_wanted_otherwise(changed: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1001))

    ended = changed.run("rollback", FILE, "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (9, "some-agents-deferred")
    assert set(ended.document["still_desired"]) == ALL - {"1001"}


def test_the_same_file_twice_has_nothing_to_do_the_second_time(changed: Site, server: RehearsalServer) -> None:
    changed.run("rollback", FILE, "demo", "--yes")
    before = calls(server)

    ended = changed.run("rollback", FILE, "demo", "--yes")

    assert (ended.code, calls(server)) == (0, before)
    assert "5 agents  left alone: recorded as before that run" in ended.out
    assert "there was nothing to do" in ended.out


def test_a_record_put_back_is_told_and_needs_no_session(live: Site, server: RehearsalServer) -> None:
    live.edit("fleet.yaml", "  1001: {profile: chat}\n", "")
    live.run("apply", "demo", "--yes")
    server.call(lambda gateway: gateway.sign_out(1001))
    before = calls(server)

    ended = live.run("rollback", FILE, "demo", "--yes")

    assert (ended.code, calls(server)) == (0, before)
    assert "agent 1001  recorded again as before, without a call" in ended.out
    assert "1 record put back without a call\n    agent 1001\n" in ended.out
    assert "1001" in live.state["agents"]


def test_a_selection_takes_back_some_and_the_file_serves_for_the_others(changed: Site, server: RehearsalServer) -> None:
    before = calls(server)

    some = changed.run("rollback", FILE, "demo", "--yes", "--agent", "1001-1002")
    rest = changed.run("rollback", FILE, "demo", "--yes")

    assert (some.code, rest.code, calls(server) - before, web_chats(server)) == (0, 0, 5, {6})
    assert "only agents 1001-1002" in some.out


def test_a_selection_of_nobody_in_the_run_is_refused(changed: Site) -> None:
    ended = changed.run("rollback", FILE, "demo", "--yes", "--agent", "1019")

    assert ended.code == 3
    assert "leaves nobody whom that run changed" in ended.err


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
def test_without_a_terminal_it_has_to_be_said(changed: Site, flags: tuple[str, ...]) -> None:
    ended = changed.run("rollback", FILE, "demo", *flags)

    assert ended.code == 3
    assert "look first with --preview, then give --yes" in ended.err


def test_agents_changed_since_are_listed_and_accepted_only_by_a_flag(changed: Site, server: RehearsalServer) -> None:
    changed.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 5")
    changed.run("apply", "demo", "--yes")
    before = calls(server)

    refused = changed.run("rollback", FILE, "demo", "--yes", "--json")
    accepted = changed.run("rollback", FILE, "demo", "--yes", "--json", "--allow-shrink")

    assert (refused.code, documented(refused)["going_back"]["changed_since"]) == (6, ["1002"])
    assert (accepted.code, calls(server) - before) == (0, 4)
    assert documented(accepted)["going_back"]["changed_since"] == ["1002"]


def test_a_guardrail_refuses_as_it_refuses_apply(changed: Site, server: RehearsalServer) -> None:
    changed.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 3")
    before = calls(server)

    refused = changed.run("rollback", FILE, "demo", "--yes", "--json")
    applied = changed.run("rollback", FILE, "demo", "--yes", "--allow-changes", "5")

    assert (refused.code, applied.code, calls(server) - before) == (5, 0, 5)
    assert documented(refused)["guardrails"][0]["guardrail"] == "max_changed_agents"


# Files that lead nowhere


def test_an_altered_file_is_refused(changed: Site, server: RehearsalServer) -> None:
    file = changed.work / FILE
    file.write_text(file.read_text().replace('"51": 6', '"51": 5', 1))
    before = calls(server)

    ended = changed.run("rollback", FILE, "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"], calls(server)) == (6, "stale-plan", before)
    assert "altered after it was made" in ended.document["diagnostics"][0]["summary"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: demo", "name: other", "was of site demo"),
        ("  url: https://127.0.0.1", "  url: https://localhost", "called https://127.0.0.1"),
        ("name: demo", "name: demo\nstate: {path: fresh.json}", "the state of lineage"),
    ],
    ids=["site", "gateway", "state"],
)
def test_a_file_from_elsewhere_is_refused(changed: Site, old: str, new: str, words: str) -> None:
    changed.edit("site.yaml", old, new)
    if "other" in new:
        (changed.root / "state.json").unlink()

    for more in ("--preview", "--yes"):
        ended = changed.run("rollback", FILE, "demo", more)
        assert ended.code == 6
        assert words in ended.err


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"format_version": "1.0", "command": "plan"}', "\x00"],
    ids=["empty", "bare", "plan", "bytes"],
)
def test_what_is_no_rollback_file_is_told_apart(changed: Site, content: str) -> None:
    (changed.work / "x.json").write_text(content)

    ended = changed.run("rollback", "x.json", "demo", "--yes")

    assert ended.code == 3
    assert "x.json: not a rollback file this version can read" in ended.err
