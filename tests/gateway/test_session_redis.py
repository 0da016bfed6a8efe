"""Sessions from a real Redis server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gateway.examples import COOKIE, MARKER, words_of
from gateway.redis_servers import PASSWORD, READER, RedisProgram, redis_program
from gateway.servers import free_port
from support.processes import wait_until

from reconciler.errors import ExitCode, InputError, SessionSourceError
from reconciler.gateway import open_source
from reconciler.gateway.sessions import trouble
from reconciler.gateway.sessions.redis_values import MAX_VALUE
from reconciler.model.agent import AgentId
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.session_servers import (
    AgentTemplate,
    FieldPerAgent,
    HashFields,
    HashPerAgent,
    KeyPerAgent,
    RedisAddress,
    RedisLayout,
    RedisSessions,
)
from reconciler.values import replace

KEYS = KeyPerAgent(key=AgentTemplate(text="agent:{agent}:session"))
HASHES = HashPerAgent(
    key=AgentTemplate(text="agent:{agent}"), fields=HashFields(guid="token", cookies="jar", session="loginTime")
)
FLOOR = FieldPerAgent(hash="floor")
ENVIRON = {"REDIS_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProgram]:
    with redis_program(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(server: RedisProgram) -> RedisProgram:
    """The server, empty."""
    server.client.flushall()
    server.client.config_resetstat()
    return server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two times of asking there is nearly no time."""
    monkeypatch.setattr(trouble, "PAUSES", (0.01, 0.01))


def settings(redis: RedisProgram, layout: RedisLayout = KEYS, **rest: Any) -> RedisSessions:
    return RedisSessions(**{"address": RedisAddress(host="127.0.0.1", port=redis.port), "layout": layout, **rest})


def fetch(
    source: RedisSessions, *agents: int, root: Path = Path(), environ: Mapping[str, str] = ENVIRON
) -> Mapping[AgentId, Session | Absent]:
    opened = open_source(source, root=root, environ=environ)
    return asyncio.run(opened.fetch([AgentId(agent) for agent in agents or (1001,)]))


def refusal(source: RedisSessions, *agents: int, root: Path = Path()) -> SessionSourceError:
    with pytest.raises(SessionSourceError) as caught:
        fetch(source, *agents, root=root)
    exc = caught.value
    assert exc.exit_code is ExitCode.SESSION_SOURCE_FAILED
    assert exc.hint
    assert str(exc).isprintable()
    assert str(exc).startswith(f"the Redis server {source.address}")
    for secret in (MARKER, COOKIE, PASSWORD):
        assert secret not in words_of(exc)
    return exc


def session(agent: int, guid: str = MARKER, **rest: Any) -> Session:
    return Session(agent=AgentId(agent), guid=guid, **rest)


# What is read.


def test_a_key_with_the_guid_alone_is_a_session(redis: RedisProgram) -> None:
    redis.client.set("agent:1001:session", MARKER)
    redis.client.set("agent:1002:session", json.dumps(MARKER))

    assert fetch(settings(redis), 1001, 1002, 1003) == {1001: session(1001), 1002: session(1002)}


def test_a_key_with_a_session_as_json_is_a_session(redis: RedisProgram) -> None:
    document = {"guid": MARKER, "cookies": {"JSESSIONID": COOKIE}, "session": "login-1"}
    redis.client.set("agent:1001:session", json.dumps(document))
    redis.client.set("agent:1002:session", json.dumps({"agentId": "1002", **document}))

    expected = {agent: session(agent, cookies={"JSESSIONID": COOKIE}, key="login-1") for agent in (1001, 1002)}
    assert fetch(settings(redis), 1001, 1002) == expected


def test_an_agents_own_hash_is_read_by_its_fields(redis: RedisProgram) -> None:
    full: Mapping[Any, str] = {
        "token": MARKER,
        "jar": f"JSESSIONID={COOKIE}; node=a",
        "loginTime": "1700000000",
        "name": "somebody",
    }
    redis.client.hset("agent:1001", mapping=full)
    redis.client.hset("agent:1002", mapping={"token": "two", "jar": '{"a": "b"}', "loginTime": ""})
    redis.client.hset("agent:1003", mapping={"name": "has signed out"})

    cookies = {"JSESSIONID": COOKIE, "node": "a"}
    assert fetch(settings(redis, HASHES), 1001, 1002, 1003, 1004) == {
        1001: session(1001, cookies=cookies, key="1700000000"),
        1002: session(1002, "two", cookies={"a": "b"}),
    }


