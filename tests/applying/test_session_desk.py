from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from applying.scripted import PATIENCE, Clock, ScriptedSource, fleet
from support.fleets import state

from reconciler.applying import RunStoppedError, Stop
from reconciler.applying.session_desk import HeldSession, SessionDesk
from reconciler.errors import SessionSourceError
from reconciler.model.agent import AgentId
from reconciler.model.plan import Call
from reconciler.model.session import Absent, Session
from reconciler.planning import make_plan

AGENTS = tuple(range(1001, 1011))


def calls(*agents: int) -> tuple[Call, ...]:
    return make_plan(fleet(*agents), state()).calls


class Desk:
    """A desk, and what it was made of."""

    def __init__(
        self,
        source: ScriptedSource | None = None,
        *,
        batch: int = 4,
        ahead: int = 0,
        agents: tuple[int, ...] = AGENTS,
    ) -> None:
        self.source = source or ScriptedSource()
        self.clock = Clock()
        self.stop = Stop()
        self.desk = SessionDesk(
            self.source,
            calls(*agents),
            batch=batch,
            ahead=ahead,
            max_age=45,
            monotonic=self.clock,
            stop=self.stop,
        )

    async def take(self, count: int, *, seconds_each: float = 0) -> list[HeldSession]:
        taken = []
        for _ in range(count):
            item = await self.desk.next()
            if item is None:
                break
            call, held = item
            assert call.agent == held.agent
            taken.append(held)
            self.clock.seconds += seconds_each
        return taken


