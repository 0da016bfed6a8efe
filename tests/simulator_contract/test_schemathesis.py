"""Schemathesis calls the live simulator, over TLS, as its description allows and as it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from simulator_contract.description import FILE, SET, allows
from support.rehearsal import RehearsalServer

from reconciler.simulator import Rules

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
"""All that can hold of an interface whose failures have status 200; of a refusal, the retcode is looked at below."""

CONFORMANCE = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(rules=Rules(poll_wait=0.0), agents=range(1001, 1006), control=True) as running:
        yield running


def run_schemathesis(
    file: Path, server: RehearsalServer, work: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the command over all operations, always with the same cases."""
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", str(file)),
            *("--url", server.url, "--tls-verify", str(server.ca_file), "--generation-deterministic"),
            *("--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", *options),
        ],
        cwd=work,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_everything_the_simulator_answers_is_described(server: RehearsalServer, tmp_path: Path) -> None:
    ended = run_schemathesis(FILE, server, tmp_path, "--phases", "examples,coverage,fuzzing", "--max-examples", "20")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "No issues found" in ended.stdout


def test_an_answer_that_is_described_otherwise_is_found(server: RehearsalServer, tmp_path: Path) -> None:
    # Were it not found, the test before this one would say nothing.
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    document["components"]["schemas"]["Retcode"]["pattern"] = "^success$"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(document), encoding="utf-8")

    ended = run_schemathesis(
        wrong, server, tmp_path, "--phases", "examples", "--include-operation-id", "setCallNumsByMediaType"
    )

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Response violates schema" in ended.stdout


SIGN_IN = {"password": "", "phonenum": "40038", "status": "3"}
NUMBERS = {"totalCallNum": 25, "agentMediaCallNums": [{"mediaType": 51, "callNums": 9}]}
BODIES: dict[str, dict[str, Any]] = {"signIn": SIGN_IN, "forceSignIn": SIGN_IN, "setCallNumsByMediaType": NUMBERS}

A_SESSION = (
    *("signIn", "setCallNumsByMediaType", "pollEvents", "pollEvents", "pollEvents", "pollEvents", "sendHeartbeat"),
    *("updateGuid", "setCallNumsByMediaType", "forceSignIn", "signOut"),
)


def test_every_success_of_a_session_from_its_beginning_to_its_end_is_described(
    server: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    described = schemathesis.openapi.from_path(FILE)
    guid, events = "", []
    for name in A_SESSION:
        operation = described.find_operation_by_id(name)
        body: dict[str, Any] = {"body": BODIES[name], "media_type": "application/json"} if name in BODIES else {}
        case = operation.Case(path_parameters={"agentid": "2001"}, headers={"Guid": guid} if guid else {}, **body)
        reply = case.call(base_url=server.url, verify=str(server.ca_file))
        case.validate_response(reply, checks=CONFORMANCE)
        assert reply.json()["retcode"] == "0", name
        events += [reply.json()["event"]] if name == "pollEvents" else []
        guid = next(iter(reply.headers.get("set-guid", [guid]))).removeprefix("JSESSIONID=")

    assert events[0] is not None
    assert events[-1] is None


# Which bodies are acknowledged: in a session that is alive, so that the body alone decides.

OPERATION = schemathesis.openapi.from_path(FILE)[SET]["POST"]

SAME_CASES = settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def is_one_to_acknowledge(body: object, spelling: str) -> bool:
    """Whether a body is allowed, in the spelling that is understood, and names no media type twice."""
    if not isinstance(body, dict) or not allows("Concurrency", body):
        return False
    channels = body["agentMediaCallNums"]
    codes = [channel["mediaType"] for channel in channels]
    return all(spelling in channel for channel in channels) and len(set(codes)) == len(codes)


@pytest.mark.parametrize("spelling", ["callNums", "callnums"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not-allowed"])
def test_a_body_is_acknowledged_when_the_description_allows_it_and_never_else(
    spelling: str, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    retcodes: Counter[str] = Counter()
    with RehearsalServer(rules=Rules(callnums_key=spelling), agents=[1001]) as server:
        (signed_in,) = server.gateway.sessions()
        headers = {"Guid": signed_in.guid, "Content-Type": "application/json; charset=UTF-8"}

        @SAME_CASES
        @given(case=OPERATION.as_strategy(mode, path_parameters={"agentid": "1001"}, headers=headers))
        def check(case: Case[Any]) -> None:
            reply = case.call(base_url=server.url, verify=str(server.ca_file))
            expected = "0" if is_one_to_acknowledge(case.body, spelling) else "000-006"
            assert (reply.status_code, reply.json()["retcode"]) == (200, expected)
            retcodes[expected] += 1

        check()

    assert retcodes["0" if mode is GenerationMode.POSITIVE else "000-006"] > 10, "too few of the cases decide anything"
