from __future__ import annotations

import math
from typing import Any

import pytest
from support.fleets import URL, agent_range, site

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.session_settings import CommandSessions
from reconciler.model.site import GuardrailSettings

NEVER_A_NUMBER = [
    pytest.param(True, id="bool"),
    pytest.param("4", id="text"),
    pytest.param(math.nan, id="nan"),
    pytest.param(math.inf, id="infinity"),
    pytest.param(-1, id="negative"),
]


@pytest.mark.parametrize("calls", [1, 256])
def test_1_to_256_calls_may_be_in_flight(calls: int) -> None:
    assert calls == GatewaySettings(url=URL, concurrency=calls).concurrency


@pytest.mark.parametrize(
    "calls",
    [*NEVER_A_NUMBER, pytest.param(0, id="zero"), pytest.param(257, id="above"), pytest.param(4.0, id="float")],
)
def test_another_number_of_calls_in_flight_is_refused(calls: Any) -> None:
    with pytest.raises(ValueError, match=r"concurrency is .*, not a whole number from 1 to 256"):
        GatewaySettings(url=URL, concurrency=calls)


@pytest.mark.parametrize("number", [*NEVER_A_NUMBER, pytest.param(0, id="zero")])
def test_a_time_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match=r"timeout is .*, not a number above 0"):
        GatewaySettings(url=URL, timeout=number)


@pytest.mark.parametrize(
    "number", [*NEVER_A_NUMBER, pytest.param(0, id="zero"), pytest.param(1e-320, id="of-which-a-call-takes-forever")]
)
def test_a_pace_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match=r"requests_per_second is .*, not a number of at least 0\.001"):
        GatewaySettings(url=URL, requests_per_second=number)


@pytest.mark.parametrize("number", [*NEVER_A_NUMBER, pytest.param(0, id="zero")])
def test_a_command_for_sessions_needs_a_time(number: Any) -> None:
    with pytest.raises(ValueError, match=r"timeout is .*, not a number above 0"):
        CommandSessions(command=("sessions",), timeout=number)


@pytest.mark.parametrize("percent", [0, 0.5, 100, None], ids=["lowest", "fraction", "highest", "off"])
def test_a_percentage_from_0_to_100_is_a_limit_and_none_is_no_limit(percent: float | None) -> None:
    assert percent == GuardrailSettings(max_changed_percent=percent).max_changed_percent


@pytest.mark.parametrize("percent", [*NEVER_A_NUMBER, pytest.param(100.1, id="above")])
def test_another_percentage_is_refused(percent: Any) -> None:
    with pytest.raises(ValueError, match=r"max_changed_percent is .*, not a number from 0 to 100"):
        GuardrailSettings(max_changed_percent=percent)


@pytest.mark.parametrize("limit", [*NEVER_A_NUMBER, pytest.param(4.0, id="float")])
@pytest.mark.parametrize(
    "setting", ["min_population", "max_changed_agents", "max_to_zero"], ids=["population", "changed", "zeroed"]
)
def test_a_limit_on_agents_is_a_whole_number_from_0(setting: str, limit: Any) -> None:
    with pytest.raises(ValueError, match=rf"{setting} is .*, not a whole number of at least 0"):
        GuardrailSettings(**{setting: limit})


def test_a_limit_of_0_agents_is_allowed() -> None:
    settings = GuardrailSettings(min_population=0, max_changed_agents=0, max_to_zero=0)
    assert (settings.min_population, settings.max_changed_agents, settings.max_to_zero) == (0, 0, 0)


@pytest.mark.parametrize(
    ("agent", "teams", "protected"),
    [
        pytest.param(1001, (), True, id="listed-agent"),
        pytest.param(1003, (), True, id="last-of-a-listed-range"),
        pytest.param(1004, (), False, id="agent-beside-the-range"),
        pytest.param(1004, ("vip",), True, id="listed-team"),
        pytest.param(1004, ("night", "vip"), True, id="one-of-two-teams-listed"),
        pytest.param(1004, ("night",), False, id="team-not-listed"),
    ],
)
def test_a_site_protects_the_agents_and_teams_it_lists(agent: int, teams: tuple[str, ...], *, protected: bool) -> None:
    settings = GuardrailSettings(protected_agents=(agent_range("1001-1003"),), protected_teams=("vip",))
    assert protected == settings.protects(AgentId(agent), teams)


def test_a_site_resets_to_one_web_chat_unless_told_otherwise() -> None:
    assert Concurrency.of(1, {Channel.WEB_CHAT: 1}) == site().reset
