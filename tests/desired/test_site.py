"""What becomes of site.yaml's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired.environments import AGENT, write

from reconciler.desired import load
from reconciler.desired.site.addresses import normalise_url
from reconciler.desired.site.durations import parse_duration
from reconciler.desired.site.session_addresses import normalise_broker_url, parse_redis_url
from reconciler.model.agent import AgentId, AgentRange
from reconciler.model.capacity import CapacityFloor
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session_servers import (
    AgentTemplate,
    FieldPerAgent,
    HashFields,
    HashPerAgent,
    HttpMethod,
    HttpSessions,
    KeyPerAgent,
    RedisAddress,
    RedisSessions,
)
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions, SessionUse
from reconciler.model.session_sources import SessionSettings
from reconciler.model.sign_in_settings import AuthMode, KeepAlive, SignInSessions
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval, RetcodeClass, Site
from reconciler.model.state_settings import LocalState

CORPUS = Path(__file__).parent / "corpus" / "valid"
URL = "https://gateway.example:8043"


def site_of(root: Path) -> Site:
    desired = load(root).desired
    assert desired is not None
    return desired.site


def test_what_is_not_written_is_the_models_default() -> None:
    assert Site(name="test", gateway=GatewaySettings(url=URL)) == site_of(CORPUS / "minimal")


def test_everything_written_arrives() -> None:
    expected = Site(
        name="test",
        gateway=GatewaySettings(
            url=URL,
            ca_file="/etc/ssl/ca.pem",
            callnums_key=CallnumsKey.LOWER,
            concurrency=256,
            requests_per_second=0.5,
            timeout=0.5,
        ),
        sessions=CommandSessions(command=("./sessions", "--all"), timeout=120.0),
        state=LocalState(path="a/state.json"),
        on_channel_removal=OnChannelRemoval.OMIT,
        on_agent_removal=OnAgentRemoval.RESET,
        reset=Concurrency.of(2, {Channel.EMAIL: 1, Channel.SMS: 0}),
        guardrails=GuardrailSettings(
            max_changed_percent=None,
            min_population=0,
            max_changed_agents=5,
            max_to_zero=0,
            max_delta={Channel.FIVE_G: 0, None: 60},
            capacity_floor=(
                CapacityFloor(team=None, channel=None, least=0),
                CapacityFloor(team=None, channel=Channel.SMS, max_drop_percent=12.5),
                CapacityFloor(team="east", channel=None, max_drop_percent=0.0),
                CapacityFloor(team="west", channel=Channel.EMAIL, least=7),
            ),
            protected_agents=(
                AgentRange(AgentId(1001), AgentId(1001)),
                AgentRange(AgentId(1002), AgentId(1002)),
                AgentRange(AgentId(2000), AgentId(2999)),
            ),
            protected_teams=("east", "west"),
        ),
    )
    assert expected == site_of(CORPUS / "site-with-everything")


def test_retcodes_are_read_by_code_and_by_family() -> None:
    assert site_of(CORPUS / "site-retcodes").retcodes == {
        "000-001": RetcodeClass.PERMANENT,
        "100-004": RetcodeClass.REREAD_SESSION,
        "100-009": RetcodeClass.TRANSIENT,
        "106-*": RetcodeClass.STOP,
        "106-011": RetcodeClass.DEFERRED,
    }


def test_sessions_from_the_environment_have_a_default_variable() -> None:
    site = site_of(CORPUS / "site-sessions-from-the-environment")
    assert EnvSessions(variable="RECONCILER_SESSIONS") == site.sessions
    assert site.guardrails.max_changed_percent == 12.5


def test_the_longest_timeout_is_a_day_and_the_source_file_has_a_default_path() -> None:
    site = site_of(CORPUS / "site-duration-of-a-day")
    assert site.gateway.timeout == 86_400.0
    assert FileSessions(path="sessions.json") == site.sessions


@pytest.mark.parametrize(
    ("lines", "sessions"),
    [
        ("sessions: {source: file, path: s.csv}", FileSessions(path="s.csv")),
        ("sessions: {source: env, variable: X_1}", EnvSessions(variable="X_1")),
        ("sessions: {source: command, command: [a, b]}", CommandSessions(command=("a", "b"))),
        (
            "sessions: {source: redis, url: 'redis://[::1]/', key: 'a:{agent}'}",
            RedisSessions(address=RedisAddress(host="::1"), layout=KeyPerAgent(key=AgentTemplate(text="a:{agent}"))),
        ),
        (
            (
                "sessions: {source: redis, url: 'rediss://r:7/3', key: '{agent}', fields: {guid: g, session: at}, "
                "username: u, password: 'env:P', ca_file: ca.pem, timeout: 1s, client_name: me}"
            ),
            RedisSessions(
                address=RedisAddress(host="r", port=7, database=3, tls=True),
                layout=HashPerAgent(key=AgentTemplate(text="{agent}"), fields=HashFields(guid="g", session="at")),
                username="u",
                password=SecretReference.parse("env:P"),
                ca_file="ca.pem",
                timeout=1.0,
                client_name="me",
            ),
        ),
        (
            "sessions: {source: redis, url: 'redis://r', hash: h}",
            RedisSessions(address=RedisAddress(host="r"), layout=FieldPerAgent(hash="h")),
        ),
        ("sessions: {source: http, url: 'http://localhost:9'}", HttpSessions(url="http://localhost:9")),
        (
            "sessions: {source: http, url: 'https://b/s/', method: POST, token: 'file:/t', ca_file: c, timeout: 2s}",
            HttpSessions(
                url="https://b/s",
                method=HttpMethod.POST,
                token=SecretReference.parse("file:/t"),
                ca_file="c",
                timeout=2.0,
            ),
        ),
        (
            "sessions: {source: signin, credentials: 'env:AGENTS'}",
            SignInSessions(credentials=SecretReference.parse("env:AGENTS")),
        ),
        (
            (
                "sessions: {source: signin, credentials: 'file:/a', auth_mode: 1, keep_alive: handshake, force: true, "
                "timeout: 3s}"
            ),
            SignInSessions(
                credentials=SecretReference.parse("file:/a"),
                auth_mode=AuthMode.STATIC,
                keep_alive=KeepAlive.HANDSHAKE,
                force=True,
                timeout=3.0,
            ),
        ),
    ],
    ids=[
        *("file", "env", "command", "redis-key", "redis-hashes", "redis-hash", "http", "http-post"),
        *("signin", "signin-in-full"),
    ],
)
def test_each_session_source_is_read(tmp_path: Path, lines: str, sessions: SessionSettings) -> None:
    text = f"name: test\ngateway: {{url: {URL}/}}\n{lines}\n"
    site = site_of(write(tmp_path, {"site.yaml": text, "fleet.yaml": AGENT}))
    assert sessions == site.sessions
    assert site.gateway.url == URL


@pytest.mark.parametrize(
    ("lines", "use"),
    [
        ("", SessionUse(max_age=45.0, batch=None)),
        ("sessions: {source: env}", SessionUse(max_age=45.0, batch=None)),
        ("sessions: {source: env, max_age: 20s, batch: 1}", SessionUse(max_age=20.0, batch=1)),
        ("sessions: {source: command, command: [a], max_age: 1m}", SessionUse(max_age=60.0)),
        ("sessions: {source: http, url: 'https://b', batch: 1000}", SessionUse(batch=1000)),
        ("sessions: {source: redis, url: 'redis://r', hash: h, batch: 9}", SessionUse(batch=9)),
    ],
    ids=["no-section", "defaults", "env", "command", "http", "redis"],
)
def test_how_sessions_are_used_goes_with_every_source(tmp_path: Path, lines: str, use: SessionUse) -> None:
    text = f"name: test\ngateway: {{url: {URL}}}\n{lines}\n"
    assert site_of(write(tmp_path, {"site.yaml": text, "fleet.yaml": AGENT})).session_use == use


def test_a_redis_address_as_text_is_its_url() -> None:
    assert str(RedisAddress(host="::1", database=2, tls=True)) == "rediss://[::1]:6379/2"
    assert str(RedisAddress(host="r.example", port=7)) == "redis://r.example:7/0"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis:", "no host"),
        ("redis://r/00", "number of a database"),
        ("redis://r/0/", "number of a database"),
        ("redis://r/100000", "number of a database"),
        ("redis://r:0", "its port"),
        ("redis://r?db=1", "query"),
        ("redis+sentinel://r", "redis:// or rediss://"),
        ("unix:///run/redis.sock", "redis:// or rediss://"),
    ],
)
def test_what_is_no_redis_url_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_redis_url(url)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("redis://redis.example", True),
        ("redis://192.0.2.1:6379/1", True),
        ("rediss://redis.example", False),
        ("redis://localhost", False),
        ("redis://127.0.0.1", False),
        ("redis://[::1]/0", False),
    ],
)
def test_sessions_that_cross_a_network_in_the_clear_are_warned_of(tmp_path: Path, url: str, *, warned: bool) -> None:
    text = f"name: test\ngateway: {{url: {URL}}}\nsessions: {{source: redis, url: '{url}', hash: h}}\n"
    loaded = load(write(tmp_path, {"site.yaml": text, "fleet.yaml": AGENT}))

    assert [(found.code, found.line) for found in loaded.diagnostics] == [("sessions-not-encrypted", 3)] * warned


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert normalise_broker_url(f"http://{host}:9/") == f"http://{host}:9"


@pytest.mark.parametrize("host", ["localhost.example", "broker", "10.0.0.1", "[::2]", "192.0.2.1", "127.1"])
def test_plain_http_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_broker_url(f"http://{host}/sessions")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1ms", 0.001), ("500ms", 0.5), ("10s", 10.0), ("2m", 120.0), ("24h", 86_400.0), ("86400000ms", 86_400.0)],
    ids=["one-millisecond", "milliseconds", "seconds", "minutes", "hours", "a-day-in-milliseconds"],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert seconds == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "10", "0s", "-1s", "1.5s", "1 s", "1d", "10s\n", "25h", "86400001ms", "\u0661s", "1S"],
    ids=[
        "nothing", "no-unit", "zero", "negative", "fraction", "space", "days", "newline",
        "over-a-day", "just-over-a-day", "other-digits", "upper-case",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://h", "https://h"),
        ("https://h/", "https://h"),
        ("https://127.0.0.1:8043", "https://127.0.0.1:8043"),
        ("https://[::1]:8043/a/b/", "https://[::1]:8043/a/b"),
        ("https://a-b.example:1/x~y/.well_known", "https://a-b.example:1/x~y/.well_known"),
        ("HTTPS://h", "HTTPS://h"),
    ],
    ids=["host", "trailing-slash", "ipv4", "ipv6-with-prefix", "odd-but-right", "upper-case-scheme"],
)
def test_a_url_is_accepted_without_its_trailing_slash(url: str, normal: str) -> None:
    assert normal == normalise_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://h", "ftp://h", "h:8043", "", "https://", "https:///x", "https://u@h", "https://u:p@h", "https://@h",
        "https://h?", "https://h/#", "https://h/?a", "https://h:", "https://h:0", "https://h:65536", "https://h:x",
        "https://h:01", "https://h//x", "https://h/../x", "https://h/./x", "https://h/%2e", "https://h/a b",
        "https://h\n", "https://h\\x", "https://ü.example", "https://-h", "https://h-", "https://a..b", "https://.",
        "https://1.2.3", "https://[1.2.3.4", "https://[x]", "https://" + "a" * 64, "https://" + "a." * 130 + "a",
        "https://a_b", "https://[::1]x",
    ],
    ids=repr,
)  # fmt: skip
def test_a_url_that_could_mislead_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it"):
        normalise_url(url)
