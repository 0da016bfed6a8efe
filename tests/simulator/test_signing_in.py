"""Signing in and out, through the pure judgement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.calls import answer, call_of, make_gateway, retcode
from support.sign_ins import (
    BODY,
    ROOT,
    code,
    guid_in,
    heartbeat,
    nobody,
    poll,
    request,
    set_numbers,
    sign_in,
    sign_out,
    signed_in,
    update_guid,
)

from reconciler.simulator import SimulatedSession, Step
from reconciler.simulator.exchange import Call


def test_signing_in_is_answered_as_the_reference_has_it_and_the_guid_is_good() -> None:
    gateway, _ = nobody()

    reply = sign_in(gateway)

    document = json.loads(reply.body)
    assert (document["retcode"], document["message"], document["result"]["workno"]) == ("0", "success", "1001")
    assert reply.headers.keys() == {"Set-GUID"}
    assert reply.headers["Set-GUID"].startswith("JSESSIONID=")
    assert set_numbers(gateway, guid_in(reply)) == "0"


def test_the_status_that_was_asked_for_is_remembered_after_signing_out() -> None:
    gateway, _ = nobody()

    sign_out(gateway, signed_in(gateway, status="3"))

    assert gateway.attendance.status(1001) == "3"
    assert gateway.attendance.status(1002) is None


@pytest.mark.parametrize(
    ("status", "events"),
    [
        ("3", ["AgentOther_InService", "AgentState_Ready", "AgentState_SetNotReady_Success"]),
        ("4", ["AgentOther_InService", "AgentState_Ready"]),
        ("5", ["AgentOther_InService", "AgentState_Ready", "AgentState_Work"]),
    ],
    ids=["busy", "idle", "wrapping-up"],
)
def test_polls_deliver_the_events_of_signing_in_at_once_and_then_wait(status: str, events: list[str]) -> None:
    gateway, _ = nobody(poll_wait=10.0)
    guid = signed_in(gateway, status=status)

    visits = [gateway.arrive(request("GET", "/agentevent/1001", guid=guid)) for _ in range(len(events) + 1)]

    replies = [json.loads(visit.reply.body) for visit in visits if visit.reply is not None]
    assert [reply["event"] and reply["event"]["eventType"] for reply in replies] == [*events, None]
    assert [visit.delay for visit in visits] == [0.0] * len(events) + [10.0]


def test_who_is_signed_in_already_can_be_signed_in_by_force_only() -> None:
    gateway, _ = nobody()
    first = signed_in(gateway)

    assert code(sign_in(gateway)) == "100-002"
    assert set_numbers(gateway, first) == "0"
    second = guid_in(sign_in(gateway, force=True))

    assert (set_numbers(gateway, first), set_numbers(gateway, second)) == ("000-003", "0")
    counts = [gateway.attendance.count(step) for step in (Step.SIGN_IN, Step.FORCE, Step.THROWN_OUT)]
    assert counts == [2, 1, 1]


def test_a_person_at_a_desk_is_thrown_out_by_force_only_and_the_numbers_are_lost() -> None:
    gateway = make_gateway(agents=[1001])
    retcode(gateway, call_of(gateway))
    key = gateway.sessions()[0].key

    assert code(sign_in(gateway)) == "100-002"
    assert gateway.live(1001) is not None
    assert code(sign_in(gateway, force=True)) == "0"

    assert gateway.live(1001) is None
    assert gateway.sessions()[0].key != key
    assert gateway.attendance_document()["signed_in"] == {"1001": "caller"}


def test_force_needs_nobody_to_be_signed_in() -> None:
    gateway, _ = nobody()

    assert code(sign_in(gateway, force=True)) == "0"
    assert gateway.attendance.count(Step.THROWN_OUT) == 0


def test_signing_out_ends_the_session_and_a_second_time_there_is_none() -> None:
    gateway, _ = nobody()
    guid = signed_in(gateway)

    assert code(sign_out(gateway, guid)) == "0"
    assert [code(sign_out(gateway, guid)), code(poll(gateway, guid)), set_numbers(gateway, guid)] == ["100-006"] * 3
    assert gateway.sessions() == ()
    assert code(sign_in(gateway)) == "0"


@pytest.mark.parametrize("operation", [poll, heartbeat, update_guid, sign_out])
@pytest.mark.parametrize("guid", [None, "wrong"])
def test_every_operation_on_a_session_needs_its_guid(operation: Any, guid: str | None) -> None:
    gateway, _ = nobody()
    signed_in(gateway)

    assert code(operation(gateway, guid)) == "000-003"
    assert len(gateway.sessions()) == 1


@pytest.mark.parametrize("operation", [poll, heartbeat, update_guid, sign_out])
def test_every_operation_on_a_session_needs_one(operation: Any) -> None:
    gateway, _ = nobody()

    assert code(operation(gateway, "any")) == "100-006"


@pytest.mark.parametrize(
    ("password", "expected"), [("right", "0"), ("wrong", "100-004"), ("", "100-004"), ("é", "100-004")]
)
def test_an_agent_with_a_password_needs_it(password: str, expected: str) -> None:
    gateway, _ = nobody(passwords={1001: "right"})

    assert code(sign_in(gateway, password=password)) == expected
    assert code(sign_in(gateway, 1002, password=password)) == "0"


def test_a_wrong_password_is_told_before_who_is_signed_in_and_force_does_not_help() -> None:
    gateway = make_gateway(agents=[1001])
    gateway.set_password(1001, "right")

    assert [code(sign_in(gateway)), code(sign_in(gateway, force=True))] == ["100-004", "100-004"]
    assert gateway.attendance_document()["refused"] == {"100-004": 2}
    assert gateway.attendance_document()["signed_in"] == {"1001": "desk"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        {"status": "4"},
        {**BODY, "password": None},
        {**BODY, "password": "x" * 33},
        {**BODY, "phonenum": "1" * 25},
        {**BODY, "phonenum": 40038},
        {**BODY, "status": "1"},
        {**BODY, "status": True},
        {**BODY, "status": None},
        {**BODY, "agenttype": "5"},
        {**BODY, "releasephone": "yes"},
        {**BODY, "releasephone": []},
        {**BODY, "serviceToken": "x" * 51},
        {**BODY, "serviceToken": "a b"},
    ],
    ids=[
        "empty",
        "array",
        "not-utf-8",
        "too-deep",
        "no-password",
        "password-null",
        "password-long",
        "phone-long",
        "phone-number",
        "status-unknown",
        "status-boolean",
        "status-null",
        "agent-type-unknown",
        "flag-word",
        "flag-array",
        "token-long",
        "token-special",
    ],
)
def test_a_sign_in_outside_its_table_is_a_bad_parameter(body: object) -> None:
    gateway, _ = nobody()

    assert code(sign_in(gateway, body=body)) == "100-001"
    assert gateway.sessions() == ()


@pytest.mark.parametrize(
    "more",
    [
        {"status": 3},
        {"agenttype": 11},
        {"releasephone": False},
        {"more": 1},
        {"serviceToken": "t-1"},
        {"password": "é"},
    ],
    ids=["status-number", "agent-type-number", "flag-boolean", "unknown-key", "token-alone", "password"],
)
def test_numbers_flags_and_further_keys_are_accepted(more: dict[str, Any]) -> None:
    gateway, _ = nobody()

    assert code(sign_in(gateway, **more)) == "0"


def test_the_smallest_sign_in_is_a_password_and_means_idle() -> None:
    gateway, _ = nobody()

    assert code(sign_in(gateway, body={"password": ""})) == "0"
    assert gateway.attendance.status(1001) == "4"


def test_a_sign_in_without_json_as_its_type_is_a_bad_message() -> None:
    gateway, _ = nobody()
    call = Call(
        method="PUT", path=f"{ROOT}/onlineagent/1001", content_type="text/plain", body=json.dumps(BODY).encode()
    )

    assert code(answer(gateway, call)) == "000-006"


@pytest.mark.parametrize("agent", ["100", "x", "1000000"])
def test_an_impossible_agent_is_a_bad_url_parameter(agent: str) -> None:
    assert code(sign_in(nobody()[0], agent)) == "000-002"


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/onlineagent/1001", "PUT"),
        ("/onlineagent/1001/forcelogin", "PUT"),
        ("/onlineagent/1001/logout", "DELETE"),
        ("/agentevent/1001", "GET"),
        ("/onlineagent/1001/handshake", "POST"),
        ("/onlineagent/1001/updateGuid", "PUT"),
    ],
)
def test_each_resource_supports_one_method_only(path: str, method: str) -> None:
    gateway, _ = nobody()

    for other in {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"} - {method}:
        reply = answer(gateway, request(other, path, body=BODY))
        assert (reply.status, dict(reply.headers)) == (405, {"Allow": method})
    assert gateway.sessions() == ()


def test_each_signing_in_has_another_login_time_and_another_session_key() -> None:
    gateway, _ = nobody()
    times, keys = [], []
    for _ in range(3):
        reply = sign_in(gateway, force=True)
        times.append(int(json.loads(reply.body)["result"]["loginTime"]))
        keys.append(gateway.sessions()[0].key)

    assert times == sorted(set(times))
    assert len(set(keys)) == 3


def test_a_session_key_stays_when_the_guid_changes_and_holds_nothing_of_it() -> None:
    gateway, clock = nobody()
    guid = signed_in(gateway)
    before = gateway.sessions()[0]
    clock.now += 60
    poll(gateway, guid)
    after = gateway.sessions()[0]

    assert (after.key, after.guid != before.guid) == (before.key, True)
    assert str(before.key).removeprefix("login-") not in before.guid


def test_the_revision_rises_with_every_change_of_a_session_and_with_nothing_else() -> None:
    gateway, clock = nobody()
    seen = [gateway.revision()]
    guid = signed_in(gateway)
    seen.append(gateway.revision())
    heartbeat(gateway, guid)
    set_numbers(gateway, guid)
    assert gateway.revision() == seen[-1]
    clock.now += 60
    heartbeat(gateway, guid)
    seen.append(gateway.revision())
    clock.now += 120
    seen.append(gateway.revision())

    assert seen == sorted(set(seen))


def test_secrets_of_signing_in_appear_in_no_repr_and_in_no_count() -> None:
    gateway, _ = nobody(passwords={1001: "secret-password"}, session_cookies={"SERVERID": "secret-cookie"})
    reply = sign_in(gateway, password="secret-password")
    guid = str(guid_in(reply))
    former = SimulatedSession(agent=1001, guid="g", former=((guid, 0.0),), unasked_cookies={"c": "secret-cookie"})

    shown = repr((gateway.rules, reply, gateway.sessions(), former)) + json.dumps(gateway.attendance_document())
    assert "secret" not in shown
    assert guid not in shown


def test_counts_say_who_did_what() -> None:
    gateway, _ = nobody()
    gateway.sign_in(1002)
    guid = signed_in(gateway, status="3")
    poll(gateway, guid)
    poll(gateway, guid)
    heartbeat(gateway, guid)
    update_guid(gateway, guid)
    sign_in(gateway)
    sign_out(gateway, guid)

    document = gateway.attendance_document()
    steps = {"sign_ins": 1, "forced": 0, "thrown_out": 0, "sign_outs": 1, "timed_out": 0, "lost": 0}
    steps |= {"polls": 2, "heartbeats": 1, "guid_updates": 1, "rotations": 0}
    assert document == {
        **steps,
        "refused": {"100-002": 1},
        "signed_in": {"1002": "desk"},
        "agents": {"1001": {**steps, "status": "3"}},
    }
