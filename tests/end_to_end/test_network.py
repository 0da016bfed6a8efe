"""The command line and the network: IPv6, certificates nobody checks, the breaker, deadlines and the time to come."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from gateway.servers import authority, local_tls, strict_server
from support.rehearsal import RehearsalServer
from support.site import Site, publish_sessions, run_in

from reconciler.schemas import schema_text


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


# IPv6


@contextlib.contextmanager
def simulated(work: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run `reconciler simulate` with 1001 to 1005 signed in, and yield what it announces."""
    files = ["--sessions-out", "sessions.json", "--ca-out", "ca.pem"]
    command = [sys.executable, "-m", "reconciler", "simulate", "--port", "0", "--sign-in", "1001-1005", *files]
    with subprocess.Popen([*command, *options], cwd=work, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback address")
def test_a_gateway_at_an_ipv6_address_is_applied_to(tmp_path: Path) -> None:
    with simulated(tmp_path, "--host", "::1") as facts:
        assert facts["url"] == f"https://[::1]:{facts['port']}"
        site = Site(tmp_path, url=facts["url"])
        for name in ("ca.pem", "sessions.json"):
            shutil.copyfile(tmp_path / name, site.root / name)

        ended = site.run("apply", "demo", "--yes")

    assert ended.code == 0, ended.err
    assert set(site.state["agents"]) == {"1001", "1002", "1003", "1004", "1005"}


# insecure


@pytest.fixture
def unchecked(site: Site) -> Site:
    """The site without its authority, and with checking switched off."""
    (site.root / "ca.pem").unlink()
    site.edit("site.yaml", "  ca_file: ca.pem\n", "  insecure: true\n")
    return site


COMMANDS = pytest.mark.parametrize("command", [("validate",), ("plan",), ("apply", "--yes")], ids=lambda it: it[0])


@COMMANDS
def test_insecure_works_and_is_warned_of_on_every_run(unchecked: Site, command: tuple[str, ...]) -> None:
    for _ in range(2):
        ended = unchecked.run(command[0], "demo", *command[1:])
        assert ended.code == 0, ended.err
        assert "certificate-not-checked" in ended.err + ended.out
        assert "certificate is not checked" in ended.err + ended.out


@COMMANDS
def test_insecure_is_a_warning_in_the_document_too(unchecked: Site, command: tuple[str, ...]) -> None:
    document = unchecked.run(command[0], "demo", *command[1:], "--json").document

    (told,) = [each for each in document["diagnostics"] if each["code"] == "certificate-not-checked"]
    assert (told["severity"], told["path"], told["pointer"]) == ("warning", "demo/site.yaml", "/gateway/insecure")


@COMMANDS
def test_insecure_is_refused_strictly(unchecked: Site, command: tuple[str, ...]) -> None:
    assert unchecked.run(command[0], "demo", *command[1:], "--strict").code == 3


@COMMANDS
def test_insecure_is_never_among_the_warnings_left_out(unchecked: Site, command: tuple[str, ...]) -> None:
    unused = "".join(f"  unused-{number}: {{total: 3, channels: {{web_chat: 3}}}}\n" for number in range(30))
    unchecked.edit("fleet.yaml", "profiles:\n", f"profiles:\n{unused}")

    ended = unchecked.run(command[0], "demo", *command[1:])

    assert "certificate-not-checked" in ended.err + ended.out
    if command[0] != "validate":
        assert "and 20 more warnings" in ended.err


def test_insecure_is_warned_of_before_the_first_call_also_where_none_is_made(unchecked: Site) -> None:
    unchecked.edit("site.yaml", "insecure: true", "insecure: true\n  client_certificate: {certificate: nowhere.pem}")

    ended = unchecked.run("apply", "demo", "--yes")

    assert ended.code == 3
    assert ended.err.index("certificate-not-checked") < ended.err.index("nowhere.pem")


def test_insecure_and_a_ca_file_together_are_refused(site: Site) -> None:
    site.edit("site.yaml", "ca_file: ca.pem", "ca_file: ca.pem\n  insecure: true")

    ended = site.run("plan", "demo")

    assert ended.code == 3
    assert "contradiction" in ended.err


# A way that cannot be used


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "client_certificate: {certificate: client.pem}",
            "client_certificate.certificate client.pem cannot",
        ),
        (
            "proxy: http://127.0.0.1:1\n  proxy_credentials: env:NOT_SET",
            "gateway.proxy_credentials: env:NOT_S",
        ),
    ],
    ids=["certificate", "credentials"],
)
def test_what_cannot_be_used_refuses_before_anything_is_sent_and_only_an_apply_looks(
    site: Site, server: RehearsalServer, lines: str, words: str
) -> None:
    site.edit("site.yaml", "ca_file: ca.pem", f"ca_file: ca.pem\n  {lines}")

    planned, applied = site.run("plan", "demo"), site.run("apply", "demo", "--yes")

    assert (planned.code, applied.code, calls(server)) == (0, 3, 0)
    assert words in applied.err
    assert not (site.root / "state.json").exists()


