"""What a run costs, counted: as much for each agent of a thousand as of ten."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from applying.scripted import Room, ScriptedSource, fleet

from reconciler.model.outcome import Result

AGENTS = [10, 100, 1000]


@pytest.mark.parametrize("agents", AGENTS)
def test_each_agent_costs_one_call_and_a_hundred_agents_one_look_at_the_sessions(tmp_path: Path, agents: int) -> None:
    source = ScriptedSource()
    room = Room(tmp_path, source=source)
    ending = room.run(fleet(*range(1001, 1001 + agents)), workers=16, ahead=16, batch=100)

    assert set(ending.results.values()) == {Result.APPLIED}
    assert room.gateway.calls() == dict.fromkeys(range(1001, 1001 + agents), 1)
    assert len(source.asked) == ceil(agents / 100)


@pytest.mark.parametrize("agents", AGENTS)
def test_an_outcome_is_told_once_and_kept_once(tmp_path: Path, agents: int) -> None:
    ending = Room(tmp_path).run(fleet(*range(1001, 1001 + agents)), workers=16, ahead=16)

    assert {id(each) for each in ending.told} == {id(each) for each in ending.outcomes}
    assert [each.agent for each in ending.outcomes] == list(range(1001, 1001 + agents))


@pytest.mark.parametrize("agents", AGENTS)
def test_who_has_no_session_costs_no_call_and_a_batch_of_them_no_more_syncs_than_turns(
    tmp_path: Path, agents: int
) -> None:
    everybody = range(1001, 1001 + agents)
    room = Room(tmp_path, source=ScriptedSource(absent=frozenset(everybody)))
    room.disk.takes = 0.002
    ending = room.run(fleet(*everybody), workers=16, ahead=16)

    assert set(ending.results.values()) == {Result.DEFERRED}
    assert room.gateway.calls() == {}
    assert room.disk.syncs <= ceil(agents / 16) + 8
