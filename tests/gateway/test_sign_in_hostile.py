"""Signing in at a server that answers what no gateway should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway.examples import NUMBERS, access_to
from gateway.servers import answer, local_tls, serve

from reconciler.gateway import (
    REPLIES,
    GatewayAccess,
    GatewayClient,
    SessionSource,
    SignInAccess,
    build_request,
    open_source,
)
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.sign_in_settings import SignInSessions

AGENT = AgentId(1001)
PASSWORD = "open-sesame"


def signing_in(
    url: str, ca_file: Path, *, password: str = PASSWORD
) -> tuple[SessionSource, GatewayAccess, GatewaySettings]:
    settings = GatewaySettings(url=url, requests_per_second=1000, timeout=2)
    access = access_to(settings, ca_file)
    allowed = SignInAccess(gateway=settings, access=access, table=REPLIES, now=lambda: "2025-03-01T12:00:00Z")
    sessions = SignInSessions(credentials=SecretReference.parse("env:CREDENTIALS"), timeout=2)
    environ = {"CREDENTIALS": json.dumps({"*": {"password": password, "phonenum": "4"}})}
    return open_source(sessions, root=ca_file.parent, environ=environ, sign_in=allowed), access, settings


def meet(
    ca_file: Path, body: bytes, *headers: str, password: str = PASSWORD, status: str = "200 OK"
) -> tuple[Session | Absent, list[str], list[bytes]]:
    """Sign an agent in at a server that always answers this; return the answer, the warnings and the requests."""

    async def main() -> tuple[Session | Absent, SessionSource, list[bytes]]:
        async with serve(answer(body, status, *headers), local_tls()) as server:
            source, _, _ = signing_in(server.url, ca_file, password=password)
            try:
                return (await source.fetch([AGENT]))[AGENT], source, server.requests
            finally:
                await source.close()

    told, source, requests = asyncio.run(main())
    return told, [each.code for each in source.warnings()], requests


def said(retcode: str, message: str) -> bytes:
    return json.dumps({"retcode": retcode, "message": message}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param(("Set-GUID: JSESSIONID=two words",), id="with-a-blank"),
        pytest.param((f"Set-GUID: JSESSIONID={'a' * 600}",), id="too-long"),
        pytest.param(("Set-GUID: JSESSIONID=a", "Set-GUID: JSESSIONID=b"), id="two"),
    ],
)
def test_a_sign_in_without_a_guid_that_can_be_used_is_told_and_nobody_else_is_left_so(
    ca_file: Path, headers: tuple[str, ...]
) -> None:
    told, warnings, requests = meet(ca_file, said("0", "success"), *headers)

    assert isinstance(told, Absent)
    assert (told.retcode, told.ends_run) == (None, True)
    assert "Set-GUID" in told.message
    assert (warnings, len(requests)) == (["maybe-signed-in"], 1)


@pytest.mark.parametrize("in_another_case", [str, str.upper], ids=["as-it-is", "in-capitals"])
@pytest.mark.parametrize("password", [PASSWORD, "OPEN-sesame", "abc", "1"])
def test_a_server_that_repeats_the_password_gets_no_word_of_its_own_told(
    ca_file: Path, password: str, in_another_case: Callable[[str], str]
) -> None:
    told, _, _ = meet(ca_file, said("100-001", f"bad: {in_another_case(password)}!"), password=password)

    assert isinstance(told, Absent)
    assert "bad:" not in told.message
    assert "sign-in parameter" in told.message


def test_the_gateways_own_words_are_told_where_they_hold_no_secret(ca_file: Path) -> None:
    told, _, _ = meet(ca_file, said("100-001", "no such\x1b[2J phone"), password="abc")

    assert isinstance(told, Absent)
    assert 'the gateway says "no such\\x1b[2J phone"' in told.message


@pytest.mark.parametrize(
    ("body", "status", "doubt"),
    [
        pytest.param(b"<html>please sign in</html>", "200 OK", True, id="html"),
        pytest.param(b"", "200 OK", True, id="nothing"),
        pytest.param(b"bad gateway", "502 Bad Gateway", True, id="502"),
        pytest.param(b"slow down", "429 Too Many Requests", False, id="429"),
    ],
)
def test_an_answer_that_is_none_is_asked_for_three_times_and_told_with_its_doubt(
    ca_file: Path, body: bytes, status: str, doubt: bool
) -> None:
    told, warnings, requests = meet(ca_file, body, status=status)

    assert isinstance(told, Absent)
    assert told.message.startswith("signing in: ")
    assert "values" not in told.message
    assert len(requests) == 3
    assert warnings == (["maybe-signed-in"] if doubt else [])


@pytest.mark.parametrize("status", ["302 Found", "401 Unauthorized", "404 Not Found"])
def test_a_site_that_has_no_such_interface_is_asked_once(ca_file: Path, status: str) -> None:
    told, warnings, requests = meet(ca_file, b"", "Location: https://elsewhere.example/", status=status)

    assert isinstance(told, Absent)
    assert (warnings, len(requests)) == ([], 1)


def test_what_one_request_made_a_secret_is_shown_in_the_answer_to_no_other(ca_file: Path) -> None:
    guid = "aa8e92f0d1c3b4a5"
    answers = {
        b"PUT /agentgateway/resource/onlineagent/1001": answer(said("0", ""), "200 OK", f"Set-GUID: JSESSIONID={guid}"),
        b"PUT /agentgateway/resource/onlineagent/1002": answer(said("100-010", f"not while {guid} is there")),
        b"POST /agentgateway/resource/mediacall/1001": answer(said("106-011", f"not with {PASSWORD}")),
        b"DELETE /agentgateway/resource/onlineagent/1001": answer(said("100-005", f"not with {PASSWORD}")),
    }

    async def main() -> list[str]:
        async def speak(writer: asyncio.StreamWriter) -> None:
            (manner,) = (answers[head] for head in answers if server.requests[-1].startswith(head))
            await manner(writer)

        async with serve(speak, local_tls()) as server:
            source, access, settings = signing_in(server.url, ca_file)
            sessions = {**await source.fetch([AGENT]), **await source.fetch([AgentId(1002)])}
            session, absent = sessions[AGENT], sessions[AgentId(1002)]
            assert isinstance(session, Session)
            assert isinstance(absent, Absent)
            async with GatewayClient(settings, access=access) as client:
                verdict = await client.call(build_request(server.url, session, NUMBERS, CallnumsKey.CAMEL))
            await source.close()
        (left,) = (each.summary for each in source.warnings() if each.code == "left-signed-in")
        return [absent.message, verdict.message, left]

    told = asyncio.run(main())

    assert [text for text in told if "withheld" not in text] == []
    assert [secret for secret in (guid, PASSWORD) if secret in "".join(told)] == []
