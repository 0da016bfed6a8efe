"""The agents that a comparison with an earlier revision leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import agent_id, agent_range

from reconciler.model.agent import summarise_agents
from reconciler.model.changed_since import ChangedSince
from reconciler.model.plan import Scope

AGENTS = st.sets(st.integers(101, 160).map(agent_id))


@given(named=AGENTS, asked=st.integers(101, 160).map(agent_id))
def test_exactly_the_agents_named_are_looked_at(named: set[int], asked: int) -> None:
    changed = ChangedSince(revision="main", commit="1" * 40, agents=summarise_agents(map(agent_id, named)))

    assert (asked in named) == (agent_id(asked) in changed)
    assert len(named) == changed.count


def test_where_everybody_counts_as_changed_nobody_is_left_out() -> None:
    changed = ChangedSince(revision="main", commit="1" * 40, everybody="the environment was not there")

    assert agent_id(1001) in changed
    assert not Scope(changed=changed).partial


def test_a_comparison_that_leaves_nobody_is_a_partial_scope() -> None:
    assert Scope(changed=ChangedSince(revision="main", commit="1" * 40)).partial


@pytest.mark.parametrize(
    "ranges", [("1002", "1001"), ("1001-1003", "1003"), ("1001-1009", "1002-1003"), ("1001", "1001")]
)
def test_ranges_that_could_not_be_searched_are_refused(ranges: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not sorted, or overlap"):
        ChangedSince(revision="main", commit="1" * 40, agents=tuple(map(agent_range, ranges)))


def test_either_everybody_is_looked_at_or_some_are() -> None:
    with pytest.raises(ValueError, match="either everybody"):
        ChangedSince(revision="main", commit="1", agents=(agent_range("1001"),), everybody="why")
