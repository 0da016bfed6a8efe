from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.loopback import is_loopback
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session_servers import (
    AgentTemplate,
    FieldPerAgent,
    HttpSessions,
    KeyPerAgent,
    RedisAddress,
    RedisSessions,
)
from reconciler.model.session_settings import CommandSessions, SessionUse

KEYS = KeyPerAgent(key=AgentTemplate(text="agent:{agent}"))
PLAIN = RedisAddress(host="redis.example")


@pytest.mark.parametrize("age", [0, -1.0, float("nan"), float("inf"), True])
def test_an_age_that_is_none_is_refused(age: float) -> None:
    with pytest.raises(ValueError, match="max_age"):
        SessionUse(max_age=age)


@pytest.mark.parametrize("batch", [0, 1001, True, 1.0])
def test_a_batch_that_is_none_is_refused(batch: Any) -> None:
    with pytest.raises(ValueError, match="batch"):
        SessionUse(batch=batch)


@pytest.mark.parametrize("batch", [None, 1, 1000])
def test_a_batch_at_its_limits_is_taken(batch: int | None) -> None:
    assert SessionUse(batch=batch).batch == batch


@pytest.mark.parametrize("timeout", [0, -1.0, float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        CommandSessions(command=("a",), timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        RedisSessions(address=PLAIN, layout=KEYS, timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        HttpSessions(url="https://broker.example", timeout=timeout)


def test_a_user_without_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="username needs a password"):
        RedisSessions(address=PLAIN, layout=KEYS, username="reader")


def test_an_authority_without_tls_is_refused() -> None:
    with pytest.raises(ValueError, match="ca_file is for rediss"):
        RedisSessions(address=PLAIN, layout=KEYS, ca_file="ca.pem")


def test_a_template_gives_each_agent_a_text_of_its_own() -> None:
    assert AgentTemplate(text="{{agent}}:{agent}").of(1001) == "{1001}:1001"
    assert FieldPerAgent(hash="floor").field.of(1001) == "1001"


@pytest.mark.parametrize("text", ["", "agent", "{Agent}", "{agent", "{ agent }"])
def test_a_template_without_a_place_for_the_agent_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must hold \{agent\}"):
        AgentTemplate(text=text)


def test_settings_as_text_show_references_and_no_secret() -> None:
    settings = RedisSessions(address=PLAIN, layout=KEYS, password=SecretReference.parse("command:pass hunter2"))

    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *[(host, True) for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1")],
        *[(host, False) for host in ("", "localhost.example", "10.0.0.1", "::", "redis", "127.1")],
    ],
)
def test_this_machine_is_known_by_its_name_and_addresses(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
