"""`reconciler simulate` as a process of its own: each option changes what a caller meets."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.calls import CONTENT_TYPE, body_of, path_of
from support.sign_ins import BODY, ROOT
from support.site import run_in

from reconciler.simulator import SCENARIOS

KNOWN: dict[str, Any] = {"agentId": "1009", "guid": "opaque.AgentGateway0", "cookies": {"JSESSIONID": "c"}}
"""The one session of the file that is offered as `known.json`."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A gateway that listens, as its caller sees it."""

    facts: dict[str, Any]
    sessions: dict[str, dict[str, Any]]
    client: httpx.Client

    def send(self, agent: int = 1001, *, key: str = "callNums", cookie: str = "", **channels: int) -> str:
        """Set two channels, or those given as `c51=9`, and return the retcode."""
        numbers: dict[int, object] = {int(name[1:]): number for name, number in channels.items()}
        headers = {"Content-Type": CONTENT_TYPE, "Guid": self.sessions[str(agent)]["guid"], "Cookie": cookie}
        body = body_of(channels=numbers or None, key=key)
        return str(self.client.post(path_of(agent), content=body, headers=headers).json()["retcode"])

    def channels(self, agent: int = 1001) -> dict[str, int]:
        """Read an agent's live channels back."""
        answer: dict[str, dict[str, dict[str, int]]] = self.client.get("/rehearsal/agents").json()
        return answer[str(agent)]["channels"]

    def quickest(self) -> float:
        """Return the seconds of the quickest of three calls."""
        spans = []
        for _ in range(3):
            begin = time.monotonic()
            assert self.send() == "0"
            spans.append(time.monotonic() - begin)
        return min(spans)


