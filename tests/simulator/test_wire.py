"""Signing in and scenarios over real HTTPS, as a client meets them."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping

import httpx
import pytest
from support.calls import CONTENT_TYPE, body_of, path_of
from support.rehearsal import RehearsalServer
from support.sign_ins import BODY, ROOT

from reconciler.simulator import Rules, Step

JSON = {"Content-Type": CONTENT_TYPE}


def client_of(server: RehearsalServer) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(server.ca_file))
    return httpx.Client(base_url=server.url, verify=context, trust_env=False, timeout=10)


def sign_in(client: httpx.Client, agent: int = 1001) -> httpx.Response:
    return client.put(f"{ROOT}/onlineagent/{agent}", content=json.dumps(BODY), headers=JSON)


def guid_in(response: httpx.Response) -> dict[str, str]:
    return {**JSON, "Guid": response.headers["Set-GUID"].removeprefix("JSESSIONID=")}


def set_numbers(client: httpx.Client, headers: Mapping[str, str], agent: int = 1001) -> httpx.Response:
    return client.post(path_of(agent), content=body_of(), headers=headers)


def test_a_caller_signs_in_sets_numbers_stays_and_signs_out() -> None:
    with RehearsalServer(rules=Rules(poll_wait=0.0)) as server, client_of(server) as client:
        headers = guid_in(sign_in(client))
        replies = [
            set_numbers(client, headers),
            client.get(f"{ROOT}/agentevent/1001", headers=headers),
            client.post(f"{ROOT}/onlineagent/1001/handshake", headers=headers),
            client.put(f"{ROOT}/onlineagent/1001/updateGuid", headers=headers),
            client.delete(f"{ROOT}/onlineagent/1001/logout", headers=headers),
        ]
        document = server.gateway.attendance_document()

    assert [reply.json()["retcode"] for reply in replies] == ["0"] * 5
    assert {reply.headers["Content-Type"] for reply in replies} == {CONTENT_TYPE}
    assert [document[str(step)] for step in (Step.SIGN_IN, Step.POLL, Step.HEARTBEAT, Step.SIGN_OUT)] == [1] * 4
    assert document["signed_in"] == {}


def test_a_poll_is_held_while_other_calls_of_its_agent_pass() -> None:
    ended: list[str] = []

    def poll_in_vain(server: RehearsalServer, headers: Mapping[str, str]) -> None:
        with client_of(server) as client:
            for _ in range(3):  # two events of signing in, and then none
                try:
                    ended.append(client.get(f"{ROOT}/agentevent/1001", headers=headers).json()["retcode"])
                except httpx.TransportError:
                    ended.append("cut")

    with RehearsalServer(rules=Rules(poll_wait=60.0)) as server, client_of(server) as client:
        headers = guid_in(sign_in(client))
        thread = threading.Thread(target=poll_in_vain, args=(server, headers))
        thread.start()
        deadline = time.monotonic() + 10
        while server.gateway.attendance.count(Step.POLL) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ended == ["0", "0"]
        assert [set_numbers(client, headers).json()["retcode"] for _ in range(2)] == ["0", "0"]
        assert server.gateway.requests_document()["overlapped"] == 0
    thread.join(10)

    assert ended == ["0", "0", "cut"]


def test_a_cookie_jar_keeps_a_sticky_session_and_without_it_the_session_is_unknown() -> None:
    with RehearsalServer(scenarios=["sticky-cookies"]) as server:
        with client_of(server) as client:
            headers = guid_in(sign_in(client))
            along = set_numbers(client, headers)
        with client_of(server) as other:
            without = set_numbers(other, headers)

    assert (along.json()["retcode"], without.json()["retcode"]) == ("0", "100-006")


@pytest.mark.parametrize(
    ("scenario", "status", "content_type", "retry_after"),
    [
        ("html-200", 200, "text/html; charset=UTF-8", None),
        ("bad-gateway-502", 502, "text/html; charset=UTF-8", None),
        ("too-many-requests:3s", 429, CONTENT_TYPE, "3"),
        ("dr-switchover", 200, CONTENT_TYPE, None),
    ],
)
def test_scenarios_look_real_on_the_wire(
    scenario: str, status: int, content_type: str, retry_after: str | None
) -> None:
    with RehearsalServer(scenarios=[scenario]) as server, client_of(server) as client:
        [session] = server.sign_in([1001])
        reply = set_numbers(client, {**JSON, "Guid": str(session["guid"])})

    assert (status, content_type) == (reply.status_code, reply.headers["Content-Type"])
    assert reply.headers.get("Retry-After") == retry_after


@pytest.mark.parametrize(("scenario", "taken"), [("reset-before-commit", False), ("reset-after-commit", True)])
def test_a_reset_is_a_reset(scenario: str, taken: bool) -> None:
    with RehearsalServer() as server, client_of(server) as client:
        [session] = server.sign_in([1001])
        server.play(scenario)
        headers = {**JSON, "Guid": str(session["guid"])}
        with pytest.raises(httpx.TransportError):
            set_numbers(client, headers)
        live = server.call(lambda gateway: gateway.live(1001))
        again = set_numbers(client, headers)

    assert (live is not None) == taken
    assert again.json()["retcode"] == "0"


def test_scenarios_are_played_through_control() -> None:
    with RehearsalServer(control=True) as server, client_of(server) as client:
        refused = client.post("/rehearsal/scenarios", json=["html-20"])
        played = client.post("/rehearsal/scenarios", json=["wrong-password"])
        retcode = sign_in(client).json()["retcode"]
        client.delete("/rehearsal/scenarios")
        sign_in(client)
        attendance = client.get("/rehearsal/attendance").json()

    assert (refused.status_code, played.status_code, retcode) == (400, 200, "100-004")
    assert "did you mean html-200" in refused.json()["message"]
    assert (attendance["sign_ins"], attendance["signed_in"]) == (1, {"1001": "caller"})
