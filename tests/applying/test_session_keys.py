"""Reading who is signed in for a plan: in batches, keys only, and from a source that is let go of in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from reconciler.applying import read_session_keys
from reconciler.errors import SessionSourceError
from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session
from reconciler.planning import SessionKeys

TEN = tuple(AgentId(number) for number in range(1001, 1011))


@dataclass
class Floor(SessionSource):
    """Knows these sessions; remembers who was asked for, and whether it was closed."""

    told: Mapping[int, Session | Absent]
    most_at_once: int | None = None
    fails_at: int = 0
    asked: list[tuple[int, ...]] = field(default_factory=list)
    closed: int = 0

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        self.asked.append(tuple(agents))
        if len(self.asked) == self.fails_at:
            raise SessionSourceError("the source is gone")
        return {AgentId(agent): told for agent, told in self.told.items()}

    async def close(self) -> None:
        self.closed += 1


def session(agent: int, key: str | None = "login-1") -> Session:
    return Session(agent=AgentId(agent), guid=f"guid-{agent}", key=key)


def keys_of(source: SessionSource, agents: Sequence[AgentId] = TEN, *, batch: int = 1000) -> SessionKeys:
    return asyncio.run(read_session_keys(source, agents, batch=batch))


def test_only_those_with_a_session_have_a_key_and_it_may_be_none() -> None:
    floor = Floor({1001: session(1001), 1002: session(1002, None), 1003: Absent(message="on leave")})

    assert keys_of(floor) == {1001: "login-1", 1002: None}


def test_an_answer_about_somebody_who_was_not_asked_for_is_dropped() -> None:
    assert keys_of(Floor({1001: session(1001), 2001: session(2001)})) == {1001: "login-1"}


@pytest.mark.parametrize(
    ("batch", "most", "sizes"),
    [
        pytest.param(1000, None, [10], id="all-at-once"),
        pytest.param(4, None, [4, 4, 2], id="in-batches"),
        pytest.param(4, 3, [3, 3, 3, 1], id="no-more-than-the-source-takes"),
        pytest.param(4, 100, [4, 4, 2], id="no-more-than-wanted"),
    ],
)
def test_a_large_fleet_is_asked_for_in_batches(batch: int, most: int | None, sizes: list[int]) -> None:
    floor = Floor({agent: session(agent) for agent in TEN}, most_at_once=most)

    assert keys_of(floor, batch=batch) == dict.fromkeys(TEN, "login-1")
    assert [len(asked) for asked in floor.asked] == sizes
    assert [agent for asked in floor.asked for agent in asked] == list(TEN)


def test_nobody_to_ask_for_asks_nobody() -> None:
    floor = Floor({})

    assert (keys_of(floor, ()), floor.asked, floor.closed) == ({}, [], 1)


def test_a_source_that_fails_midway_fails_it_all_and_is_closed() -> None:
    floor = Floor({}, fails_at=2)
    with pytest.raises(SessionSourceError, match="the source is gone"):
        keys_of(floor, batch=4)

    assert (len(floor.asked), floor.closed) == (2, 1)


def test_a_source_that_mixes_up_its_agents_is_refused() -> None:
    with pytest.raises(SessionSourceError, match="gave agent 1001 the session of agent 1002"):
        keys_of(Floor({1001: session(1002)}))