@contextlib.contextmanager
def rehearsal(work: Path, *options: str) -> Iterator[Rehearsal]:
    """Run the command with 1001 and 1002 signed in, and whatever the options say."""
    (work / "known.json").write_text(json.dumps([KNOWN]))
    (work / "passwords.json").write_text('{"1003": "right"}')
    files = ["--sessions-out", "sessions.json", "--ca-out", "ca.pem"]
    command = [sys.executable, "-m", "reconciler", "simulate", "--port", "0", "--sign-in", "1001-1002", *files]
    with subprocess.Popen([*command, *options], cwd=work, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            listed = [KNOWN, *json.loads((work / facts["sessions_file"]).read_text())]
            sessions = {str(session["agentId"]): session for session in listed}
            context = ssl.create_default_context(cafile=work / facts["ca_file"])
            with httpx.Client(base_url=facts["url"], verify=context, trust_env=False, timeout=10) as client:
                yield Rehearsal(facts, sessions, client)
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


def by_default_nothing_is_lost_late_or_forgiven(gateway: Rehearsal) -> None:
    assert gateway.quickest() < 0.3
    assert gateway.send(key="callnums") == "000-006"
    assert gateway.send(c61=2) == "0"
    assert gateway.channels() == {"51": 9, "52": 6, "61": 2}
    assert gateway.send(1009, cookie="JSESSIONID=c") == "100-006"
    assert gateway.facts["host"] == "127.0.0.1"
    assert gateway.facts["port"] not in {0, 8043}


def the_other_spelling_is_understood_there(gateway: Rehearsal) -> None:
    assert (gateway.send(key="callnums"), gateway.send(key="callNums")) == ("0", "000-006")
    assert gateway.facts["url"] == f"https://localhost:{gateway.facts['port']}"


def the_wrong_spelling_is_acknowledged_and_read_as_zero(gateway: Rehearsal) -> None:
    assert gateway.send(key="callnums") == "0"
    assert gateway.channels() == {"51": 0, "52": 0}


def channels_left_out_are_dropped(gateway: Rehearsal) -> None:
    assert (gateway.send(), gateway.send(c61=2)) == ("0", "0")
    assert gateway.channels() == {"61": 2}


def a_guid_expires(gateway: Rehearsal) -> None:
    # It was issued just before the announcement: however slow the machine, it ends soon after.
    retcodes = [gateway.send()]
    deadline = time.monotonic() + 5
    while retcodes[-1] == "0" and time.monotonic() < deadline:
        time.sleep(0.05)
        retcodes.append(gateway.send())
    assert (retcodes[0], retcodes[-1]) == ("0", "000-003")


def answers_are_held_back(gateway: Rehearsal) -> None:
    assert gateway.quickest() >= 0.3


def sessions_from_elsewhere_are_known(gateway: Rehearsal) -> None:
    assert (gateway.send(1009), gateway.send(1009, cookie="JSESSIONID=c")) == ("000-003", "0")


def each_fault_hits_once(gateway: Rehearsal) -> None:
    assert [gateway.send(agent) for agent in (1001, 1002, 1001, 1002)] == ["100-003", "100-009", "0", "0"]


def skill_queues_are_limited_and_add_up(gateway: Rehearsal) -> None:
    assert (gateway.send(1001), gateway.send(1001, c51=9)) == ("106-011", "0")
    assert (gateway.send(1002), gateway.send(1002, c51=9, c52=6, c61=1)) == ("0", "106-011")
    assert gateway.send(1003, c51=0) == "106-011"
    assert gateway.client.post("/rehearsal/skills/1001", json=[51, 52]).json()["skills"] == [51, 52]
    assert gateway.send(1001) == "0"


def everybody_is_signed_in(gateway: Rehearsal) -> None:
    assert [gateway.send(agent) for agent in (1001, 1002, 1005, 1007, 1008)] == ["0"] * 5


def scenarios_act_together(gateway: Rehearsal) -> None:
    assert [gateway.send(), gateway.send(key="callnums", c61=2)] == ["0", "0"]
    assert gateway.channels() == {"61": 0}
    played = gateway.client.get("/rehearsal/scenarios").json()
    assert [each["scenario"] for each in played] == ["lenient-zero", "replace"]


def the_sessions_of_a_node_name_it_and_carry_the_fronts_cookie(gateway: Rehearsal) -> None:
    session = gateway.sessions["1001"]
    assert session["guid"].endswith(".n1")
    assert session["cookies"]["SERVERID"] == "n1=1"
    assert session["cookies"]["route"] == ""
    assert session["session"].startswith("login-")
    assert gateway.send() == "0"


def a_password_is_asked_for(gateway: Rehearsal) -> None:
    def sign_in(agent: int) -> str:
        body = json.dumps({**BODY, "password": "wrong"})
        path = f"{ROOT}/onlineagent/{agent}"
        return str(gateway.client.put(path, content=body, headers={"Content-Type": CONTENT_TYPE}).json()["retcode"])

    assert [sign_in(agent) for agent in (1001, 1003, 1004)] == ["100-002", "100-004", "0"]
    assert gateway.client.get("/rehearsal/attendance").json()["signed_in"]["1004"] == "caller"


CASES = [
    pytest.param("", by_default_nothing_is_lost_late_or_forgiven, id="defaults"),
    pytest.param("--callnums-key callnums --host localhost", the_other_spelling_is_understood_there, id="key-host"),
    pytest.param("--spelling lenient-zero", the_wrong_spelling_is_acknowledged_and_read_as_zero, id="spelling"),
    pytest.param("--channel-mode replace", channels_left_out_are_dropped, id="channel-mode"),
    pytest.param("--guid-ttl 1s", a_guid_expires, id="guid-ttl"),
    pytest.param("--latency 300ms", answers_are_held_back, id="latency"),
    pytest.param("--sessions-in known.json", sessions_from_elsewhere_are_known, id="sessions-in"),
    pytest.param("--fault 1001=retcode:100-003 --fault 1002=retcode:100-009", each_fault_hits_once, id="fault"),
    pytest.param(
        "--skills 1001-1002=web_chat --skills 1002=sms,5g --sign-in 1003 --skills 1003=",
        skill_queues_are_limited_and_add_up,
        id="skills",
    ),
    pytest.param("--scenario lenient-zero --scenario replace", scenarios_act_together, id="scenario"),
    pytest.param(
        "--node n1 --session-cookie SERVERID=n1=1 --session-cookie route=",
        the_sessions_of_a_node_name_it_and_carry_the_fronts_cookie,
        id="node",
    ),
    pytest.param("--passwords-in passwords.json", a_password_is_asked_for, id="passwords-in"),
    pytest.param("--sign-in 1005 --sign-in 1007-1008 --json", everybody_is_signed_in, id="sign-in-adds-up-and-json"),
]


@pytest.mark.parametrize(("options", "claim"), CASES)
def test_an_option_changes_what_the_caller_meets(
    tmp_path: Path, options: str, claim: Callable[[Rehearsal], None]
) -> None:
    with rehearsal(tmp_path, "--control", *options.split()) as gateway:
        claim(gateway)


def test_without_control_there_is_no_control(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as gateway:
        assert gateway.client.get("/rehearsal/agents").status_code == 404
        assert gateway.client.post("/rehearsal/skills/1001", json=[51]).status_code == 404
        assert gateway.send() == "0"


def test_a_sessions_file_that_cannot_be_kept_any_more_ends_the_rehearsal_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    options = ["--sign-in", "1001", "--sessions-out", "sub/sessions.json", "--scenario", "guid-rotation:200ms"]
    command = [sys.executable, "-m", "reconciler", "simulate", "--port", "0", *options]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        shutil.rmtree(tmp_path / "sub")
        _, told = process.communicate(timeout=20)

    assert process.returncode == 3
    assert "cannot write sub/sessions.json" in told
    assert "Traceback" not in told


@pytest.fixture
def taken() -> Iterator[str]:
    """A port where something else listens, so that no mistake can leave a gateway serving in a test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_the_port_asked_for_is_the_one_it_needs_and_with_json_the_refusal_is_a_document(taken: str) -> None:
    command = [sys.executable, "-m", "reconciler", "simulate", "--json", "--port", taken]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert (ended.returncode, json.loads(ended.stdout)["exit_code"]) == (3, 3)
    assert f"port {taken}" in ended.stderr


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("1001=web_chat,smss", "'smss' is not a channel; channels are email, web_chat"),
        ("1001=51", "'51' is not a channel"),
        ("1001=sms,", "'' is not a channel"),
        ("1001", "1001-1010=web_chat,sms"),
        ("=sms", "101 to 999999"),
        ("12=sms", "101 to 999999"),
        ("1010-1001=sms", "low to high"),
    ],
    ids=["unknown-channel", "a-code", "a-hole", "no-channels", "no-agents", "no-agent", "downward"],
)
def test_skills_that_cannot_be_read_are_refused_with_a_sentence(
    tmp_path: Path, taken: str, value: str, told: str
) -> None:
    ended = run_in(tmp_path, "simulate", "--port", taken, "--skills", value)

    assert (ended.code, ended.out) == (3, "")
    assert "--skills" in ended.err
    assert told in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scenario", "guid-rotatoin"], "did you mean guid-rotation?"),
        (["--scenario", "slow-replies:soon"], "slow-replies:2s"),
        (["--scenario", "merge", "--scenario", "replace"], "merge and replace contradict each other"),
        (["--session-cookie", "SERVERID"], "SERVERID=n1"),
        (["--session-cookie", "a b=c"], "SERVERID=n1"),
        (["--node", "n 1"], "cannot be the name of a node"),
        (["--passwords-in", "none.json"], "cannot read none.json"),
    ],
    ids=["unknown", "bad-parameter", "contradiction", "no-cookie", "no-cookie-name", "node", "no-passwords"],
)
def test_what_cannot_be_rehearsed_is_refused_with_a_sentence(
    tmp_path: Path, taken: str, arguments: list[str], told: str
) -> None:
    ended = run_in(tmp_path, "simulate", "--port", taken, *arguments)

    assert (ended.code, ended.out) == (3, "")
    assert told in " ".join(ended.err.split())


def test_the_scenarios_there_are_can_be_listed_as_text_and_as_a_document(tmp_path: Path, taken: str) -> None:
    text = run_in(tmp_path, "simulate", "--list-scenarios", "--port", taken)
    document = run_in(tmp_path, "simulate", "--list-scenarios", "--json", "--port", taken).document

    rows = [scenario.document() for scenario in SCENARIOS]
    assert (text.code, document["scenarios"]) == (0, rows)
    for row in rows:
        assert f"  {row['description']}\n  ({row['grade']}) {row['source']}\n" in text.out
    assert "slow-replies:2s\n" in text.out
    assert "\nmerge\n" in text.out
