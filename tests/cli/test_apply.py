"""`apply` as a person at a terminal meets it, and every flag of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from support.rehearsal import RehearsalServer
from support.site import Site, live_site

from reconciler.schemas import schema_text

PATIENCE = 20.0


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=range(1001, 1021)) as running:
        yield running


@pytest.fixture
def live(tmp_path: Path, server: RehearsalServer) -> Iterator[Site]:
    with live_site(tmp_path, server) as ready:
        yield ready


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


def at_a_terminal(site: Site, answer: str) -> tuple[int, str]:
    """Run apply with a terminal for all three streams, type `answer` when asked; return exit code and screen."""
    mine, its = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "demo"],
        cwd=site.work, stdin=its, stdout=its, stderr=its, env=environ, start_new_session=True,
    )  # fmt: skip
    os.close(its)
    screen = b""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            read = os.read(mine, 65536)
        except OSError:  # the other side is closed
            break
        screen += read
        if b"Only `yes` will do" in read:
            os.write(mine, f"{answer}\n".encode())
    os.close(mine)
    return process.wait(timeout=PATIENCE), screen.decode()


def test_at_a_terminal_yes_applies_and_nothing_is_drawn_before_it(live: Site, server: RehearsalServer) -> None:
    code, screen = at_a_terminal(live, "yes")

    before, _, after = screen.partition("Only `yes` will do")
    assert (code, calls(server)) == (0, 5)
    assert "applying" not in before
    assert "\x1b[?25l" not in before
    assert "Apply: 5 applied" in after


@pytest.mark.parametrize("answer", ["no", "y", ""], ids=["no", "y", "nothing"])
def test_at_a_terminal_anything_but_yes_sends_nothing(live: Site, server: RehearsalServer, answer: str) -> None:
    code, screen = at_a_terminal(live, answer)

    assert (code, calls(server)) == (130, 0)
    assert "not approved" in screen


def test_an_excluded_agent_is_left_alone_however_often_the_flag_stands(live: Site, server: RehearsalServer) -> None:
    ended = live.run("apply", "demo", "--yes", "--exclude-agent", "1001", "--exclude-agent", "1003-1005")

    assert (ended.code, calls(server)) == (0, 1)
    assert set(live.state["agents"]) == {"1002"}


def test_selected_agents_add_up(live: Site) -> None:
    live.run("apply", "demo", "--yes", "--agent", "1001", "--agent", "1004-1005")

    assert set(live.state["agents"]) == {"1001", "1004", "1005"}


def test_the_exact_number_of_changes_is_the_way_through_a_guardrail(live: Site) -> None:
    live.run("apply", "demo", "--yes")
    live.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 2")
    live.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")
    planned = live.run("plan", "demo", "--allow-changes", "5", "--out", "plan.json")

    refused = live.run("apply", "demo", "--plan", "plan.json", "--json")
    applied = live.run("apply", "demo", "--plan", "plan.json", "--allow-changes", "5")

    assert (planned.code, refused.code, applied.code) == (0, 5, 0)
    assert "reconciler apply demo --plan plan.json --allow-changes 5" in planned.err
    assert refused.document["guardrails"][0]["guardrail"] == "max_changed_agents"
    assert (refused.document["environment"], refused.document["site"]) == ("demo", "demo")
    jsonschema.validate(refused.document, json.loads(schema_text("outcome")))


def test_a_refused_plan_is_saved_for_review_and_says_it_would_be_refused(live: Site) -> None:
    live.run("apply", "demo", "--yes")
    live.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 2")
    live.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    ended = live.run("plan", "demo", "--out", "plan.json")

    assert (ended.code, (live.work / "plan.json").exists()) == (5, True)
    assert "apply would refuse it too" in ended.err


def test_less_than_reviewed_is_said_so(live: Site, server: RehearsalServer) -> None:
    live.run("plan", "demo", "--out", "plan.json")
    live.run("apply", "demo", "--yes", "--agent", "1001")

    ended = live.run("apply", "demo", "--plan", "plan.json", "--allow-shrink")

    assert (ended.code, calls(server)) == (0, 5)
    assert "less than reviewed in plan.json" in ended.out


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_strict_makes_a_warning_stop_it(live: Site, command: str) -> None:
    live.edit("fleet.yaml", "total: 12", "total: 5")

    assert live.run(command, "demo", "--strict", *(["--yes"] if command == "apply" else [])).code == 3


@pytest.mark.parametrize(("flags", "code"), [((), 3), (("--allow-empty",), 0)], ids=["refused", "allowed"])
def test_an_empty_fleet_forgets_everybody_only_when_that_is_said(live: Site, flags: tuple[str, ...], code: int) -> None:
    live.run("apply", "demo", "--yes")
    live.write("fleet.yaml", "team: east\n")

    assert live.run("apply", "demo", "--yes", *flags).code == code
    assert len(live.state["agents"]) == (0 if flags else 5)


def test_a_state_that_cannot_be_saved_exits_10_and_is_rescued_in_full(live: Site) -> None:
    live.run("apply", "demo", "--yes", "--agent", "1001")
    snapshot = live.root / "state.json"
    (live.root / ".state.json.tmp").mkdir()  # the next snapshot cannot be prepared

    ended = live.run("apply", "demo", "--yes", "--json")

    rescued = json.loads((live.work / "errored-state.json").read_text())
    assert ended.code == ended.document["exit_code"] == 10
    assert set(rescued["agents"]) == {"1001", "1002", "1003", "1004", "1005"}
    assert set(json.loads(snapshot.read_text())["agents"]) == {"1001"}
    (live.root / ".state.json.tmp").rmdir()
    assert "No changes" in live.run("plan", "demo").out, "the journal holds the run as well"


def test_the_deferred_exit_code_never_changes_what_the_reason_says(live: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1001))

    ended = live.run("apply", "demo", "--yes", "--deferred-exit-code", "8", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (8, "some-agents-deferred")


def test_a_user_without_a_name_can_hold_the_lock(live: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)

    assert live.run("apply", "demo", "--yes").code == 0


def test_the_plan_file_is_replaced_and_never_written_into(live: Site) -> None:
    plan = live.work / "plan.json"
    plan.write_text("reviewed last week")
    linked = live.work / "kept.json"
    linked.hardlink_to(plan)

    live.run("plan", "demo", "--out", "plan.json")

    assert linked.read_text() == "reviewed last week"
    assert plan.read_text().startswith("{")