def test_a_proxy_that_does_not_run_is_named_in_the_outcome(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "ca_file: ca.pem", "ca_file: ca.pem\n  proxy: http://127.0.0.1:1")

    ended = site.run("apply", "demo", "--yes", "--agent", "1001", "--deadline", "2s")

    assert (ended.code, calls(server)) == (8, 0)
    assert "http://127.0.0.1:1" in ended.out


# A hostile gateway


def test_control_characters_in_a_servers_message_reach_no_terminal_and_no_document(tmp_path: Path) -> None:
    message = "\x1b[2J\x07\u202e\n::error::pwned ##[error]pwned\u2028"
    body = json.dumps({"retcode": "106-011", "message": message}).encode()
    with strict_server(local_tls(), body) as gateway:
        site = Site(tmp_path, url=gateway.url)
        authority().cert_pem.write_to_path(str(site.root / "ca.pem"))
        site.write("sessions.json", json.dumps([{"agentId": "1001", "guid": "a-guid-of-1001"}]))
        text = site.run("apply", "demo", "--yes", "--agent", "1001")
        document = site.run("apply", "demo", "--yes", "--agent", "1001", "--json")

    (outcome,) = document.document["outcomes"]
    for shown in (text.out, text.err, document.err, outcome["message"]):
        for sign in ("\x1b", "\x07", "\u202e", "\u2028", "\n::error::", " ##[error]"):
            assert sign not in shown
    assert "\\x1b[2J\\x07\\u202e" in text.out
    assert outcome["message"].isprintable()


# The breaker


@pytest.mark.parametrize(
    ("retcode", "code", "reason"),
    [
        ("000-003", 4, "session-source-failed"),
        ("100-004", 4, "session-source-failed"),
        ("106-012", 8, "some-agents-failed"),
        ("000-002", 8, "some-agents-failed"),
    ],
)
def test_the_same_answer_again_and_again_ends_the_run_with_its_own_code(
    slow_site: Site, server: RehearsalServer, retcode: str, code: int, reason: str
) -> None:
    slow_site.edit("site.yaml", "concurrency: 2", "concurrency: 1")
    server.add_faults(f"*=retcode:{retcode}")

    ended = slow_site.run("apply", "demo", "--yes", "--breaker", "3", "--json")

    document = ended.document
    assert (ended.code, document["exit_reason"]) == (code, reason)
    assert document["summary"]["skipped"] == 17
    assert calls(server) == 3
    assert any(f"3 agents in a row ended with the same answer: {retcode}" in each["summary"]
               for each in document["diagnostics"])  # fmt: skip
    jsonschema.validate(document, json.loads(schema_text("outcome")))


