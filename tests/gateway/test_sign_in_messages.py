"""The requests that sign agents in and out, byte by byte, and what is read from the answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from gateway.examples import URL

from reconciler.gateway import (
    REPLIES,
    Acknowledged,
    NotSignedIn,
    Refused,
    Reply,
    Request,
    Transient,
    Unanswered,
    Verdict,
    judge,
    with_overrides,
)
from reconciler.gateway.sessions.signin.credentials import Credential
from reconciler.gateway.sessions.signin.messages import build_keep_alive, build_sign_in, build_sign_out
from reconciler.gateway.sessions.signin.replies import begin_session, is_gone, renew_session, sign_in_table
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.model.sign_in_settings import AuthMode, KeepAlive
from reconciler.model.site import RetcodeClass

AGENT = AgentId(1001)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
CREDENTIAL = Credential(password="open-sesame", phonenum="40038")
SESSION = Session(agent=AGENT, guid="guid-1", cookies={"route": "n1"}, key="signin-1")


def answered(retcode: str, *, message: str = "", status: int = 200, **headers: str | tuple[str, ...]) -> Reply:
    body = json.dumps({"retcode": retcode, "message": message}).encode()
    return Reply(status=status, body=body, **headers)  # type: ignore[arg-type]  # texts and tuples by name


@pytest.mark.parametrize(
    ("by_force", "path"), [(False, "onlineagent/1001"), (True, "onlineagent/1001/forcelogin")], ids=["plain", "forced"]
)
def test_a_sign_in_is_a_put_that_asks_for_busy_and_for_no_call_to_be_answered(by_force: bool, path: str) -> None:
    request = build_sign_in(URL, AGENT, CREDENTIAL, by_force=by_force)

    assert (request.method, request.url) == ("PUT", f"{URL}/agentgateway/resource/{path}")
    assert dict(request.headers) == {"Content-Type": "application/json; charset=UTF-8"}
    assert json.loads(request.body) == {
        "password": "open-sesame",
        "phonenum": "40038",
        "status": "3",
        "autoanswer": False,
        "autoenteridle": False,
    }


@pytest.mark.parametrize(
    ("request_", "method", "path"),
    [
        pytest.param(build_sign_out(URL, SESSION), "DELETE", "onlineagent/1001/logout", id="sign-out"),
        pytest.param(build_keep_alive(URL, SESSION, KeepAlive.POLL), "GET", "agentevent/1001", id="poll"),
        pytest.param(
            build_keep_alive(URL, SESSION, KeepAlive.HANDSHAKE),
            "POST",
            "onlineagent/1001/handshake",
            id="handshake",
        ),
    ],
)
def test_what_follows_a_sign_in_carries_its_guid_and_cookies(request_: Request, method: str, path: str) -> None:
    assert (request_.method, request_.url) == (method, f"{URL}/agentgateway/resource/{path}")
    assert (dict(request_.headers)["Guid"], dict(request_.headers)["Cookie"]) == ("guid-1", "route=n1")
    assert request_.body == b""


def test_no_repr_holds_a_password_or_a_guid() -> None:
    requests = [build_sign_in(URL, AGENT, CREDENTIAL, by_force=False), build_sign_out(URL, SESSION)]
    reply = answered("0", set_guid="JSESSIONID=guid-1", set_cookies=("route=secret-cookie",))

    shown = repr([*requests, CREDENTIAL, SESSION, reply])

    assert [secret for secret in ("open-sesame", "guid-1", "secret-cookie") if secret in shown] == []


@pytest.mark.parametrize(
    ("header", "guid"),
    [
        pytest.param("JSESSIONID=aa8e.AgentGateway0", "aa8e.AgentGateway0", id="as-documented"),
        pytest.param("jsessionid=aa8e", "aa8e", id="in-lower-case"),
        pytest.param("JSESSIONID=aa8e; Path=/; Secure", "aa8e", id="with-attributes"),
        pytest.param("aa8e", "aa8e", id="without-prefix"),
        pytest.param("JSESSIONID=aa=8e", "aa=8e", id="with-an-equals-sign"),
        pytest.param("JSESSIONID=JSESSIONID=a", "JSESSIONID=a", id="prefix-taken-off-once"),
    ],
)
def test_the_prefix_of_a_guid_is_taken_off(header: str, guid: str) -> None:
    session = begin_session(AGENT, answered("0", set_guid=header), key="signin-1")

    assert session == Session(agent=AGENT, guid=guid, key="signin-1")


@pytest.mark.parametrize(
    "header", ["", "JSESSIONID=", "JSESSIONID=two words", "JSESSIONID=a\tb", f"JSESSIONID={'a' * 513}", "JSESSIONID=ü"]
)
def test_a_guid_that_no_header_can_carry_begins_no_session(header: str) -> None:
    assert begin_session(AGENT, answered("0", set_guid=header), key="signin-1") is None


def test_the_cookies_of_a_sign_in_belong_to_the_session_without_their_attributes() -> None:
    cookies = ("route=n1; Path=/; HttpOnly", 'JSESSIONID="abc"', "empty=", "gone=x; Max-Age=0", "=nameless", "bare")
    session = begin_session(AGENT, answered("0", set_guid="JSESSIONID=aa8e", set_cookies=cookies), key="signin-1")

    assert session is not None
    assert session.cookies == {"route": "n1", "JSESSIONID": '"abc"', "empty": "", "bare": ""}


@pytest.mark.parametrize(
    ("cookies", "kept"),
    [
        pytest.param(("route=n\x01", "b=2"), {"b": "2"}, id="control-character"),
        pytest.param(('pref={"a": 1}', "b=2"), {"b": "2"}, id="json"),
        pytest.param((f"big={'x' * 9000}", "b=2"), {"b": "2"}, id="too-long"),
        pytest.param(
            [f"c{number}=" for number in range(60)], {f"c{number}": "" for number in range(50)}, id="too-many"
        ),
        pytest.param(("last=2025-03-01",), {"last": "2025-03-01"}, id="a-part-of-the-key"),
    ],
)
def test_a_cookie_that_no_header_can_carry_costs_no_guid(cookies: Sequence[str], kept: dict[str, str]) -> None:
    reply = answered("0", set_guid="JSESSIONID=2", set_cookies=tuple(cookies))

    begun = begin_session(AGENT, reply, key="signin-2025-03-01")
    renewed = renew_session(Session(agent=AGENT, guid="1", key="signin-2025-03-01"), reply, AuthMode.DYNAMIC)

    assert begun == renewed == Session(agent=AGENT, guid="2", cookies=kept, key="signin-2025-03-01")


@pytest.mark.parametrize(
    ("mode", "reply", "expected"),
    [
        pytest.param(AuthMode.DYNAMIC, answered("0", set_guid="JSESSIONID=guid-2"), "guid-2", id="replaced"),
        pytest.param(AuthMode.DYNAMIC, answered("0"), "guid-1", id="not-due"),
        pytest.param(AuthMode.DYNAMIC, answered("0", set_guid="JSESSIONID=gu id"), "guid-1", id="unusable"),
        pytest.param(AuthMode.STATIC, answered("0", set_guid="JSESSIONID=guid-2"), "guid-1", id="static"),
    ],
)
def test_a_guid_is_replaced_where_the_gateway_replaces_guids(mode: AuthMode, reply: Reply, expected: str) -> None:
    renewed = renew_session(SESSION, reply, mode)

    assert (renewed.guid, renewed.cookies, renewed.key) == (expected, SESSION.cookies, SESSION.key)


def test_a_later_answer_can_replace_and_take_away_cookies() -> None:
    reply = answered("0", set_cookies=("route=n2", "more=1"))
    assert renew_session(SESSION, reply, AuthMode.DYNAMIC).cookies == {"route": "n2", "more": "1"}

    reply = answered("0", set_cookies=("route=; Max-Age=-1",))
    assert renew_session(SESSION, reply, AuthMode.STATIC).cookies == {}


@pytest.mark.parametrize("kind", RetcodeClass)
@pytest.mark.parametrize("retcode", ["100-001", "100-002", "100-004"])
def test_no_site_can_make_a_refused_sign_in_something_to_be_tried_again(retcode: str, kind: RetcodeClass) -> None:
    table = sign_in_table(with_overrides({retcode: kind}))

    assert isinstance(judge(answered(retcode), now=NOON, table=table), Refused)


def test_signing_in_has_its_own_remedies_and_the_sites_own_judgement_of_the_rest() -> None:
    table = sign_in_table(with_overrides({"100-010": RetcodeClass.TRANSIENT}))

    assert "sessions.credentials" in judge(answered("100-004"), now=NOON, table=table).message
    assert isinstance(judge(answered("100-010"), now=NOON, table=table), Transient)


@pytest.mark.parametrize(
    ("verdict", "gone"),
    [
        pytest.param(Acknowledged(), True, id="success"),
        pytest.param(NotSignedIn(retcode="100-006"), True, id="not-signed-in"),
        pytest.param(NotSignedIn(retcode="100-008"), True, id="has-signed-out"),
        pytest.param(NotSignedIn(retcode="106-011"), False, id="deferred-by-a-site"),
        pytest.param(NotSignedIn(), False, id="a-status-deferred-by-a-site"),
        pytest.param(Transient(retcode="100-006"), False, id="a-proxys-word"),
        pytest.param(Unanswered(), False, id="no-answer"),
        pytest.param(Refused(retcode="100-005"), False, id="refused"),
    ],
)
def test_an_agent_counts_as_signed_out_when_the_gateway_itself_says_so(verdict: Verdict, gone: bool) -> None:
    assert is_gone(verdict) is gone


def test_the_table_for_signing_in_leaves_every_other_row_as_it_is() -> None:
    table = sign_in_table(REPLIES)

    assert {code for code in table if table[code] != REPLIES.get(code)} == {"100-001", "100-002", "100-004"}
