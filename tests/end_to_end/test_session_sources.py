"""Each source of sessions, from site.yaml to calls that the gateway takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from gateway.redis_servers import PASSWORD, READER, redis_program
from gateway.servers import free_port
from support.rehearsal import RehearsalServer
from support.site import Site

ASKED = ["1001", "1002", "1003", "1004", "1005"]
"""The agents of the fleet, of the twenty who are signed in."""


@pytest.fixture
def sessions(site: Site, server: RehearsalServer) -> list[dict[str, Any]]:
    """The live sessions, and no sessions.json to find them in."""
    (site.root / "sessions.json").unlink()
    return server.call(lambda gateway: [session.document() for session in gateway.sessions()])


def take_sessions_from(site: Site, source: Mapping[str, object]) -> None:
    site.edit("site.yaml", "guardrails:", f"sessions: {json.dumps(source)}\nguardrails:")


def require_everybody_applied(site: Site, server: RehearsalServer) -> None:
    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["summary"]["applied"]) == (0, 5), ended.err
    assert sorted(server.call(lambda gateway: gateway.agents_document())) == ASKED


@pytest.mark.parametrize("variable", [None, "FLOOR_SESSIONS"], ids=["usual-name", "own-name"])
def test_apply_takes_sessions_from_an_environment_variable(
    site: Site,
    server: RehearsalServer,
    sessions: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
) -> None:
    take_sessions_from(site, {"source": "env"} | ({"variable": variable} if variable else {}))
    monkeypatch.setenv(variable or "RECONCILER_SESSIONS", json.dumps(sessions))

    require_everybody_applied(site, server)


COMMAND = """\
import json, os, sys
known = {session["agentId"]: session for session in json.loads(os.environ["FLOOR_SESSIONS"])}
asked = [json.loads(line)["agentId"] for line in sys.stdin]
with open("asked.json", "w") as file:
    json.dump(asked, file)
for agent in asked:
    print(json.dumps(known[agent]))
"""


def test_apply_takes_sessions_from_a_command_that_it_asks_for_the_agents_of_the_plan(
    site: Site, server: RehearsalServer, sessions: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("who.py", COMMAND)
    take_sessions_from(site, {"source": "command", "command": [sys.executable, "who.py"]})
    monkeypatch.setenv("FLOOR_SESSIONS", json.dumps(sessions))

    require_everybody_applied(site, server)
    assert sorted(json.loads((site.root / "asked.json").read_text())) == ASKED


def test_apply_takes_sessions_from_a_csv_file_beside_site_yaml(
    site: Site, server: RehearsalServer, sessions: list[dict[str, Any]]
) -> None:
    rows = [",".join([session["agentId"], session["guid"], session["session"]]) for session in sessions]
    site.write("floor/sessions.csv", "\n".join(["agentId,guid,session", *rows, ""]))
    take_sessions_from(site, {"source": "file", "path": "floor/sessions.csv"})

    require_everybody_applied(site, server)


COUNTING = """\
import json, os, sys
known = {session["agentId"]: session for session in json.loads(os.environ["FLOOR_SESSIONS"])}
asked = [json.loads(line)["agentId"] for line in sys.stdin]
with open("asked.txt", "a") as file:
    print(len(asked), file=file)
for agent in asked:
    print(json.dumps(known[agent]))
"""


@pytest.mark.parametrize(
    ("use", "asked"),
    [
        pytest.param({}, [5], id="a-few-seconds-of-calling"),
        pytest.param({"batch": 2}, [2, 2, 1], id="two-at-once"),
        pytest.param({"batch": 1}, [1, 1, 1, 1, 1], id="each-alone"),
    ],
)
def test_sessions_are_read_in_batches_of_the_sites_own_size(
    site: Site,
    server: RehearsalServer,
    sessions: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    use: dict[str, int],
    asked: list[int],
) -> None:
    site.write("who.py", COUNTING)
    take_sessions_from(site, {"source": "command", "command": [sys.executable, "who.py"], "max_age": "1h", **use})
    monkeypatch.setenv("FLOOR_SESSIONS", json.dumps(sessions))

    require_everybody_applied(site, server)
    assert [int(line) for line in (site.root / "asked.txt").read_text().split()] == asked


def test_a_session_older_than_the_sites_max_age_is_read_again(
    site: Site, server: RehearsalServer, sessions: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("who.py", COUNTING)
    take_sessions_from(site, {"source": "command", "command": [sys.executable, "who.py"], "max_age": "1ms"})
    monkeypatch.setenv("FLOOR_SESSIONS", json.dumps(sessions))

    require_everybody_applied(site, server)
    asked = [int(line) for line in (site.root / "asked.txt").read_text().split()]
    assert asked[0] == 5
    assert len(asked) > 1


def test_apply_takes_sessions_from_redis(
    site: Site, server: RehearsalServer, sessions: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    with redis_program(tmp_path / "redis") as redis:
        for session in sessions:
            redis.client.set(f"agent:{session['agentId']}", json.dumps(session))
        login = {"username": READER, "password": "env:REDIS_PASSWORD", "ca_file": str(tmp_path / "redis" / "ca.pem")}
        url = f"rediss://localhost:{redis.tls_port}"
        take_sessions_from(site, {"source": "redis", "url": url, "key": "agent:{agent}", **login})

        require_everybody_applied(site, server)


BROKER = """\
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Broker(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.headers["Authorization"] == "Bearer t0ken"
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["agentIds"]
        answer = [session for session in json.loads(os.environ["FLOOR_SESSIONS"]) if session["agentId"] in asked]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

server = HTTPServer(("127.0.0.1", 0), Broker)
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_apply_takes_sessions_from_a_broker(
    site: Site, server: RehearsalServer, sessions: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOOR_SESSIONS", json.dumps(sessions))
    site.write("token", "t0ken\n")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", BROKER], text=True, **quiet) as broker:  # type: ignore[call-overload]
        try:
            url = f"http://127.0.0.1:{int(broker.stdout.readline())}/sessions"
            take_sessions_from(site, {"source": "http", "url": url, "method": "POST", "token": "file:token"})

            require_everybody_applied(site, server)
        finally:
            broker.kill()


@pytest.mark.parametrize(
    "source",
    [
        {"source": "redis", "url": "redis://127.0.0.1:1", "key": "{agent}", "password": "env:NOT_SET"},
        {"source": "http", "url": "https://127.0.0.1:1", "token": "env:NOT_SET"},
        {"source": "http", "url": "https://127.0.0.1:1", "token": "file:absent"},
        {"source": "http", "url": "https://127.0.0.1:1", "token": "command:false"},
    ],
    ids=["redis-variable", "http-variable", "file", "command"],
)
def test_a_missing_secret_ends_an_apply_before_it_asks_or_sends_anything(
    site: Site, server: RehearsalServer, source: dict[str, str]
) -> None:
    take_sessions_from(site, source)

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (4, "session-source-failed")
    (diagnostic,) = ended.document["diagnostics"]
    assert diagnostic["summary"].startswith(f"sessions.{'password' if 'password' in source else 'token'}: ")
    assert server.call(lambda gateway: gateway.agents_document()) == {}
    assert not (site.root / "state.json").exists()


def test_a_source_that_cannot_be_reached_ends_an_apply_with_nothing_sent(site: Site, server: RehearsalServer) -> None:
    take_sessions_from(site, {"source": "redis", "url": f"redis://127.0.0.1:{free_port()}", "key": "{agent}"})

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (4, "session-source-failed")
    assert ended.document["summary"]["skipped"] == 5
    assert server.call(lambda gateway: gateway.agents_document()) == {}