def test_of_an_agents_own_hash_the_guid_is_enough(redis: RedisProgram) -> None:
    redis.client.hset("agent:1001", mapping={"guid": MARKER})
    layout = HashPerAgent(key=AgentTemplate(text="agent:{agent}"), fields=HashFields())

    assert fetch(settings(redis, layout)) == {1001: session(1001)}


def test_a_hash_with_a_field_for_each_agent_is_read(redis: RedisProgram) -> None:
    redis.client.hset("floor", mapping={"1001": MARKER, "1002": json.dumps({"guid": "two"}), "1004": ""})

    assert fetch(settings(redis, FLOOR), 1001, 1002, 1003, 1004) == {1001: session(1001), 1002: session(1002, "two")}


def test_the_field_of_an_agent_may_have_another_name(redis: RedisProgram) -> None:
    redis.client.hset("floor", mapping={"a1001": MARKER})
    layout = FieldPerAgent(hash="floor", field=AgentTemplate(text="a{agent}"))

    assert fetch(settings(redis, layout)) == {1001: session(1001)}


def test_other_braces_of_a_key_stay(redis: RedisProgram) -> None:
    redis.client.set("{floor}:1001", MARKER)

    assert fetch(settings(redis, KeyPerAgent(key=AgentTemplate(text="{floor}:{agent}")))) == {1001: session(1001)}


def test_an_empty_value_is_no_session(redis: RedisProgram) -> None:
    redis.client.set("agent:1001:session", "")

    assert fetch(settings(redis)) == {}


@pytest.mark.parametrize("layout", [KEYS, HASHES, FLOOR], ids=["keys", "hashes", "hash"])
def test_an_empty_server_knows_nobody(redis: RedisProgram, layout: RedisLayout) -> None:
    assert fetch(settings(redis, layout), 1001, 1002) == {}


def test_a_database_is_chosen_by_its_number(redis: RedisProgram) -> None:
    redis.client.set("agent:1001:session", MARKER)
    redis.client.move("agent:1001:session", 3)
    address = RedisAddress(host="localhost", port=redis.port, database=3)

    assert fetch(settings(redis, address=address)) == {1001: session(1001)}
    assert fetch(settings(redis)) == {}


@pytest.mark.parametrize(
    ("layout", "commands"),
    [(KEYS, {"getrange": 500}), (HASHES, {"hmget": 500}), (FLOOR, {"hmget": 1})],
    ids=["keys", "hashes", "hash"],
)
def test_a_batch_is_one_connection_and_nothing_but_its_reads(
    redis: RedisProgram, layout: RedisLayout, commands: dict[str, int]
) -> None:
    assert fetch(settings(redis, layout), *range(1001, 1501), 1001) == {}

    called = redis.commands()
    own = ("config|resetstat", "info")
    assert {name: count for name, count in called.items() if name not in own} == {"client|setname": 1, **commands}
    assert redis.client.info("stats")["total_connections_received"] == 1


def test_nobody_asked_for_is_nothing_asked(redis: RedisProgram) -> None:
    source = open_source(settings(redis), root=Path(), environ={})

    assert asyncio.run(source.fetch([])) == {}
    assert "getrange" not in redis.commands()


def test_a_value_is_read_anew_at_every_fetch(redis: RedisProgram) -> None:
    source = open_source(settings(redis), root=Path(), environ={})
    for guid in ("one", "two"):
        redis.client.set("agent:1001:session", guid)
        assert asyncio.run(source.fetch([AgentId(1001)])) == {1001: session(1001, guid)}


# Who may read.


def test_a_user_who_may_only_read_the_sessions_is_enough(redis: RedisProgram) -> None:
    redis.client.set("agent:1001:session", MARKER)
    redis.client.hset("agent:1001", "token", MARKER)
    redis.client.hset("floor", "1001", MARKER)
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("env:REDIS_PASSWORD")}

    for layout in (KEYS, HASHES, FLOOR):
        assert fetch(settings(redis, layout, **user)) == {1001: session(1001)}


