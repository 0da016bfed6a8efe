"""docs/sessions.md is true: its settings are read, its examples are sessions, its failures are what is said."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gateway.redis_servers import RedisProgram, redis_program
from gateway.servers import Manner, answer, authority, free_port, local_tls, serve

from reconciler.desired import load
from reconciler.errors import SessionSourceError
from reconciler.gateway import open_source
from reconciler.gateway.sessions import trouble
from reconciler.model.agent import AgentId
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.session_servers import RedisAddress, RedisSessions
from reconciler.model.session_settings import CommandSessions
from reconciler.model.session_sources import SessionSettings
from reconciler.values import replace

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
BLOCKS = [(kind, text) for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)]
ROWS = TEXT.partition("| it says | and means |\n")[2].partition("\n\n")[0].splitlines()[1:]
FAILURES = [row.split("|")[1].strip().strip("`") for row in ROWS]
GUID, OTHER = "aa8e92f0d1c3b4a5.AgentGateway0", "bb8e92f0d1c3b4a5.AgentGateway0"
ENVIRON = {"REDIS_PASSWORD": "a-long-password", "BROKER_TOKEN": "t0ken"}

Sessions = Mapping[AgentId, Session | Absent]


def blocks(kind: str, *holding: str) -> list[str]:
    return [text for known, text in BLOCKS if known == kind and all(each in text for each in holding)]


def settings(root: Path, section: str) -> SessionSettings:
    """What the real reader makes of a `sessions` section."""
    root.mkdir(exist_ok=True)
    (root / "site.yaml").write_text(f"name: doc\ngateway: {{url: 'https://gateway.example:8043'}}\n{section}\n")
    (root / "fleet.yaml").write_text("agents: {1001: {total: 5, channels: {web_chat: 3}}}\n")
    loaded = load(root)
    assert loaded.diagnostics == ()
    assert loaded.desired is not None
    return loaded.desired.site.sessions


def fetch(source: SessionSettings, root: Path, environ: Mapping[str, str] = ENVIRON) -> Sessions:
    opened = open_source(source, root=root, environ=environ)
    return asyncio.run(opened.fetch([AgentId(1001), AgentId(1002), AgentId(1003)]))


def session(agent: int, guid: str, **rest: Any) -> Session:
    return Session(agent=AgentId(agent), guid=guid, **rest)


@pytest.mark.parametrize("section", blocks("yaml"), ids=lambda text: text.splitlines()[0])
def test_the_settings_are_valid(tmp_path: Path, section: str) -> None:
    settings(tmp_path, section)


def test_every_source_of_the_schema_has_a_section_and_an_example() -> None:
    schema = json.loads((ROOT / "schemas" / "site.schema.json").read_text())
    sources = schema["properties"]["sessions"]["properties"]["source"]["enum"]
    listed = re.findall(r"^\| \[`(\w+)`\]", TEXT, re.MULTILINE)

    assert sorted(sources) == sorted(listed)
    assert [source for source in sources if source != "signin" and not blocks("yaml", f"source: {source}")] == []


def test_every_setting_of_the_sources_stands_in_an_example() -> None:
    schema = json.loads((ROOT / "schemas" / "site.schema.json").read_text())
    known = {
        key
        for rule in schema["properties"]["sessions"]["allOf"]
        for key in rule["then"].get("propertyNames", {}).get("enum", ())
        if rule["if"]["properties"]["source"]["const"] != "signin"
    }
    shown = "\n".join(blocks("yaml"))

    assert [key for key in sorted(known) if f"{key}: " not in shown] == []


def test_the_session_and_the_csv_are_sessions(tmp_path: Path) -> None:
    (document,) = blocks("json", "agentId")
    (csv,) = blocks("csv")
    (tmp_path / "sessions.json").write_text(f"[{document}]")
    (tmp_path / "sessions.csv").write_text(csv)

    first = session(1001, GUID, cookies={"JSESSIONID": "n1-7c"}, key="login-1700000000")
    assert fetch(settings(tmp_path, "sessions: {source: file, path: sessions.json}"), tmp_path) == {1001: first}
    assert fetch(settings(tmp_path, "sessions: {source: file, path: sessions.csv}"), tmp_path) == {
        1001: session(1001, GUID, cookies={"JSESSIONID": "n1-7c", "route": "n1"}, key="login-1700000000"),
        1002: session(1002, OTHER),
    }


def test_the_command_answers_as_described(tmp_path: Path) -> None:
    (program,) = blocks("python")
    (section,) = blocks("yaml", "source: command")
    (tmp_path / program.splitlines()[0].removeprefix("# ")).write_text(program)
    (tmp_path / "floor.json").write_text(json.dumps({"1001": {"token": GUID, "since": "9:00"}}))
    source = settings(tmp_path, section)
    assert isinstance(source, CommandSessions)
    here = CommandSessions(command=(sys.executable, *source.command[1:]), timeout=30.0)

    assert fetch(here, tmp_path) == {1001: session(1001, GUID, key="9:00")}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProgram]:
    with redis_program(tmp_path_factory.mktemp("redis")) as running:
        (grant,) = blocks("redis", "ACL SETUSER")
        tell(running, grant)
        yield running


def tell(redis: RedisProgram, commands: str) -> None:
    for line in commands.splitlines():
        redis.client.execute_command(*shlex.split(line))  # type: ignore[no-untyped-call]  # the library's


FILLED = {
    "SET agent": {1001: session(1001, GUID), 1002: session(1002, OTHER, key="login-1700000000")},
    "HSET agent": {1001: session(1001, GUID, cookies={"JSESSIONID": "n1-7c"}, key="1700000000")},
    "HSET cc:": {1001: session(1001, GUID), 1002: session(1002, OTHER)},
}
LAYOUTS = list(zip(blocks("yaml", "source: redis"), FILLED, strict=True))


@pytest.mark.parametrize(("section", "filling"), LAYOUTS, ids=list(FILLED))
def test_each_layout_of_redis_is_read_by_the_user_with_the_rights_shown(
    tmp_path: Path, redis: RedisProgram, section: str, filling: str
) -> None:
    (commands,) = (text for text in blocks("redis") if text.startswith(filling))
    tell(redis, "FLUSHALL")
    tell(redis, commands)
    shown = settings(tmp_path, section)
    assert isinstance(shown, RedisSessions)
    (tmp_path / "redis-ca.pem").write_bytes(authority().cert_pem.bytes())
    here = replace(
        shown,
        address=RedisAddress(host="localhost", port=redis.tls_port, tls=True),
        username="reconciler",
        password=SecretReference.parse("env:REDIS_PASSWORD"),
        ca_file="redis-ca.pem",
    )

    assert fetch(here, tmp_path) == FILLED[filling]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_broker_is_asked_as_shown(tmp_path: Path, ca_file: Path, method: str) -> None:
    (shown,) = (text for text in blocks("http") if text.startswith(method))

    async def go() -> bytes:
        async with serve(answer(b"[]"), local_tls()) as server:
            section = f"{{source: http, url: '{server.url}/sessions', method: {method}, ca_file: '{ca_file}'"
            source = settings(tmp_path, f"sessions: {section}, token: 'env:BROKER_TOKEN'}}")
            opened = open_source(source, root=tmp_path, environ=ENVIRON)
            await opened.fetch([AgentId(1001), AgentId(1002)])
            return server.requests[0]

    sent = asyncio.run(go()).decode().replace("\r\n", "\n").replace("t0ken", "…")
    for line in shown.splitlines():
        assert line in sent.splitlines()


# The table of failures: each row is made to happen here.


def failure(source: SessionSettings, root: Path, environ: Mapping[str, str] = ENVIRON) -> str:
    with pytest.raises(SessionSourceError) as caught:
        fetch(source, root, environ)
    return str(caught.value)


def of_section(section: str) -> Callable[[Path], str]:
    return lambda root: failure(settings(root, f"sessions: {section}"), root, environ={})


def of_a_bad_file(root: Path) -> str:
    (root / "sessions.json").write_text('[{"agentId": "1001", "guid": "a"}, {"agentId": "1002", "guid": "b c"}]')
    return of_section("{source: file, path: sessions.json}")(root)


def of_a_failing_command(root: Path) -> str:
    program = root / "python3"
    program.write_text("#!/bin/sh\necho no route to the floor >&2; exit 1\n")
    program.chmod(0o755)
    return of_section("{source: command, command: [./python3]}")(root).replace("./python3", "python3")


def of_redis(root: Path, redis: RedisProgram | int, login: str = "") -> str:
    port = redis if isinstance(redis, int) else redis.port
    section = f"{{source: redis, url: 'redis://127.0.0.1:{port}/0', key: 'agent:{{agent}}:session'{login}}}"
    return failure(settings(root, f"sessions: {section}"), root).replace(str(port), "6379")


def of_a_redis_that_is_down(root: Path) -> str:
    return of_redis(root, free_port())


def of_a_redis_that_wants_a_password(root: Path) -> str:
    with redis_program(root / "redis", password="default") as locked:
        return of_redis(root, locked)


def of_a_redis(login: str, *commands: str) -> Callable[[Path], str]:
    def fail(root: Path) -> str:
        with redis_program(root / "redis") as running:
            for command in commands:
                tell(running, command)
            return of_redis(root, running, f", username: {login}, password: 'env:REDIS_PASSWORD'" if login else "")

    return fail


def of_a_broker(manner: Manner, *, trusted: bool = True) -> Callable[[Path], str]:
    async def fail(root: Path) -> str:
        async with serve(manner, local_tls()) as server:
            (root / "ca.pem").write_bytes(authority().cert_pem.bytes())
            ca = ", ca_file: ca.pem" if trusted else ""
            section = f"{{source: http, url: '{server.url}/sessions', token: 'env:BROKER_TOKEN', timeout: 500ms{ca}}}"
            opened = open_source(settings(root, f"sessions: {section}"), root=root, environ=ENVIRON)
            with pytest.raises(SessionSourceError) as caught:
                await opened.fetch([AgentId(1001)])
            return (
                str(caught.value)
                .replace(str(server.port), "8443")
                .replace("0.5 s", "10 s")
                .partition(" (unable to get")[0]
            )

    return lambda root: asyncio.run(fail(root))


async def say_nothing(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


MADE_TO_HAPPEN: tuple[Callable[[Path], str], ...] = (
    of_section("{source: file, path: sessions.json}"),
    of_a_bad_file,
    of_section("{source: env, variable: FLOOR_SESSIONS}"),
    of_a_failing_command,
    of_section("{source: redis, url: 'redis://127.0.0.1', hash: h, password: 'env:REDIS_PASSWORD'}"),
    of_a_redis_that_is_down,
    of_a_redis_that_wants_a_password,
    of_a_redis("reader"),
    of_a_redis("idle"),
    of_a_redis("", "HSET agent:1001:session token x"),
    of_a_broker(answer(b"", "401 Unauthorized")),
    of_a_broker(answer(b"<html>")),
    of_a_broker(say_nothing),
    of_a_broker(answer(b"[]"), trusted=False),
)
"""In the order of the table."""


def test_every_failure_of_the_table_is_made_to_happen() -> None:
    assert len(FAILURES) == len(MADE_TO_HAPPEN)


@pytest.mark.parametrize(
    ("told", "make"), list(zip(FAILURES, MADE_TO_HAPPEN, strict=False)), ids=[told[:60] for told in FAILURES]
)
def test_a_failure_is_told_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, make: Callable[[Path], str]
) -> None:
    monkeypatch.setattr(trouble, "PAUSES", (0.01, 0.01))

    assert make(tmp_path) == told
