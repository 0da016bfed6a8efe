"""Credentials for signing in: strict, and no error quotes one."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.signin.credentials import Credential, parse_credentials
from reconciler.model.agent import AgentId

SECRET = "hunter2-hunter2"


def found(document: object, agent: int = 1001) -> Credential | None:
    return parse_credentials(json.dumps(document), origin="the credentials").of(AgentId(agent))


def test_an_agent_signs_in_with_their_own_password_and_number() -> None:
    document = {"1001": {"password": "one", "phonenum": "40001"}, "1002": {"password": "two", "phonenum": "40002"}}

    assert found(document) == Credential(password="one", phonenum="40001")
    assert found(document, 1002) == Credential(password="two", phonenum="40002")
    assert found(document, 1003) is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({"*": {"password": "all", "phonenum": "4"}}, ("all", "4"), id="nothing-of-ones-own"),
        pytest.param({"*": {"password": "all", "phonenum": "4{agent}"}}, ("all", "41001"), id="the-id-in-the-number"),
        pytest.param({"*": {"password": "all"}, "1001": {"phonenum": "40038"}}, ("all", "40038"), id="own-number"),
        pytest.param(
            {"*": {"password": "all", "phonenum": "4"}, "1001": {"password": "own"}}, ("own", "4"), id="own-password"
        ),
        pytest.param({"1001": {"password": "", "phonenum": ""}}, ("", ""), id="empty-is-a-value"),
        pytest.param({"1001": {"password": "{agent}", "phonenum": "{agent}"}}, ("{agent}", "{agent}"), id="own-is-own"),
    ],
)
def test_the_entry_for_everybody_gives_what_an_agents_own_leaves_out(
    document: object, expected: tuple[str, str]
) -> None:
    credential = found(document)

    assert credential is not None
    assert (credential.password, credential.phonenum) == expected


@pytest.mark.parametrize("document", [{}, {"1001": {"password": SECRET}}, {"*": {"phonenum": "4"}}])
def test_an_agent_of_whom_half_is_known_cannot_sign_in(document: object) -> None:
    assert found(document) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(f'{{"1001": "{SECRET}"', "is not JSON (line 1, column", id="cut-short"),
        pytest.param(f'["{SECRET}"]', "not an object", id="array"),
        pytest.param(f'"{SECRET}"', "not an object", id="text"),
        pytest.param(f'{{"{SECRET}": {{}}}}', "entry 1: its name is neither an agent id", id="bad-name"),
        pytest.param(f'{{"100": {{"password": "{SECRET}"}}}}', "agent 100: its name is neither", id="id-too-small"),
        pytest.param(f'{{"1001": {{}}, "1001": {{"password": "{SECRET}"}}}}', "has an agent twice", id="agent-twice"),
        pytest.param(f'{{"1001": "{SECRET}"}}', "agent 1001: is not an object", id="bare-password"),
        pytest.param(
            f'{{"1001": {{"password": "{SECRET}", "password": "x"}}}}', "agent 1001: has a key twice", id="key-twice"
        ),
        pytest.param(f'{{"1001": {{"{SECRET}": "x"}}}}', "agent 1001: has a key other than", id="unknown-key"),
        pytest.param(f'{{"1001": {{"password": ["{SECRET}"]}}}}', "password is not text", id="password-no-text"),
        pytest.param(f'{{"1001": {{"password": "{SECRET * 3}"}}}}', "at most 32 characters", id="password-too-long"),
        pytest.param(
            f'{{"*": {{"phonenum": "{SECRET} 1"}}}}', 'entry "*": phonenum is not text', id="number-with-blank"
        ),
        pytest.param(f'{{"1001": {{"phonenum": "{SECRET * 2}"}}}}', "at most 24", id="number-too-long"),
        pytest.param('{"1001": {"phonenum": 40038}}', "phonenum is not text", id="number-no-text"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(f'{{"1001": {"9" * 5000}}}', "a number that is too long", id="long-number"),
    ],
)
def test_credentials_that_break_a_rule_are_refused_without_quoting_them(text: str, words: str) -> None:
    with pytest.raises(SessionSourceError) as refusal:
        parse_credentials(text, origin="the credentials")

    told = f"{refusal.value} {refusal.value.hint}"
    assert str(refusal.value).startswith("the credentials")
    assert words in told
    assert SECRET not in told
    assert refusal.value.__cause__ is None
    assert SECRET not in repr(refusal.value.__context__)


@given(st.text())
def test_whatever_stands_there_is_read_or_refused_and_never_a_traceback(text: str) -> None:
    with contextlib.suppress(SessionSourceError):
        assert parse_credentials(text, origin="the credentials").of(AgentId(1001)) is None
