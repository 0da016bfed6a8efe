from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.calls import CONTENT_TYPE, body_of, path_of
from support.sign_ins import BODY, ROOT

from reconciler.errors import InputError
from reconciler.simulator import RehearsalSettings, run

_SCRIPT = """
import json, sys
from pathlib import Path
from reconciler.simulator import RehearsalSettings, run
here, options = Path(sys.argv[1]), json.loads(sys.argv[2])
options |= {name: tuple(options.get(name, ())) for name in ("agents", "faults", "scenarios")}
options |= {name: Path(options[name]) for name in ("passwords_in",) if name in options}
settings = RehearsalSettings(port=0, sessions_out=here / "sessions.json", ca_out=here / "ca.pem", **options)
run(settings, announce=lambda facts: print(json.dumps(facts), flush=True))
"""


class EnoughError(Exception):
    pass


@contextmanager
def _rehearsal(
    directory: Path, **options: object
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any], httpx.Client]]:
    command = [sys.executable, "-c", _SCRIPT, str(directory), json.dumps(options)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            context = ssl.create_default_context(cafile=facts["ca_file"])
            with httpx.Client(base_url=facts["url"], verify=context, trust_env=False, timeout=10) as client:
                yield process, facts, client
        finally:
            process.kill()


def _sessions(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["agentId"]: item for item in json.loads(Path(facts["sessions_file"]).read_text())}


def _retcode(client: httpx.Client, session: Mapping[str, Any]) -> str:
    headers = {"Guid": session["guid"], "Content-Type": CONTENT_TYPE}
    response = client.post(path_of(session["agentId"]), content=body_of(), headers=headers)
    return str(response.json()["retcode"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_rehearsal_runs_until_a_signal_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with _rehearsal(tmp_path, agents=[1002, 1001], faults=["1002=slow:60"]) as (process, facts, client):
        sessions = _sessions(facts)
        assert list(sessions) == ["1001", "1002"]
        assert facts.keys() == {"url", "host", "port", "ca_file", "sessions_file", "pid"}
        assert facts["pid"] == process.pid
        assert _retcode(client, sessions["1001"]) == "0"
        with pytest.raises(httpx.ReadTimeout):
            client.post(path_of(1002), headers={"Guid": sessions["1002"]["guid"]}, timeout=0.2)

        process.send_signal(number)
        assert process.wait(timeout=5) == 0

        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_the_sessions_file_follows_every_move_made_through_control(tmp_path: Path) -> None:
    with _rehearsal(tmp_path, agents=[1001], control=True, guid_ttl=60) as (_, facts, client):
        first = _sessions(facts)["1001"]
        client.post("/rehearsal/rotate/1001").raise_for_status()
        second = _sessions(facts)["1001"]
        client.post("/rehearsal/sign-in/1002").raise_for_status()
        client.post("/rehearsal/sign-out/1001").raise_for_status()

        assert list(_sessions(facts)) == ["1002"]
        assert first["guid"] != second["guid"]
        assert first["session"] == second["session"]
        assert (tmp_path / "sessions.json").stat().st_mode & 0o777 == 0o600
        assert {"ca.pem", "sessions.json"} == {file.name for file in tmp_path.iterdir()}


def _eventually(path: Path, agents: list[str], *, without: str = "") -> dict[str, dict[str, Any]]:
    """Return the sessions once there are exactly these agents' in the file, and none with the Guid `without`."""
    facts = {"sessions_file": str(path)}
    deadline = time.monotonic() + 10
    sessions = _sessions(facts)
    while time.monotonic() < deadline:
        sessions = _sessions(facts)
        if list(sessions) == agents and without not in {session["guid"] for session in sessions.values()}:
            return sessions
        time.sleep(0.02)
    raise AssertionError(f"the file still has {list(sessions)}")


def test_the_sessions_file_follows_rotation_and_the_session_key_stays(tmp_path: Path) -> None:
    with _rehearsal(tmp_path, agents=[1001], scenarios=["guid-rotation:2s"]) as (_, facts, client):
        first = _sessions(facts)["1001"]
        second = _eventually(tmp_path / "sessions.json", ["1001"], without=first["guid"])["1001"]

        assert second["session"] == first["session"]
        assert _retcode(client, second) == "0"


def test_the_sessions_file_holds_desks_only_and_loses_those_that_callers_throw_out(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text('{"1001": "right"}')
    options = {"agents": [1001, 1002], "passwords_in": str(tmp_path / "passwords.json"), "node": "n1"}
    with _rehearsal(tmp_path, session_cookies={"SERVERID": "n1"}, **options) as (_, facts, client):
        before = _sessions(facts)
        wrong, right = (
            client.put(
                f"{ROOT}/onlineagent/1001/forcelogin",
                content=json.dumps({**BODY, "password": password}),
                headers={"Content-Type": CONTENT_TYPE},
            )
            for password in ("wrong", "right")
        )
        _eventually(tmp_path / "sessions.json", ["1002"])

    assert (wrong.json()["retcode"], right.json()["retcode"]) == ("100-004", "0")
    assert before["1002"]["guid"].endswith(".n1")
    assert before["1002"]["cookies"]["SERVERID"] == "n1"


def test_scenarios_are_played_before_anybody_signs_in(tmp_path: Path) -> None:
    with _rehearsal(tmp_path, agents=[1001], scenarios=["sticky-cookies", "replace"]) as (_, facts, client):
        session = _sessions(facts)["1001"]
        assert session["cookies"].keys() == {"JSESSIONID"}
        assert _retcode(client, session) == "100-006"
        client.cookies.update(session["cookies"])
        assert _retcode(client, session) == "0"


def test_sessions_from_elsewhere_are_known_and_keep_their_cookies(tmp_path: Path) -> None:
    known = {"agentId": "1001", "guid": "opaque.AgentGateway0", "cookies": {"JSESSIONID": "c"}, "session": "login-1"}
    (tmp_path / "in.json").write_text(json.dumps([known]))
    seen: list[dict[str, dict[str, Any]]] = []

    def announce(facts: Mapping[str, object]) -> None:
        seen.append(_sessions(facts))
        raise EnoughError

    settings = RehearsalSettings(
        port=0, agents=(1001, 1002), sessions_in=tmp_path / "in.json", sessions_out=tmp_path / "out.json"
    )
    with pytest.raises(EnoughError):
        run(settings, announce=announce)

    assert seen[0]["1001"] == known
    assert seen[0].keys() == {"1001", "1002"}


def test_nothing_is_written_that_was_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[Mapping[str, object]] = []

    def announce(facts: Mapping[str, object]) -> None:
        told.append(facts)
        raise EnoughError

    with pytest.raises(EnoughError):
        run(RehearsalSettings(port=0, agents=(1001,)), announce=announce)

    assert list(tmp_path.iterdir()) == []
    assert (told[0]["ca_file"], told[0]["sessions_file"]) == (None, None)


def test_the_settings_skills_are_the_gateways_rules() -> None:
    skills = {1001: frozenset({51}), 1002: frozenset[int]()}

    assert RehearsalSettings(skills=skills).rules().skills == skills


@pytest.mark.parametrize(
    "wrong",
    [
        {"spelling": "loose"},
        {"channel_mode": "forget"},
        {"callnums_key": "CALLNUMS"},
        {"faults": ("http-999",)},
        {"agents": (100,)},
        {"skills": {100: frozenset({51})}},
        {"skills": {1001: frozenset({54})}},
        {"sessions_in": Path("none.json")},
        {"passwords_in": Path("none.json")},
        {"scenarios": ("guid-rotatoin",)},
        {"scenarios": ("merge", "replace")},
        {"node": "n 1"},
        {"node": ""},
        {"session_cookies": {"SERVER ID": "n1"}},
        {"session_cookies": {"SERVERID": "n1; Path=/"}},
        {"port": 65_536},
        {"ca_out": Path("none") / "ca.pem"},
        {"sessions_out": Path("none") / "sessions.json"},
        {"ca_out": Path("site.yaml")},
        {"sessions_out": Path("state.json")},
    ],
    ids=[
        "spelling",
        "mode",
        "key",
        "fault",
        "agent",
        "skilled-agent",
        "skill",
        "sessions-in",
        "passwords-in",
        "scenario",
        "scenarios",
        "node",
        "no-node",
        "cookie-name",
        "cookie-value",
        "port",
        "ca-out",
        "sessions-out",
        "ca-over-yaml",
        "sessions-over-a-state",
    ],
)
def test_settings_that_cannot_be_used_are_refused_before_the_announcement(
    wrong: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_text("name: demo\n")
    (tmp_path / "state.json").write_text('{\n  "agents": {}\n}\n')
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    def announce(_facts: Mapping[str, object]) -> None:
        raise AssertionError("there is nothing to announce")

    with pytest.raises(InputError):
        run(RehearsalSettings(**{"port": 0, **wrong}), announce=announce)
    assert before == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_a_port_that_is_taken_is_an_input_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="cannot listen"):
        run(RehearsalSettings(port=taken.getsockname()[1]), announce=lambda _facts: None)
