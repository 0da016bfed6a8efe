from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import agent_id, agent_ids

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.report.layout import FEW_RANGES, WIDTH, counted, hang, named_agents, range_words

words = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=40)


@given(pieces=st.lists(words, max_size=30), indent=st.integers(0, 20))
def test_breaking_lines_loses_nothing_and_adds_only_blanks(pieces: list[str], indent: int) -> None:
    lines = hang("head  ", pieces, indent=indent)
    assert ("head  " + ", ".join(pieces)).split() == " ".join(lines).split()


@given(pieces=st.lists(words, max_size=30), indent=st.integers(0, 20))
def test_no_line_is_wider_than_it_may_be_nor_broken_sooner_than_it_must(pieces: list[str], indent: int) -> None:
    lines = hang("head  ", pieces, indent=indent)
    assert all(len(line) <= WIDTH for line in lines)
    firsts = [line.split(",")[0].strip() for line in lines[1:]]
    assert all(len(line) + 1 + len(first) + 1 > WIDTH - 1 for line, first in zip(lines, firsts, strict=False))


def test_a_piece_wider_than_a_line_stands_alone() -> None:
    assert hang("", ["a", "b" * 200, "c"], indent=2) == ["a,", "  " + "b" * 200 + ",", "  c"]


def test_the_first_piece_stays_with_the_head_when_the_head_is_only_an_indent() -> None:
    assert hang("    ", ["b" * 200], indent=4) == ["    " + "b" * 200]


@given(agents=st.lists(agent_ids, min_size=1, max_size=40, unique=True))
def test_ranges_and_the_rest_add_up_to_all_agents(agents: list[AgentId]) -> None:
    ranges = summarise_agents(agents)
    shown = range_words(ranges)
    named = sum(len(span) for span in ranges[:FEW_RANGES])
    rest = len(agents) - named
    assert [str(span) for span in ranges[:FEW_RANGES]] == shown[: min(len(ranges), FEW_RANGES)]
    assert shown[len(ranges[:FEW_RANGES]) :] == ([f"and {counted(rest, 'more agent')}"] if rest else [])


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (60_000, "60,000 calls")]
)
def test_only_one_is_singular(count: int, expected: str) -> None:
    assert expected == counted(count, "call")


def test_one_agent_has_a_name_and_several_a_number() -> None:
    assert (
        named_agents([agent_id(1001)]),
        named_agents([agent_id(1001), agent_id(1002)]),
    ) == ("agent 1001", "2 agents")
