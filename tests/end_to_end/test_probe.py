"""A probe as an operator meets it: over TLS, at a terminal, interrupted, killed; and what the next plan makes of it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.processes import PATIENCE, wait_until
from support.rehearsal import RehearsalServer
from support.site import Site, live_site, publish_sessions

from reconciler.schemas import schema_text
from reconciler.simulator import Gateway, Rules, Spelling

OWN = {"51": 6, "52": 4}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes in this process do not wait a second between two calls."""
    monkeypatch.setattr("reconciler.cli.commands.probe.INTERVAL", 0.0)


def live(server: RehearsalServer) -> dict[str, Any]:
    document = server.call(Gateway.agents_document)
    found = document.get("1001", {}).get("channels", {})
    assert isinstance(found, dict)
    return found


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(Gateway.requests_document)["total"]))


def start(site: Site, *flags: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "probe", "demo", "--agent", "1001", *flags],
        cwd=site.work,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("hurried")
def test_a_probe_finds_the_spelling_and_the_site_that_takes_its_advice_has_nothing_left_to_do(tmp_path: Path) -> None:
    rules = Rules(callnums_key="callnums", spelling=Spelling.LENIENT_ZERO)
    with RehearsalServer(rules=rules, agents=[1001]) as server, live_site(tmp_path, server) as site:
        ended = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")

        document = ended.document
        jsonschema.validate(document, json.loads(schema_text("probe")))
        assert (ended.code, document["summary"]["callnums_key"], live(server)) == (0, "confirmed", OWN)
        advice = next(line for line in document["site_lines"] if "callnums_key" in line)
        site.edit("site.yaml", "  ca_file: ca.pem\n", f"  ca_file: ca.pem\n{advice}\n")
        planned = site.run("plan", "demo", "--agent", "1001")
        assert "No changes" in planned.out, planned.out


@pytest.mark.usefixtures("hurried")
def test_the_text_says_what_was_found_and_ends_in_a_line_to_grep_for(site: Site, server: RehearsalServer) -> None:
    ended = site.run("probe", "demo", "--agent", "1001", "--yes")

    assert ended.last_line == "Probe: complete; 3 confirmed, 1 likely, 1 unknown; 6 calls; agent restored."
    assert "the gateway reads callNums: a number that is too high under it" in ended.out
    assert "      callnums_key: callNums  # confirmed by probe" in ended.out
    assert live(server) == OWN


@pytest.mark.usefixtures("hurried")
def test_an_unknown_authority_is_told_with_how_to_trust_it_and_nothing_is_sent(
    site: Site, server: RehearsalServer
) -> None:
    site.edit("site.yaml", "  ca_file: ca.pem\n", "")
    ended = site.run("probe", "demo", "--agent", "1001", "--yes")

    assert (ended.code, calls(server)) == (8, 0)
    assert "the gateway's identity could not be verified; not touched" in ended.err
    assert "it is signed by an authority that this machine does not know" in ended.out
    assert not (site.root / "state.json").exists()


@pytest.mark.usefixtures("hurried")
def test_an_agent_who_is_not_signed_in_exits_9_and_a_refused_session_4(site: Site, server: RehearsalServer) -> None:
    server.add_faults("1001#1=retcode:100-006", "1001#2=retcode:000-003")
    absent = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")
    refused = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")

    assert (absent.code, absent.document["end"], absent.document["exit_reason"]) == (
        9,
        "not-signed-in",
        "some-agents-deferred",
    )
    assert (refused.code, refused.document["end"]) == (4, "session-refused")
    assert "Guid" not in absent.out + refused.out.replace("Guids younger", "")


@pytest.mark.usefixtures("hurried")
def test_an_agent_left_in_doubt_exits_8_and_the_next_apply_gives_it_its_numbers(
    site: Site, server: RehearsalServer
) -> None:
    server.add_faults(*(f"1001#{number}=http-502" for number in range(3, 8)))
    ended = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")

    assert (ended.code, ended.document["restoration"]) == (8, "in-doubt")
    planned = site.run("plan", "demo", "--agent", "1001", "--json").document
    assert [(each["action"], each["reason"]) for each in planned["changes"]] == [("reassert", "in-doubt")]
    server.call(lambda gateway: gateway.faults.clear())
    assert site.run("apply", "demo", "--agent", "1001", "--yes").code == 0
    assert live(server) == OWN


@pytest.mark.usefixtures("hurried")
def test_no_guid_and_no_cookie_is_shown_or_written_anywhere(tmp_path: Path) -> None:
    rules = Rules(session_cookies={"SERVERID": "c00k1e-0f-the-front"})
    with RehearsalServer(rules=rules, agents=[1001]) as server, live_site(tmp_path, server) as site:
        server.add_faults("1001#8=retcode:000-003")
        guid = server.call(lambda gateway: gateway.sessions()[0].guid)
        runs = [site.run("probe", "demo", "--agent", "1001", "--yes", *flags) for flags in ((), ("--json",))]
        written = "".join(
            path.read_text() for path in site.root.rglob("*") if path.is_file() and path.name != "sessions.json"
        )

    for secret in (guid, guid.partition(".")[0], "c00k1e-0f-the-front"):
        assert all(secret not in run.out + run.err for run in runs)
        assert secret not in written