def test_a_connection_says_its_name(redis: RedisProgram) -> None:
    redis.client.config_set("slowlog-log-slower-than", 0)
    redis.client.slowlog_reset()

    fetch(settings(redis, client_name="floor-7"))

    redis.client.config_set("slowlog-log-slower-than", 10_000)
    named = [entry for entry in redis.client.slowlog_get(50) if entry["command"].startswith(b"GETRANGE")]
    assert [entry["client_name"] for entry in named] == [b"floor-7"]


def test_a_password_with_odd_characters_is_read_from_its_file(redis: RedisProgram, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("file:password")}

    assert fetch(settings(redis, **user), root=tmp_path) == {}


def test_a_missing_password_fails_before_anything_is_asked(redis: RedisProgram) -> None:
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("env:REDIS_PASSWORD")}

    with pytest.raises(SessionSourceError) as caught:
        open_source(settings(redis, **user), root=Path(), environ={})

    assert str(caught.value) == "sessions.password: env:REDIS_PASSWORD: the environment variable is not set"


def test_a_wrong_password_is_told(redis: RedisProgram, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wr0ng-password")
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("file:password")}

    exc = refusal(settings(redis, **user), root=tmp_path)

    assert "refused the user or the password" in str(exc)
    assert "wr0ng-password" not in words_of(exc)


@pytest.mark.parametrize("layout", [KEYS, HASHES, FLOOR], ids=["keys", "hashes", "hash"])
def test_a_user_who_may_not_read_is_told_what_to_allow(redis: RedisProgram, layout: RedisLayout) -> None:
    user: dict[str, Any] = {"username": "idle", "password": SecretReference.parse("env:REDIS_PASSWORD")}

    exc = refusal(settings(redis, layout, **user))

    assert "does not allow this user to read" in str(exc)
    assert "GETRANGE" in exc.hint


def test_keys_outside_a_users_own_are_told(redis: RedisProgram) -> None:
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("env:REDIS_PASSWORD")}

    exc = refusal(settings(redis, KeyPerAgent(key=AgentTemplate(text="other:{agent}")), **user))

    assert "does not allow this user to read" in str(exc)


def test_a_password_for_a_server_without_one_is_told(redis: RedisProgram) -> None:
    exc = refusal(settings(redis, password=SecretReference.parse("env:REDIS_PASSWORD")))

    assert "has no password for its default user" in str(exc)


def test_a_server_that_wants_a_password_is_told(tmp_path: Path) -> None:
    with redis_program(tmp_path / "redis", password="default-secret") as locked:
        assert "wants a password" in str(refusal(settings(locked)))

        locked.client.set("agent:1001:session", MARKER)
        known = settings(locked, password=SecretReference.parse("env:P"))
        assert fetch(known, environ={"P": "default-secret"}) == {1001: session(1001)}


def test_a_database_that_is_not_there_is_told(redis: RedisProgram) -> None:
    address = RedisAddress(host="127.0.0.1", port=redis.port, database=99)

    assert "has no database 99" in str(refusal(settings(redis, address=address)))


# TLS.


def test_sessions_come_over_tls(redis: RedisProgram, ca_file: Path) -> None:
    redis.client.set("agent:1001:session", MARKER)
    address = RedisAddress(host="localhost", port=redis.tls_port, tls=True)

    assert fetch(settings(redis, address=address, ca_file=str(ca_file))) == {1001: session(1001)}


def test_an_authority_that_is_not_trusted_ends_it(redis: RedisProgram) -> None:
    address = RedisAddress(host="localhost", port=redis.tls_port, tls=True)

    exc = refusal(settings(redis, address=address))

    assert "certificate that is not signed by a trusted authority" in str(exc)
    assert "sessions.ca_file" in exc.hint


def test_a_certificate_for_another_name_ends_it(redis: RedisProgram, ca_file: Path) -> None:
    address = RedisAddress(host="127.0.0.2", port=redis.tls_port, tls=True)
    redis.client.config_set("bind", "127.0.0.1 127.0.0.2")

    exc = refusal(settings(redis, address=address, ca_file=str(ca_file)))

    assert "a certificate for another name" in str(exc)


