from __future__ import annotations

import json

import pytest
from support.calls import call_of, make_gateway, retcode
from support.sign_ins import code, sign_in

from reconciler.simulator import Control


def test_live_numbers_and_counts_are_read_back() -> None:
    gateway = make_gateway(agents=[1002, 1001])
    retcode(gateway, call_of(gateway))
    control = Control(gateway)

    agents = control.answer("GET", "/rehearsal/agents")
    requests = control.answer("GET", "/rehearsal/requests")

    assert json.loads(agents.body) == {"1001": {"total": 25, "channels": {"51": 9, "52": 6}}}
    assert json.loads(requests.body) == {
        "total": 1,
        "agents": {"1001": 1},
        "max_overlap": 1,
        "max_in_flight": 1,
        "overlapped": 0,
    }


def test_agents_are_moved_and_each_move_is_told() -> None:
    told: list[list[int]] = []
    gateway = make_gateway(agents=[])
    control = Control(gateway, on_sessions=lambda: told.append([session.agent for session in gateway.sessions()]))

    first = json.loads(control.answer("POST", "/rehearsal/sign-in/1001").body)
    second = json.loads(control.answer("POST", "/rehearsal/rotate/1001").body)
    third = json.loads(control.answer("POST", "/rehearsal/sign-out/1001").body)

    assert told == [[1001], [1001], []]
    assert first.keys() == second.keys() == {"agentId", "guid", "session"}
    assert first["session"] == second["session"]
    assert first["guid"] != second["guid"]
    assert third == {"agentId": "1001"}


def test_a_session_is_lost_and_a_password_is_set() -> None:
    gateway = make_gateway()
    control = Control(gateway)

    lost = control.answer("POST", "/rehearsal/lose/1001")
    given = control.answer("POST", "/rehearsal/password/1002", b'"right"')

    assert json.loads(lost.body) == {"agentId": "1001"}
    assert json.loads(given.body) == {"agentId": "1002"}
    assert retcode(gateway, call_of(gateway)) == "100-006"
    assert [code(sign_in(gateway, 1002, password=password)) for password in ("", "right")] == ["100-004", "0"]


@pytest.mark.parametrize("body", [b"", b"{}", b"1", b"right"])
def test_a_password_that_is_no_json_string_is_refused(body: bytes) -> None:
    gateway = make_gateway()

    assert Control(gateway).answer("POST", "/rehearsal/password/1002", body).status == 400
    assert code(sign_in(gateway, 1002)) == "0"


def test_attendance_is_read_back() -> None:
    gateway = make_gateway()
    sign_in(gateway, 1002, status="3")

    document = json.loads(Control(gateway).answer("GET", "/rehearsal/attendance").body)

    assert document["signed_in"] == {"1001": "desk", "1002": "caller"}
    assert (document["agents"].keys(), document["agents"]["1002"]["status"]) == ({"1002"}, "3")


@pytest.mark.parametrize("move", ["rotate", "sign-out"])
def test_an_agent_that_is_not_signed_in_cannot_be_moved(move: str) -> None:
    told: list[None] = []
    control = Control(make_gateway(), on_sessions=lambda: told.append(None))

    assert control.answer("POST", f"/rehearsal/{move}/1002").status == 409
    assert told == []


def test_faults_are_added_and_cleared() -> None:
    gateway = make_gateway()
    control = Control(gateway)

    added = control.answer("POST", "/rehearsal/faults", b'["1001=retcode:100-007", "*=slow:1"]')
    assert json.loads(added.body) == {"faults": 2}
    assert retcode(gateway, call_of(gateway)) == "100-007"
    cleared = control.answer("DELETE", "/rehearsal/faults")
    assert json.loads(cleared.body) == {"faults": 0}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'["nothing"]', b'["http-502", "nothing"]', b"\xff", b"[" * 100_000]
)
def test_a_list_of_faults_with_a_mistake_is_refused_as_a_whole(body: bytes) -> None:
    gateway = make_gateway()

    assert Control(gateway).answer("POST", "/rehearsal/faults", body).status == 400
    assert len(gateway.faults) == 0


def test_skill_queues_are_given_and_taken_whether_or_not_the_agent_is_signed_in() -> None:
    gateway = make_gateway(agents=[])
    control = Control(gateway)

    given = control.answer("POST", "/rehearsal/skills/1001", b"[52, 50]")
    gateway.sign_in(1001)
    assert json.loads(given.body) == {"agentId": "1001", "skills": [50, 52]}
    assert retcode(gateway, call_of(gateway)) == "106-011"
    control.answer("POST", "/rehearsal/skills/1001", b"[51, 52]")
    assert retcode(gateway, call_of(gateway)) == "0"
    control.answer("POST", "/rehearsal/skills/1001", b"[]")
    assert retcode(gateway, call_of(gateway)) == "106-011"


@pytest.mark.parametrize("body", [b"", b"{}", b'["51"]', b"[true]", b"[51.0]", b"[51, 54]", b"51", b"[" * 100_000])
def test_a_list_of_media_types_with_a_mistake_is_refused_as_a_whole(body: bytes) -> None:
    gateway = make_gateway()

    reply = Control(gateway).answer("POST", "/rehearsal/skills/1001", body)

    assert reply.status == 400
    assert "[51, 52]" in json.loads(reply.body)["message"]
    assert retcode(gateway, call_of(gateway)) == "0"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/rehearsal/", 404),
        ("GET", "/rehearsal/nothing", 404),
        ("GET", "/rehearsal/agents/1001", 404),
        ("POST", "/rehearsal/sign-in", 404),
        ("POST", "/rehearsal/sign-in/1", 400),
        ("GET", "/rehearsal/sign-in/1001", 405),
        ("POST", "/rehearsal/skills", 404),
        ("POST", "/rehearsal/skills/100", 400),
        ("GET", "/rehearsal/skills/1001", 405),
        ("POST", "/rehearsal/agents", 405),
        ("POST", "/rehearsal/attendance", 405),
        ("PUT", "/rehearsal/scenarios", 405),
        ("POST", "/rehearsal/lose/100", 400),
        ("POST", "/rehearsal/password/100", 400),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(method: str, path: str, status: int) -> None:
    reply = Control(make_gateway()).answer(method, path)

    assert status == reply.status
    assert "message" in json.loads(reply.body)