def test_agents_who_are_not_there_never_break_a_run(slow_site: Site, server: RehearsalServer) -> None:
    server.add_faults("*=retcode:100-006")

    ended = slow_site.run("apply", "demo", "--yes", "--breaker", "3", "--json")

    assert (ended.code, ended.document["summary"]["deferred"], calls(server)) == (9, 20, 20)


# The deadline


def test_a_deadline_that_passes_ends_the_run_with_8_a_table_and_a_state_that_the_next_run_goes_on_from(
    slow_site: Site, server: RehearsalServer
) -> None:
    slow_site.edit("site.yaml", "requests_per_second: 10", "requests_per_second: 2\n  run_deadline: 1s")

    ended = slow_site.run("apply", "demo", "--yes")

    applied = len(slow_site.state["agents"])
    assert ended.code == 8
    assert 0 < applied == calls(server) < 20
    assert f"Apply: {applied} applied" in ended.last_line
    assert f"{20 - applied} skipped" in ended.last_line
    assert "the run's deadline of 1 s has passed" in ended.err
    assert "--deadline" in ended.err

    slow_site.edit("site.yaml", "requests_per_second: 2", "requests_per_second: 1000")
    finished = slow_site.run("apply", "demo", "--yes", "--deadline", "5m")
    assert (finished.code, calls(server)) == (0, 20)


def test_the_flags_deadline_takes_the_place_of_the_sites(slow_site: Site, server: RehearsalServer) -> None:
    slow_site.edit("site.yaml", "requests_per_second: 10", "requests_per_second: 1000\n  run_deadline: 1ms")

    assert slow_site.run("apply", "demo", "--yes").code == 8
    assert slow_site.run("apply", "demo", "--yes", "--deadline", "5m").code == 0
    assert calls(server) == 20


@pytest.mark.parametrize("span", ["0s", "-1s", "soon", "30"])
def test_a_deadline_that_is_none_is_refused(site: Site, span: str) -> None:
    ended = site.run("apply", "demo", "--yes", f"--deadline={span}")

    assert ended.code == 3
    assert "30m" in ended.err or "90s" in ended.err


# The time a plan would take


def test_a_plan_tells_how_long_it_would_take_at_least(slow_site: Site) -> None:
    assert "20 calls, 2 at a time, 10/s → about 2 s" in slow_site.run("plan", "demo").out


def test_a_plan_document_holds_the_estimate(slow_site: Site) -> None:
    document = slow_site.run("plan", "demo", "--json").document

    expected = {"calls": 20, "concurrency": 2, "requests_per_second": 10.0, "seconds": 2.0}
    assert document["estimate"] == expected
    jsonschema.validate(document, json.loads(schema_text("plan")))


def test_an_apply_tells_it_before_anything_is_sent_by_the_flags_deadline(slow_site: Site) -> None:
    ended = slow_site.run("apply", "demo", "--yes", "--deadline", "1s")

    assert "20 calls, 2 at a time, 10/s → about 2 s" in ended.out
    assert "the run's deadline of 1s" in ended.out


def test_the_pace_is_in_no_saved_plan_and_in_no_fingerprint(slow_site: Site) -> None:
    slow_site.run("plan", "demo", "--out", "slow.json")
    slow_site.edit("site.yaml", "requests_per_second: 10", "requests_per_second: 500\n  run_deadline: 30m")
    slow_site.run("plan", "demo", "--out", "fast.json")

    slow, fast = ((slow_site.work / name).read_bytes() for name in ("slow.json", "fast.json"))
    assert slow == fast
    assert b"estimate" not in slow
    assert slow_site.run("apply", "demo", "--plan", "slow.json").code == 0


def test_a_plan_document_of_plan_json_can_be_applied(slow_site: Site, server: RehearsalServer) -> None:
    (slow_site.work / "plan.json").write_text(slow_site.run("plan", "demo", "--json").out)
    publish_sessions(slow_site, server)

    assert slow_site.run("apply", "demo", "--plan", "plan.json").code == 0
    assert "about 2 s" in run_in(slow_site.work, "show", "plan.json").out
