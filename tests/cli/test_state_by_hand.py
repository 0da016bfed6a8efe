"""`state rm`, `state adopt` and `state mv-site`: the state changed by hand, and nothing sent."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.counterparts import require_program
from support.site import Ended, Site
from support.terminal import at_a_terminal

from reconciler.cli.locking import lock_holder
from reconciler.state import open_local_store

LINEAGE = "11111111-2222-4333-8444-555555555555"
RECORD = {
    "acknowledged_at": "2026-01-31T09:30:00Z",
    "callnums_key": "callNums",
    "channels": {"51": 6, "57": 1},
    "protected": False,
    "session": "login-1",
    "status": "acknowledged",
    "team": "east",
    "total": 12,
}
WAIT = {
    "attempts": 2,
    "first_deferred_at": "2026-01-31T01:00:00Z",
    "last_deferred_at": "2026-01-31T09:00:00Z",
    "retcode": "100-006",
}


def put(site: Site, agents: dict[str, dict[str, Any]], *, pending: dict[str, Any] | None = None) -> None:
    document = {"format_version": "1.0", "lineage": LINEAGE, "serial": 7, "site": "demo", "agents": agents}
    site.write("state.json", json.dumps(document if pending is None else {**document, "pending": pending}))


def raw(site: Site) -> bytes:
    return (site.root / "state.json").read_bytes()


def said(ended: Ended) -> str:
    return " ".join(ended.out.split())


# Both


@pytest.mark.parametrize(
    "command", [pytest.param(("rm", "--agent", "1001"), id="rm"), pytest.param(("adopt", "--all"), id="adopt")]
)
def test_without_a_terminal_and_without_yes_nothing_is_even_looked_at(site: Site, command: tuple[str, ...]) -> None:
    put(site, {"1001": RECORD})
    before = raw(site)
    ended = site.run("state", *command, "demo")
    assert ended.code == 3
    assert "--yes" in ended.err
    assert raw(site) == before


@pytest.mark.parametrize(
    "command", [pytest.param(("rm", "--agent", "1001"), id="rm"), pytest.param(("adopt", "--all"), id="adopt")]
)
@pytest.mark.parametrize(("answer", "code", "changed"), [("yes", 0, True), ("y", 130, False), ("", 130, False)])
def test_at_a_terminal_only_yes_will_do(
    site: Site, command: tuple[str, ...], answer: str, code: int, *, changed: bool
) -> None:
    put(site, {"1001": RECORD})
    before = raw(site)
    ended, screen = at_a_terminal(site, answer, "state", *command, "demo")
    assert ended == code
    assert (raw(site) != before) is changed
    assert ("not approved; nothing was changed" in screen) is not changed


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("rm", "--agent", "1001", "--yes"), id="rm"),
        pytest.param(("adopt", "--all", "--yes"), id="adopt"),
        pytest.param(("mv-site", "older", "demo"), id="mv-site"),
    ],
)
def test_another_runs_lock_is_respected(site: Site, command: tuple[str, ...]) -> None:
    put(site, {"1001": RECORD})
    before = raw(site)
    other = open_local_store(site.root / "state.json", site="demo", clock=str, new_lineage=str)
    with other.lock(lock_holder("apply")):
        assert site.run("state", *command, "demo", "--lock-timeout", "0s").code == 7
    assert raw(site) == before


# rm


def test_rm_drops_the_record_and_says_what_follows(site: Site) -> None:
    put(site, {"1001": RECORD, "1009": {**RECORD, "team": None}, "1002": RECORD}, pending={"1001": WAIT})
    ended = site.run("state", "rm", "demo", "--agent", "1001,1009", "--yes")
    assert ended.code == 0
    assert sorted(site.state["agents"]) == ["1002"]
    assert "pending" not in site.state
    assert (site.state["serial"], site.state["lineage"]) == (8, LINEAGE)
    text = said(ended)
    assert "Nothing is sent: the gateway keeps what it has." in text
    assert "1 agent desired still: 1001; the next plan shows them as new." in text
    assert "1 agent not desired: 1009; no plan will name them any more" in text
    assert site.run("plan", "demo", "--agent", "1001", "--json").document["changes"][0]["reason"] == "new"


def test_what_rm_has_dropped_can_be_put_back_with_the_command_it_names(site: Site) -> None:
    put(site, {"1001": RECORD, "1002": RECORD})
    ended = site.run("state", "rm", "demo", "--team", "east", "--yes")
    command = ended.last_line.partition("to put it back: reconciler ")[2].split()
    assert site.run(*command).code == 0
    assert sorted(site.state["agents"]) == ["1001", "1002"]
    assert site.state["serial"] == 9


def test_the_command_that_puts_it_back_is_refused_once_something_else_was_written(site: Site) -> None:
    put(site, {"1001": RECORD, "1002": RECORD, "1003": RECORD})
    ended = site.run("state", "rm", "demo", "--agent", "1001", "--yes")
    command = ended.last_line.partition("to put it back: reconciler ")[2].split()
    assert site.run("state", "rm", "demo", "--agent", "1002", "--yes").code == 0
    assert site.run(*command).code == 10
    assert sorted(site.state["agents"]) == ["1003"]


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param((), id="no-selection"),
        pytest.param(("--agent", "7777"), id="nobody-known"),
        pytest.param(("--team", "esat"), id="mistyped-team"),
        pytest.param(("--agent", "1003"), id="desired-and-not-recorded"),
    ],
)
def test_rm_refuses_a_selection_of_nobody(site: Site, flags: tuple[str, ...]) -> None:
    put(site, {"1001": RECORD})
    before = raw(site)
    assert site.run("state", "rm", "demo", *flags, "--yes").code == 3
    assert raw(site) == before


def test_rm_refuses_protected_agents_until_they_are_allowed_by_name(site: Site) -> None:
    put(site, {"1001": {**RECORD, "protected": True}, "1002": RECORD})
    refused = site.run("state", "rm", "demo", "--team", "east", "--yes")
    assert refused.code == 5
    assert "1 agent of those selected is protected (1001); nothing was changed" in refused.err
    assert "--allow-protected" in refused.err
    assert sorted(site.state["agents"]) == ["1001", "1002"]
    assert site.run("state", "rm", "demo", "--team", "east", "--yes", "--allow-protected").code == 0
    assert site.state["agents"] == {}


def test_rm_as_a_document(site: Site) -> None:
    put(site, {"1001": RECORD, "1002": {**RECORD, "status": "in_doubt"}}, pending={"1001": WAIT})
    document = site.run("state", "rm", "demo", "--team", "east", "--yes", "--json").document
    assert document["command"] == "state rm"
    assert document["summary"] == {
        "lineage": LINEAGE,
        "serial": 8,
        "dropped": 2,
        "in_doubt": 1,
        "protected": 0,
        "desired": 2,
        "waits_ended": 1,
    }
    assert [each["agent"] for each in document["agents"]] == ["1001", "1002"]
    assert document["backup"] == "demo/state.json.backup-1"


# adopt


def test_adopt_records_what_is_desired_and_plan_is_empty_then(site: Site) -> None:
    ended = site.run("state", "adopt", "demo", "--all", "--yes")
    assert ended.code == 0
    assert "NOTHING IS SENT." in said(ended)
    assert "is your word, not its answer" in said(ended)
    record = site.state["agents"]["1001"]
    assert (record["total"], record["channels"], record["team"]) == (12, {"51": 6, "52": 4}, "east")
    assert (record["status"], record["session"]) == ("acknowledged", None)
    assert site.run("plan", "demo", "--detailed-exitcode").code == 0


def test_adopt_shows_exactly_what_it_records(site: Site) -> None:
    out = site.run("state", "adopt", "demo", "--all", "--yes").out
    assert out.split("\n\n", maxsplit=1)[0].splitlines() == [
        "To be recorded as acknowledged in the state of site demo (serial 0):",
        "  sent with the key callNums",
        "  + 3 agents: total 12, web_chat 6, sms 4, team night",
        "    1003-1005",
        "  + agent 1001: total 12, web_chat 6, sms 4, team east",
        "  + agent 1002: total 12, web_chat 6, sms 4, whatsapp 2, team east",
    ]


def test_adopt_leaves_records_alone_unless_told_to_replace_them(site: Site) -> None:
    put(site, {"1001": RECORD}, pending={"1001": WAIT, "1002": WAIT})
    ended = site.run("state", "adopt", "demo", "--agent", "1001-1002", "--yes")
    assert "1 agent recorded with something else: 1001; left as recorded (--replace)." in said(ended)
    assert site.state["agents"]["1001"] == RECORD
    assert list(site.state["pending"]) == ["1001"]
    replaced = site.run("state", "adopt", "demo", "--agent", "1001-1002", "--replace", "--yes")
    assert "in place of total 12, web_chat 6, facebook 1, team east" in said(replaced)
    assert "1 agent with facebook open as recorded, and not desired: 1001; no plan will close it." in said(replaced)
    assert "1 agent recorded just so: 1002; nothing to adopt." in said(replaced)
    assert site.state["agents"]["1001"]["channels"] == {"51": 6, "52": 4}
    assert "pending" not in site.state


def test_adopting_twice_writes_once(site: Site) -> None:
    assert site.run("state", "adopt", "demo", "--all", "--yes").code == 0
    before = raw(site)
    ended = site.run("state", "adopt", "demo", "--all", "--yes", "--json")
    assert ended.code == 0
    assert (ended.document["summary"]["adopted"], ended.document["summary"]["same"]) == (0, 5)
    assert ended.document["backup"] is None
    assert raw(site) == before
    assert site.run("state", "adopt", "demo", "--all", "--yes").out == "Nothing to adopt: 5 agents recorded just so.\n"


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param((), id="nobody"),
        pytest.param(("--all", "--agent", "1001"), id="everybody-and-somebody"),
        pytest.param(("--team", "esat"), id="mistyped-team"),
    ],
)
def test_adopt_wants_everybody_or_a_selection(site: Site, flags: tuple[str, ...]) -> None:
    assert site.run("state", "adopt", "demo", *flags, "--yes").code == 3
    assert not (site.root / "state.json").exists()


def test_adopt_replaces_no_protected_record_unless_allowed(site: Site) -> None:
    put(site, {"1001": {**RECORD, "protected": True}})
    assert site.run("state", "adopt", "demo", "--all", "--replace", "--yes").code == 5
    assert site.state["serial"] == 7
    assert site.run("state", "adopt", "demo", "--all", "--replace", "--yes", "--allow-protected").code == 0
    assert site.state["agents"]["1001"]["protected"] is False


def test_adopt_refuses_files_that_are_wrong(site: Site) -> None:
    site.edit("fleet.yaml", "total: 12", "total: 99")
    assert site.run("state", "adopt", "demo", "--all", "--yes").code == 3
    assert not (site.root / "state.json").exists()


# mv-site


def test_a_renamed_site_keeps_its_state_and_its_history(site: Site) -> None:
    put(site, {"1001": RECORD}, pending={"1001": WAIT})
    assert site.run("state", "rm", "demo", "--agent", "1001", "--yes").code == 0
    site.edit("site.yaml", "name: demo", "name: harbour")
    refused = site.run("plan", "demo")
    assert refused.code == 10
    assert "state mv-site OLD NEW" in refused.err
    moved = site.run("state", "mv-site", "demo", "harbour", "demo")
    assert moved.code == 0
    assert (site.state["site"], site.state["lineage"], site.state["serial"]) == ("harbour", LINEAGE, 9)
    assert site.run("plan", "demo").code == 0
    operations = [run["operation"] for run in site.run("state", "history", "demo", "--json").document["runs"]]
    assert operations == ["state mv-site demo harbour", "state rm"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        pytest.param("demo", "port", 3, id="site-yaml-says-otherwise"),
        pytest.param("harbour", "harbour", 3, id="no-change"),
        pytest.param("../../etc", "harbour", 3, id="not-a-name"),
        pytest.param("prod", "harbour", 10, id="another-site's-state"),
    ],
)
def test_mv_site_refuses_names_that_do_not_fit(site: Site, old: str, new: str, code: int) -> None:
    put(site, {"1001": RECORD})
    site.edit("site.yaml", "name: demo", "name: harbour")
    before = raw(site)
    assert site.run("state", "mv-site", old, new, "demo").code == code
    assert raw(site) == before


def test_mv_site_with_nothing_recorded_is_refused(site: Site) -> None:
    assert site.run("state", "mv-site", "older", "demo", "demo").code == 10
    assert not (site.root / "state.json").exists()


def git(directory: Path, *arguments: str) -> str:
    program = require_program("git", package="git")
    done = subprocess.run([program, *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout


def test_a_state_in_a_ref_named_after_the_site_moves_to_the_new_ref_and_the_old_one_stays(site: Site) -> None:
    git(site.work, "init", "--quiet", "--bare", "states.git")
    site.edit("site.yaml", "guardrails:", "state: {backend: git, remote: ../states.git}\nguardrails:")
    remote = (site.work / "states.git").as_uri()
    site.edit("site.yaml", "../states.git", remote)
    assert site.run("state", "adopt", "demo", "--all", "--yes").code == 0
    site.edit("site.yaml", "name: demo", "name: harbour")

    ended = site.run("state", "mv-site", "demo", "harbour", "demo")

    assert ended.code == 0
    assert f"refs/reconciler/demo of {remote} stays as it was" in ended.out
    moved = json.loads(git(site.work / "states.git", "show", "refs/reconciler/harbour:state.json"))
    stays = json.loads(git(site.work / "states.git", "show", "refs/reconciler/demo:state.json"))
    assert (moved["site"], moved["serial"], stays["site"], stays["serial"]) == ("harbour", 2, "demo", 1)
    assert (moved["lineage"], moved["agents"]) == (stays["lineage"], stays["agents"])
    assert len(site.run("state", "history", "demo", "--json").document["runs"]) == 2
    again = site.run("state", "mv-site", "demo", "harbour", "demo")
    assert again.code == 10
    assert "holds a state of site 'harbour' already" in again.err
