"""What becomes of site.yaml's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired.environments import AGENT, write

from reconciler.desired import load
from reconciler.desired.addresses import normalise_url
from reconciler.desired.durations import parse_duration
from reconciler.model.agent import AgentId, AgentRange
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions
from reconciler.model.site import (
    CallnumsKey,
    GatewaySettings,
    GuardrailSettings,
    LocalState,
    OnAgentRemoval,
    OnChannelRemoval,
    RetcodeClass,
    Site,
)

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
    ],
    ids=["file", "env", "command"],
)
def test_each_session_source_is_read(
    tmp_path: Path, lines: str, sessions: FileSessions | EnvSessions | CommandSessions
) -> None:
    text = f"name: test\ngateway: {{url: {URL}/}}\n{lines}\n"
    site = site_of(write(tmp_path, {"site.yaml": text, "fleet.yaml": AGENT}))
    assert sessions == site.sessions
    assert site.gateway.url == URL


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
