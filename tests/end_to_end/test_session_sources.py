"""Each source of sessions, from site.yaml to calls that the gateway takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest
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
