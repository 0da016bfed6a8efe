"""Nodes of a cluster: cookies, and sessions that another node does not know."""

from __future__ import annotations

import json

from support.calls import call_of, make_gateway, path_of, retcode
from support.sign_ins import (
    code,
    guid_in,
    nobody,
    set_numbers,
    sign_in,
    sign_out,
    signed_in,
)

from reconciler.simulator import Step


def test_a_sticky_session_is_unknown_without_the_cookie_of_its_sign_in() -> None:
    gateway, _ = nobody(sticky_cookies=True)
    reply = sign_in(gateway)
    guid = guid_in(reply)
    cookie, _, attributes = reply.headers["Set-Cookie"].partition("; ")

    assert cookie.startswith("JSESSIONID=")
    assert attributes == "Path=/; Secure; HttpOnly"
    assert [set_numbers(gateway, guid, cookie=sent) for sent in ("", "JSESSIONID=x", cookie)] == [
        "100-006",
        "100-006",
        "0",
    ]
    assert code(sign_out(gateway, guid)) == "100-006"
    assert code(sign_out(gateway, guid, cookie=cookie)) == "0"


def test_a_node_signs_its_guids_and_gives_a_cookie_that_it_does_not_ask_for() -> None:
    gateway, _ = nobody(node="n1", session_cookies={"SERVERID": "n1"})
    reply = sign_in(gateway)
    desk = gateway.sign_in(1002).document()

    assert str(guid_in(reply)).endswith(".n1")
    assert reply.headers["Set-Cookie"].split(";")[0].endswith(".n1")
    assert json.loads(reply.body)["result"]["serverName"] == "n1"
    assert set_numbers(gateway, guid_in(reply)) == "0"
    cookies = desk["cookies"]
    assert isinstance(cookies, dict)
    assert cookies["SERVERID"] == "n1"
    assert set(cookies) == {"SERVERID", "JSESSIONID"}
    assert retcode(gateway, call_of(gateway, 1002)) == "0"


def test_sessions_live_on_one_node_only() -> None:
    first, second = (nobody(node=name)[0] for name in ("n1", "n2"))
    guid = signed_in(first)

    assert retcode(second, call_of(second, path=path_of(1001), guid=guid)) == "100-006"


def test_a_lost_session_is_unknown_to_the_gateway_while_its_holder_still_has_it() -> None:
    gateway = make_gateway(agents=[1001])
    held = gateway.sessions()[0]
    retcode(gateway, call_of(gateway))

    gateway.lose(1001)
    gateway.lose(1001)
    gateway.lose(1002)

    assert set_numbers(gateway, held.guid) == "100-006"
    assert [session.guid for session in gateway.sessions()] == [held.guid]
    assert gateway.agents_document() == {}
    assert gateway.attendance.count(Step.LOST) == 1
    assert gateway.attendance_document()["signed_in"] == {}
    assert code(sign_in(gateway)) == "0"
