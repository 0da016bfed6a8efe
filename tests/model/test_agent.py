from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import agent_ids, agent_range, agent_ranges

from reconciler.model.agent import AgentId, AgentRange, parse_agent_id, parse_agent_ranges, summarise_agents

NOT_AN_ID = [
    pytest.param("", id="empty"),
    pytest.param("100", id="below"),
    pytest.param("1000000", id="above"),
    pytest.param("0101", id="leading-zero"),
    pytest.param("+101", id="sign"),
    pytest.param("1001.0", id="decimal"),
    pytest.param("1_001", id="underscore"),
    pytest.param(" 1001", id="space"),
    pytest.param("1001\n", id="newline"),
    pytest.param("\u0661\u0660\u0660\u0661", id="other-digits"),
    pytest.param("east", id="word"),
]

few_agents = st.lists(st.integers(1001, 1030).map(AgentId))


@pytest.mark.parametrize("text", ["101", "1001", "999999"])
def test_a_plain_number_from_101_to_999999_is_an_agent_id(text: str) -> None:
    assert parse_agent_id(text) == int(text)


@pytest.mark.parametrize("text", NOT_AN_ID)
def test_anything_else_is_no_agent_id(text: str) -> None:
    with pytest.raises(ValueError, match="agent id"):
        parse_agent_id(text)


def test_a_range_is_not_one_agent_id() -> None:
    with pytest.raises(ValueError, match="'1001-1001' is a range"):
        parse_agent_id("1001-1001")


@pytest.mark.parametrize(
    "text",
    [
        *NOT_AN_ID,
        pytest.param("1003-1001", id="downward"),
        pytest.param("1001-", id="open-end"),
        pytest.param("-1001", id="open-start"),
        pytest.param("1001 - 1003", id="spaces-inside"),
        pytest.param("1001-1002-1003", id="three-ends"),
        pytest.param("1001-1000000", id="end-above"),
        pytest.param("100-1001", id="start-below"),
        pytest.param("1001–1003", id="dash-of-typesetters"),
    ],
)
def test_anything_else_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="agent id"):
        AgentRange.parse(text)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(100, 1001, id="below"),
        pytest.param(1001, 1_000_000, id="above"),
        pytest.param(1002, 1001, id="downward"),
        pytest.param(True, 1001, id="bool"),
        pytest.param(1001.0, 1002, id="float-first"),
        pytest.param(1001, 1002.0, id="float-last"),
    ],
)
def test_a_range_holds_whole_ids_from_101_to_999999_low_to_high(first: Any, last: Any) -> None:
    with pytest.raises(ValueError, match="is not a range of agent ids from 101 to 999999, low to high"):
        AgentRange(first, last)


@given(span=agent_ranges)
def test_a_range_is_written_as_it_is_read(span: AgentRange) -> None:
    assert span == AgentRange.parse(str(span))


def test_a_range_of_one_is_written_as_its_agent() -> None:
    assert (str(agent_range("1001-1001")), str(agent_range("1001-1002"))) == ("1001", "1001-1002")


@given(first=st.integers(101, 999_900), count=st.integers(1, 99), offset=st.integers(-5, 105))
def test_length_walk_and_membership_of_a_range_agree(first: int, count: int, offset: int) -> None:
    span = AgentRange(AgentId(first), AgentId(first + count - 1))
    walked = list(span)
    assert (list(range(first, first + count)), count) == (walked, len(span))
    assert (first + offset in walked) == (first + offset in span)


@pytest.mark.parametrize("other", [pytest.param("1001", id="text"), pytest.param(1001.0, id="float")])
def test_what_is_not_an_int_is_in_no_range(other: object) -> None:
    assert other not in agent_range("1001-1003")


def test_ranges_sort_as_people_count() -> None:
    ranges = [agent_range(text) for text in ("10000", "999", "1001-1003", "1001")]
    assert [str(span) for span in sorted(ranges)] == ["999", "1001", "1001-1003", "10000"]


def test_a_list_of_ranges_is_sorted_and_may_hold_spaces() -> None:
    assert (agent_range("1001"), agent_range("1003-1050")) == parse_agent_ranges("1003-1050, 1001")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("1001,", id="trailing-comma"),
        pytest.param("1001,,1002", id="gap"),
        pytest.param("1001;1002", id="semicolon"),
    ],
)
def test_a_list_with_an_item_that_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an agent id"):
        parse_agent_ranges(text)


@given(agents=few_agents | st.lists(agent_ids))
def test_a_summary_names_exactly_the_agents_each_once(agents: list[AgentId]) -> None:
    assert sorted(set(agents)) == [agent for span in summarise_agents(agents) for agent in span]


@given(agents=few_agents)
def test_a_summary_is_as_short_as_can_be(agents: list[AgentId]) -> None:
    starts = [agent for agent in set(agents) if agent - 1 not in agents]
    assert len(starts) == len(summarise_agents(agents))


@given(agents=few_agents, data=st.data())
def test_a_summary_does_not_depend_on_order(agents: list[AgentId], data: st.DataObject) -> None:
    assert summarise_agents(agents) == summarise_agents(data.draw(st.permutations(agents)))


def test_a_summary_can_be_made_of_anything_that_yields_agents() -> None:
    assert (agent_range("1001-1003"),) == summarise_agents(AgentId(number) for number in (1003, 1001, 1002))