def test_tls_on_the_plain_port_is_told(redis: RedisProgram, ca_file: Path) -> None:
    address = RedisAddress(host="localhost", port=redis.port, tls=True)

    exc = refusal(settings(redis, address=address, ca_file=str(ca_file), timeout=0.5))

    assert "came to no TLS connection within 0.5 s" in str(exc)
    assert "the one for TLS" in exc.hint


@pytest.mark.usefixtures("impatient")
def test_the_tls_port_without_tls_is_told(redis: RedisProgram) -> None:
    exc = refusal(settings(redis, address=RedisAddress(host="localhost", port=redis.tls_port)))

    assert "broke the connection off" in str(exc)
    assert "a port for TLS wants rediss://" in exc.hint


def test_a_ca_file_that_is_missing_is_named_as_sessions_own(redis: RedisProgram) -> None:
    address = RedisAddress(host="localhost", port=redis.tls_port, tls=True)

    with pytest.raises(InputError, match=r"sessions\.ca_file absent\.pem cannot be read") as caught:
        open_source(settings(redis, address=address, ca_file="absent.pem"), root=Path(), environ={})
    assert "gateway" not in caught.value.hint


# What is refused.


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(f"{MARKER}\n", "guid is not text of 1 to 512 printable", id="line-break"),
        pytest.param(f"{MARKER}\r\nCookie: a=b", "guid is not text of 1 to 512 printable", id="header-injection"),
        pytest.param(f"{MARKER} ", "guid is not text", id="blank"),
        pytest.param("\u202e" + MARKER, "guid is not text", id="bidirectional-mark"),
        pytest.param(b"\xff\xfe" + MARKER.encode(), "is not UTF-8 text", id="bytes"),
        pytest.param(b"\xac\xed\x00\x05t\x00\x10", "is not UTF-8 text", id="serialised-java"),
        pytest.param("x" * 513, "guid is not text of 1 to 512", id="long"),
        pytest.param("x" * (MAX_VALUE + 1), "is larger than 16 KiB", id="large"),
        pytest.param("x" * 5_000_000, "is larger than 16 KiB", id="huge"),
        pytest.param(f'{{"guid": "{MARKER}"', "begins like JSON, but is not JSON (line 1, column", id="cut-json"),
        pytest.param('{"guid": 7}', "guid is not text", id="number"),
        pytest.param("{}", "has no guid", id="no-guid"),
        pytest.param(f'{{"Guid": "{MARKER}"}}', "(did you mean guid?)", id="misspelt"),
        pytest.param(f'{{"guid": "a", "guid": "{MARKER}"}}', "has a key twice", id="key-twice"),
        pytest.param(f'{{"agentId": "1002", "guid": "{MARKER}"}}', "is the session of another agent", id="another"),
        pytest.param(f'{{"agentId": true, "guid": "{MARKER}"}}', "agentId is not a whole number", id="agent-true"),
        pytest.param(f'{{"guid": "{MARKER}", "session": "{MARKER}"}}', "session repeats the guid", id="guid-as-key"),
        pytest.param(f'{{"guid": "a", "cookies": {{"a b": "{COOKIE}"}}}}', "a cookie's name", id="cookie-name"),
        pytest.param("{" * 5_000, "begins like JSON, but", id="nested"),
    ],
)
@pytest.mark.parametrize("layout", [KEYS, FLOOR], ids=["key", "field"])
def test_a_value_that_is_no_session_is_refused_with_its_place(
    redis: RedisProgram, layout: RedisLayout, value: str | bytes, words: str
) -> None:
    redis.client.set("agent:1001:session", value)
    redis.client.set("agent:1002:session", "two")
    redis.client.hset("floor", mapping={"1001": value, "1002": "two"})

    exc = refusal(settings(redis, layout), 1002, 1001)

    assert words in str(exc)
    assert ("key agent:1001:session: " if layout is KEYS else "hash floor, field 1001: ") in str(exc)
    assert "--exclude-agent 1001" in exc.hint


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"token": f"{MARKER}\n"}, "guid is not text", id="guid"),
        pytest.param({"token": MARKER, "jar": "a"}, "cookies are not an object", id="no-cookies"),
        pytest.param({"token": MARKER, "jar": f"a={COOKIE}\x00"}, "a cookie's value", id="cookie-value"),
        pytest.param({"token": MARKER, "jar": f"a=1; a={COOKIE}"}, "cookies have a name twice", id="cookie-twice"),
        pytest.param({"token": MARKER, "loginTime": MARKER}, "session repeats the guid", id="guid-as-key"),
        pytest.param({"token": MARKER, "loginTime": "x" * 129}, "session is not text of 1 to 128", id="long-key"),
        pytest.param({"token": MARKER, "loginTime": "\x1b[2J"}, "session is not text", id="escape-sequence"),
        pytest.param({"token": "x" * 100_000}, "is larger than 16 KiB", id="large"),
    ],
)
def test_a_hash_that_is_no_session_is_refused_with_its_place(
    redis: RedisProgram, fields: Mapping[Any, str], words: str
) -> None:
    redis.client.hset("agent:1001", mapping=fields)

    exc = refusal(settings(redis, HASHES))

    assert f"key agent:1001: {words}" in str(exc)