def test_an_interrupt_gives_the_agent_its_numbers_back_before_it_ends(site: Site, server: RehearsalServer) -> None:
    process = start(site, "--yes", "--json")
    wait_until(lambda: calls(server) >= 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=7)

    document = json.loads(out)
    assert (process.returncode, document["exit_reason"], document["restoration"]) == (130, "interrupted", "restored")
    assert "the agent gets its own numbers back first" in err
    assert site.state["agents"]["1001"]["status"] == "acknowledged"
    assert live(server) == OWN


def test_a_probe_that_is_killed_leaves_the_agent_in_doubt_and_the_next_apply_heals_it(
    site: Site, server: RehearsalServer
) -> None:
    server.add_faults("1001#3=slow:30")
    process = start(site, "--yes")
    wait_until(lambda: calls(server) >= 3)
    process.kill()
    process.communicate()

    planned = site.run("plan", "demo", "--agent", "1001", "--json").document
    assert [(each["action"], each["reason"]) for each in planned["changes"]] == [("reassert", "in-doubt")]


def test_a_second_interrupt_leaves_at_once_with_the_agent_in_doubt(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "  ca_file: ca.pem\n", "  ca_file: ca.pem\n  timeout: 60s\n")
    server.add_faults("1001#3=slow:60")
    process = start(site, "--yes")
    wait_until(lambda: calls(server) >= 3)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    planned = site.run("plan", "demo", "--agent", "1001", "--json").document
    assert [each["reason"] for each in planned["changes"]] == ["in-doubt"]


# At a terminal


@dataclass
class Terminal:
    """A probe whose standard input is a terminal, and somebody who types."""

    process: subprocess.Popen[str]
    keyboard: int
    heard: list[str] = field(default_factory=list)

    def wait_for(self, words: str) -> None:
        """Read standard error until `words` come."""
        assert self.process.stderr is not None
        end = time.monotonic() + PATIENCE
        text = ""
        while words not in text:
            assert time.monotonic() < end, text
            text += os.read(self.process.stderr.fileno(), 4096).decode()
        self.heard.append(text)

    def type(self, line: str) -> None:
        os.write(self.keyboard, f"{line}\n".encode())


@contextlib.contextmanager
def at_a_terminal(site: Site, *flags: str) -> Iterator[Terminal]:
    keyboard, screen = pty.openpty()
    process = start(site, *flags, stdin=screen)
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        os.close(keyboard)


def test_anything_but_yes_sends_nothing(site: Site, server: RehearsalServer) -> None:
    with at_a_terminal(site) as terminal:
        terminal.wait_for("Only `yes` will do")
        terminal.type("y")
        assert terminal.process.wait(PATIENCE) == 130

    assert calls(server) == 0
    assert not (site.root / "state.json").exists()


def test_somebody_who_looks_is_asked_and_believed(site: Site, server: RehearsalServer) -> None:
    with at_a_terminal(site, "--pause", "--json") as terminal:
        terminal.wait_for("Only `yes` will do")
        terminal.type("yes")
        terminal.wait_for("what is seen?")
        assert live(server) == OWN  # the rehearsal gateway keeps what a call leaves out
        terminal.type("maybe")
        terminal.wait_for("what is seen?")
        terminal.type("kept")
        out, _ = terminal.process.communicate(timeout=PATIENCE)

    document = json.loads(out)
    found = {each["topic"]: each for each in document["findings"]}
    assert (found["unlisted_channels"]["value"], found["unlisted_channels"]["grade"]) == ("merge", "likely")
    assert (document["restoration"], live(server)) == ("restored", OWN)


def test_an_interrupt_while_somebody_looks_ends_the_pause(site: Site, server: RehearsalServer) -> None:
    with at_a_terminal(site, "--pause", "--yes", "--json") as terminal:
        terminal.wait_for("what is seen?")
        terminal.process.send_signal(signal.SIGINT)
        out, _ = terminal.process.communicate(timeout=7)

    document = json.loads(out)
    assert (terminal.process.returncode, document["restoration"]) == (130, "restored")
    assert live(server) == OWN


def test_a_session_that_rotates_while_somebody_looks_does_not_keep_the_agent_from_its_numbers(
    site: Site, server: RehearsalServer
) -> None:
    with at_a_terminal(site, "--pause", "--yes", "--json") as terminal:
        terminal.wait_for("what is seen?")
        server.call(lambda gateway: gateway.rotate(1001))
        publish_sessions(site, server)
        terminal.type("gone")
        out, _ = terminal.process.communicate(timeout=PATIENCE)

    assert json.loads(out)["restoration"] == "restored"
    assert live(server) == OWN