async def settled() -> None:
    """Return when whatever can go on by itself has done so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def drain(desk: SessionDesk) -> list[int]:
    handed_out = []
    while (item := await desk.next()) is not None:
        handed_out.append(int(item[0].agent))
        await asyncio.sleep(0)
    return handed_out


def test_calls_come_in_order_each_with_its_own_session() -> None:
    desk = Desk()
    taken = asyncio.run(desk.take(99))

    assert [held.agent for held in taken] == list(AGENTS)
    assert [held.session.agent for held in taken if held.session] == list(AGENTS)


@pytest.mark.parametrize(
    ("batch", "readings"),
    [
        pytest.param(4, 3, id="part-of-a-batch-left"),
        pytest.param(5, 2, id="even"),
        pytest.param(99, 1, id="all-at-once"),
    ],
)
def test_the_source_is_asked_once_per_batch_and_for_nobody_twice(batch: int, readings: int) -> None:
    desk = Desk(batch=batch)
    asyncio.run(desk.take(99))

    assert len(desk.source.asked) == readings
    assert [agent for reading in desk.source.asked for agent in reading] == list(AGENTS)


def test_many_workers_at_once_ask_no_more_often() -> None:
    desk = Desk()

    async def main() -> list[list[int]]:
        return await asyncio.gather(*(drain(desk.desk) for _ in range(7)))

    handed_out = asyncio.run(main())

    assert sorted(agent for each in handed_out for agent in each) == list(AGENTS)
    assert len(desk.source.asked) == 3


def test_a_source_is_not_asked_when_there_is_no_call() -> None:
    desk = Desk(agents=())

    assert asyncio.run(desk.take(99)) == []
    assert desk.source.asked == []


def test_sessions_that_waited_too_long_are_read_again_for_those_who_still_wait() -> None:
    desk = Desk(batch=10)
    taken = asyncio.run(desk.take(99, seconds_each=15))

    assert desk.source.asked == [AGENTS, AGENTS[4:], AGENTS[8:]]
    assert [held.read_at for held in taken] == [0.0] * 4 + [60.0] * 4 + [120.0] * 2


def test_sessions_just_as_old_as_allowed_are_used() -> None:
    desk = Desk(batch=2)
    asyncio.run(desk.take(2, seconds_each=45))

    assert desk.source.asked == [AGENTS[:2]]


def test_an_agent_who_has_no_session_is_handed_out_without_one() -> None:
    desk = Desk(ScriptedSource(absent=frozenset({1002})))
    taken = asyncio.run(desk.take(3))

    assert [held.session is None for held in taken] == [False, True, False]


def test_a_held_session_is_read_anew_only_when_it_is_too_old() -> None:
    desk = Desk(agents=(1001,))

    async def main() -> tuple[HeldSession, HeldSession, HeldSession]:
        (held,) = await desk.take(1)
        desk.clock.seconds = 45
        still = await desk.desk.fresh(held)
        desk.clock.seconds = 46
        return held, still, await desk.desk.fresh(held)

    held, still, anew = asyncio.run(main())

    assert still is held
    assert (anew.read_at, anew.session == held.session) == (46, False)
    assert desk.source.asked == [(1001,), (1001,)]


def test_one_agents_session_can_be_read_again_and_be_gone() -> None:
    desk = Desk(ScriptedSource(absent=frozenset({1001})))
    held = HeldSession(agent=AgentId(1001), session=Session(agent=AgentId(1001), guid="guid"), read_at=0)

    assert asyncio.run(desk.desk.again(held)).session is None


def test_nothing_is_handed_out_or_read_after_a_stop() -> None:
    desk = Desk()

    async def main() -> tuple[int, HeldSession, HeldSession]:
        (held,) = await desk.take(1)
        desk.stop.request(RunStoppedError("enough"))
        desk.clock.seconds = 1000
        return len(await desk.take(1)), await desk.desk.fresh(held), held

    count, after, held = asyncio.run(main())

    assert count == 0
    assert after is held
    assert desk.source.asked == [AGENTS[:4]]


def test_a_source_that_hangs_holds_up_no_stop() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    desk = Desk(ScriptedSource(failures={1: hang}))

    async def main() -> list[list[int]]:
        asyncio.get_running_loop().call_later(0.01, desk.stop.request, RunStoppedError("enough"))
        return await asyncio.wait_for(asyncio.gather(*(drain(desk.desk) for _ in range(3))), PATIENCE)

    assert asyncio.run(main()) == [[], [], []]
    assert desk.source.asked == [AGENTS[:4]]


def test_a_source_that_failed_is_not_asked_by_the_next_worker_too() -> None:
    desk = Desk(ScriptedSource(failures={1: SessionSourceError("gone")}))
    desk.clock.seconds = 1000

    async def main() -> list[object]:
        return await asyncio.gather(*(desk.desk.next() for _ in range(4)))

    assert asyncio.run(main()) == [None] * 4
    assert desk.source.asked == [AGENTS[:4]]
    assert (str(desk.desk.failure), desk.stop.requested) == ("gone", False)


@pytest.mark.parametrize(
    ("ahead", "taken"), [(1, 4), (2, 3), (99, 3)], ids=["the-last-call", "the-last-two", "half-a-batch-at-most"]
)
def test_the_next_batch_is_read_while_the_last_calls_of_one_are_handed_out(ahead: int, taken: int) -> None:
    desk = Desk(ahead=ahead)

    async def main() -> tuple[int, int]:
        await desk.take(taken - 1)
        await settled()
        before = len(desk.source.asked)
        await desk.take(1)
        await settled()
        return before, len(desk.source.asked)

    assert asyncio.run(main()) == (1, 2)
    assert desk.source.asked == [AGENTS[:4], AGENTS[4:8]]


def test_reading_ahead_asks_for_the_same_batches_and_hands_out_the_same_calls() -> None:
    desk = Desk(ahead=2)
    taken = asyncio.run(desk.take(99))

    assert [held.agent for held in taken] == list(AGENTS)
    assert desk.source.asked == [AGENTS[:4], AGENTS[4:8], AGENTS[8:]]


def test_a_slow_source_keeps_nobody_from_the_rest_of_the_batch_before() -> None:
    go_on = asyncio.Event()

    async def be_slow() -> None:
        await go_on.wait()

    desk = Desk(ScriptedSource(failures={2: be_slow}), ahead=2)

    async def main() -> tuple[int, int]:
        first = await desk.take(4)
        go_on.set()
        return len(first), len(await desk.take(99))

    assert asyncio.run(main()) == (4, 6)


def test_a_source_that_fails_ahead_fails_only_when_its_batch_is_wanted() -> None:
    desk = Desk(ScriptedSource(failures={2: SessionSourceError("gone")}), ahead=2)

    async def main() -> int:
        first = await desk.take(3)
        await settled()
        first += await desk.take(1)
        assert desk.desk.failure is None
        assert await desk.take(1) == []
        return len(first)

    assert asyncio.run(main()) == 4
    assert str(desk.desk.failure) == "gone"


def test_sessions_read_ahead_that_became_too_old_are_read_again() -> None:
    desk = Desk(ahead=2)

    async def main() -> HeldSession:
        await desk.take(3)
        await settled()
        await desk.take(1)
        desk.clock.seconds = 46
        (held,) = await desk.take(1)
        return held

    assert asyncio.run(main()).read_at == 46
    assert desk.source.asked == [AGENTS[:4], AGENTS[4:8], AGENTS[4:8]]


def test_nothing_is_read_ahead_after_a_stop() -> None:
    desk = Desk(ahead=2)

    async def main() -> None:
        await desk.take(2)
        desk.stop.request(RunStoppedError("enough"))
        await desk.take(99)
        await settled()

    asyncio.run(main())
    assert desk.source.asked == [AGENTS[:4]]


def test_what_is_being_read_ahead_is_given_up_when_the_desk_closes() -> None:
    ended = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    desk = Desk(ScriptedSource(failures={2: hang}), ahead=2)

    async def main() -> None:
        await desk.take(3)
        await settled()
        assert ended == []
        await desk.desk.close()
        assert ended == [1]

    asyncio.run(main())


def test_a_session_of_somebody_else_is_never_handed_out() -> None:
    class Mixed(ScriptedSource):
        def _session(self, agent: AgentId, reading: int) -> Session:
            return super()._session(AgentId(agent + 1), reading)

    desk = Desk(Mixed())
    assert asyncio.run(desk.take(1)) == []
    assert "gave agent 1001 the session of agent 1002" in str(desk.desk.failure)


WHY = Absent(retcode="100-002", message="at work")


class Knowing(ScriptedSource):
    """Knows why agent 1002 has no session, and is asked for two agents at a time."""

    most_at_once = 2

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        return {agent: WHY if agent == 1002 else session for agent, session in (await super().fetch(agents)).items()}


def test_why_there_is_no_session_is_handed_out_with_the_call() -> None:
    desk = Desk(Knowing())
    taken = asyncio.run(desk.take(3))

    assert [(held.session is None, held.absent) for held in taken] == [(False, None), (True, WHY), (False, None)]


def test_why_a_session_is_gone_is_told_when_it_is_read_again() -> None:
    held = HeldSession(agent=AgentId(1002), session=Session(agent=AgentId(1002), guid="guid"), read_at=0)
    again = asyncio.run(Desk(Knowing()).desk.again(held))

    assert (again.session, again.absent) == (None, WHY)


@pytest.mark.parametrize(("batch", "asked"), [(1, 1), (2, 2), (99, 2)], ids=["fewer", "as-many", "no-more"])
def test_a_source_is_asked_for_no_more_agents_at_once_than_it_wants(batch: int, asked: int) -> None:
    desk = Desk(Knowing(), batch=batch)
    asyncio.run(desk.take(99))

    assert max(map(len, desk.source.asked)) == asked
    assert [agent for reading in desk.source.asked for agent in reading] == list(AGENTS)


def test_a_source_that_holds_nothing_gives_the_session_as_it_is_for_a_call_and_lets_go_of_nothing() -> None:
    desk = Desk()
    session = Session(agent=AgentId(1001), guid="guid")

    async def main() -> Session:
        await desk.desk.release(AgentId(1001))
        await desk.source.close()
        async with desk.desk.calling(session) as newest:
            return newest

    assert asyncio.run(main()) is session
    assert list(desk.source.warnings()) == []