def test_a_key_of_another_type_is_refused_and_not_taken_for_nobody(redis: RedisProgram) -> None:
    redis.client.hset("agent:1001:session", "guid", MARKER)
    redis.client.set("agent:1001", MARKER)
    redis.client.rpush("floor", MARKER)

    assert "key agent:1001:session: is not a string" in str(refusal(settings(redis)))
    assert "key agent:1001: is not a hash" in str(refusal(settings(redis, HASHES)))
    assert "hash floor, field 1001: is not a hash" in str(refusal(settings(redis, FLOOR)))


def test_a_key_is_shown_escaped(redis: RedisProgram) -> None:
    redis.client.set("::error::1001\x1b", "no guid")

    exc = refusal(settings(redis, KeyPerAgent(key=AgentTemplate(text="::error::{agent}\x1b"))))

    assert "key \\x3a:error::1001\\x1b: guid is not text" in str(exc)


# A server that is not well.


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_is_told(redis: RedisProgram) -> None:
    down = settings(redis, address=RedisAddress(host="127.0.0.1", port=free_port()))

    exc = refusal(down)

    assert "refused the connection" in str(exc)
    assert "sessions.url" in exc.hint


def test_a_host_without_an_address_is_told(redis: RedisProgram) -> None:
    exc = refusal(settings(redis, address=RedisAddress(host="redis.invalid"), timeout=30.0))

    assert "cannot be" in str(exc)


def test_a_server_that_hangs_is_left_after_the_timeout(tmp_path: Path) -> None:
    with redis_program(tmp_path / "redis") as frozen:
        os.kill(frozen.process.pid, signal.SIGSTOP)
        exc = refusal(settings(frozen, timeout=0.3))

    assert str(exc).endswith("gave no whole answer within 0.3 s")
    assert "sessions.timeout" in exc.hint


def test_a_server_that_restarts_is_asked_again(redis: RedisProgram, tmp_path: Path) -> None:
    with redis_program(tmp_path / "redis") as down:
        port = down.port
    again = replace(settings(redis), address=RedisAddress(host="127.0.0.1", port=port))
    source = open_source(again, root=Path(), environ={})

    async def fetch_while_it_starts() -> Mapping[AgentId, Session | Absent]:
        asking = asyncio.ensure_future(source.fetch([AgentId(1001)]))
        await asyncio.sleep(0.2)
        started = await asyncio.to_thread(lambda: redis.client.config_set("port", port))
        assert started
        return await asking

    try:
        redis.client.set("agent:1001:session", MARKER)
        assert asyncio.run(fetch_while_it_starts()) == {1001: session(1001)}
    finally:
        redis.client.config_set("port", redis.port)
        wait_until(redis.answers)


@pytest.mark.parametrize("layout", [KEYS, HASHES, FLOOR], ids=["keys", "hashes", "hash"])
def test_a_source_shows_no_secret(redis: RedisProgram, layout: RedisLayout) -> None:
    user: dict[str, Any] = {"username": READER, "password": SecretReference.parse("env:REDIS_PASSWORD")}
    source = open_source(settings(redis, layout, **user), root=Path(), environ=ENVIRON)

    assert PASSWORD not in f"{source!r} {vars(source)}"
