"""Every request that our own client builds is one that the description allows, and so are the samples of the page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_contract.description import DOCUMENT, SET, allows, operations
from support.calls import REFERENCE_REQUEST
from support.fleets import agent_ids, callnums_keys, concurrencies

from reconciler.gateway import Request, build_request
from reconciler.gateway.sessions.signin.credentials import MAX_PHONENUM, Credential
from reconciler.gateway.sessions.signin.messages import build_keep_alive, build_sign_in, build_sign_out
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.session import Session
from reconciler.model.sign_in_settings import KeepAlive

BASE = "https://gateway.example:8043"
OTHER_SPELLING = {"callNums": "callnums", "callnums": "callNums"}

guids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)


def request_of(agent: AgentId, guid: str, value: Concurrency, key: CallnumsKey) -> Request:
    return build_request(BASE, Session(agent=agent, guid=guid), value, key)


@given(agent=agent_ids, guid=guids, value=concurrencies, key=callnums_keys)
def test_a_call_of_ours_is_one_that_the_description_allows(
    agent: AgentId, guid: str, value: Concurrency, key: CallnumsKey
) -> None:
    request = request_of(agent, guid, value, key)
    headers = dict(request.headers)
    scheme = DOCUMENT["components"]["securitySchemes"]["Guid"]

    assert request.method == "POST"
    assert request.url == BASE + SET.replace("{agentid}", str(agent))
    assert allows("AgentId", str(agent))
    assert (scheme["in"], headers[scheme["name"]]) == ("header", guid)
    assert headers["Content-Type"].partition(";")[0] in DOCUMENT["paths"][SET]["post"]["requestBody"]["content"]
    assert allows("Concurrency", json.loads(request.body))


@given(value=concurrencies, key=callnums_keys)
def test_a_call_of_ours_with_one_number_out_of_bounds_is_one_it_does_not_allow(
    value: Concurrency, key: CallnumsKey
) -> None:
    body = json.loads(request_of(AgentId(1001), "guid", value, key).body)
    channels = body["agentMediaCallNums"]
    first, *rest = channels
    number = str(key)
    worse = [
        {**body, "totalCallNum": 0},
        {**body, "totalCallNum": 61},
        {**body, "totalCallNum": str(value.total)},
        {**body, "agentMediaCallNums": [{**first, number: 61}, *rest]},
        {**body, "agentMediaCallNums": [{**first, number: -1}, *rest]},
        {**body, "agentMediaCallNums": [{**first, "mediaType": 54}, *rest]},
        {**body, "agentMediaCallNums": [{**first, OTHER_SPELLING[number]: 1}, *rest]},
        {"agentMediaCallNums": channels},
        {"totalCallNum": value.total},
    ]
    assert [each for each in worse if allows("Concurrency", each)] == []


def test_the_pages_own_samples_are_allowed() -> None:
    assert allows("Concurrency", json.loads(REFERENCE_REQUEST))
    assert allows("Answer", {"message": "success", "retcode": "0"})


def test_the_pages_own_sample_is_an_example_of_the_description() -> None:
    examples = DOCUMENT["paths"][SET]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert examples["of-the-example"]["value"] == json.loads(REFERENCE_REQUEST)


SESSION = Session(agent=AgentId(1001), guid="guid")
CREDENTIAL = Credential(password="not-a-real-one", phonenum="40038")


@given(
    agent=agent_ids,
    credential=st.builds(Credential, password=st.text(max_size=32), phonenum=st.text(max_size=MAX_PHONENUM)),
    by_force=st.booleans(),
)
def test_a_sign_in_of_ours_is_one_that_the_description_allows(
    agent: AgentId, credential: Credential, by_force: bool
) -> None:
    request = build_sign_in(BASE, agent, credential, by_force=by_force)

    assert allows("SignIn", json.loads(request.body))
    assert dict(request.headers).keys() == {"Content-Type"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (build_sign_in(BASE, SESSION.agent, CREDENTIAL, by_force=False), "signIn"),
        (build_sign_in(BASE, SESSION.agent, CREDENTIAL, by_force=True), "forceSignIn"),
        (build_keep_alive(BASE, SESSION, KeepAlive.POLL), "pollEvents"),
        (build_keep_alive(BASE, SESSION, KeepAlive.HANDSHAKE), "sendHeartbeat"),
        (build_sign_out(BASE, SESSION), "signOut"),
    ],
    ids=["sign-in", "force", "poll", "heartbeat", "sign-out"],
)
def test_a_request_about_a_session_is_an_operation_of_the_description(sent: Request, expected: str) -> None:
    (operation,) = [
        operation
        for path, method, operation in operations()
        if (method, BASE + path.replace("{agentid}", "1001")) == (sent.method, sent.url)
    ]
    assert operation["operationId"] == expected
    assert ("Guid" in dict(sent.headers)) == (operation.get("security") != [])
