"""A whole plan carried out: who gets a turn, what stops the rest, and that outcomes and state agree in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

import pytest
from applying.scripted import (
    HOLDER,
    PATIENCE,
    VALUES,
    Answer,
    Fault,
    Room,
    ScriptedGateway,
    ScriptedSource,
    fleet,
    never,
    until,
)
from support.fleets import concurrency, desired, desired_agent, record

from reconciler.applying import RunStoppedError
from reconciler.applying.run import Note
from reconciler.applying.stop import CredentialsRefusedError
from reconciler.errors import InterruptedRunError, JournalError, SessionSourceError
from reconciler.gateway import Acknowledged, NotSignedIn, Refused, SessionExpired, Transient, Unanswered, Verdict
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus, State

YES = Acknowledged()
NO = Refused(retcode="106-011", message="no queue")
BUSY = Transient(retcode="000-007", message="busy")
LOST = Unanswered(message="no answer")
ABSENT = NotSignedIn(retcode="100-006", message="not signed in")

TEN = tuple(range(1001, 1011))
APPLIED, FAILED, SKIPPED, IN_DOUBT = Result.APPLIED, Result.FAILED, Result.SKIPPED, Result.IN_DOUBT

Scripts = dict[int, list[Answer]]

INTERRUPT = InterruptedRunError("interrupted")


def statuses(state: State) -> dict[int, RecordStatus]:
    return {agent: each.status for agent, each in state.agents.items()}


def acknowledged(*agents: int) -> dict[int, RecordStatus]:
    return dict.fromkeys(agents, RecordStatus.ACKNOWLEDGED)


def by_group(outcomes: Mapping[int, Result], agents: Sequence[int] = TEN) -> list[Result]:
    return [outcomes[agent] for agent in agents]


# Turns


def test_every_change_has_one_outcome_and_each_is_told_once_in_order_of_completion(tmp_path: Path) -> None:
    waiting = Unlocked()
    scripts: Scripts = {1001: [waiting.then(YES)], 1009: [waiting.open]}
    world = Room(tmp_path, {1010: record()}, gateway=ScriptedGateway(scripts))
    ending = world.run(fleet(*TEN[:9]))

    assert [outcome.agent for outcome in ending.outcomes] == list(TEN)
    assert sorted(ending.told) == list(ending.outcomes)
    order = [int(outcome.agent) for outcome in ending.told]
    assert order.index(1001) > order.index(1008)
    assert set(ending.results.values()) == {APPLIED, Result.FORGOTTEN}


def test_what_many_agents_are_told_is_held_once(tmp_path: Path) -> None:
    words = [b"no queue".decode() for _ in TEN]  # as they come off the wire: equal, and each by itself
    scripts: Scripts = {
        agent: [Refused(retcode="106-011", message=said)] for agent, said in zip(TEN, words, strict=True)
    }
    ending = Room(tmp_path, gateway=ScriptedGateway(scripts)).run(fleet(*TEN))

    assert (len({id(each) for each in words}), 1) == (10, len({id(outcome.message) for outcome in ending.outcomes}))


class Unlocked:
    """Lets one call wait for another."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def _inside(self) -> asyncio.Event:
        self._event = self._event or asyncio.Event()
        return self._event

    def then(self, verdict: Verdict) -> Answer:
        async def answer() -> Verdict:
            await self._inside().wait()
            return verdict

        return answer

    async def open(self) -> Verdict:
        self._inside().set()
        return YES


@pytest.mark.parametrize("workers", [1, 3, 64])
def test_no_more_calls_are_in_flight_than_workers_and_never_two_of_one_agent(tmp_path: Path, workers: int) -> None:
    world = Room(tmp_path)

    async def busy_when_all_are_here() -> Verdict:
        await until(lambda: world.gateway.most_at_once >= min(workers, len(TEN)))
        return BUSY

    world.gateway = ScriptedGateway({agent: [busy_when_all_are_here, LOST, BUSY, YES] for agent in TEN})
    ending = world.run(fleet(*TEN), workers=workers)

    assert set(ending.results.values()) == {APPLIED}
    assert world.gateway.calls() == dict.fromkeys(TEN, 4)
    assert world.gateway.most_of_one_agent == 1
    assert world.gateway.most_at_once == min(workers, len(TEN))


def test_one_bad_agent_never_stops_the_rest(tmp_path: Path) -> None:
    scripts: Scripts = {1002: [NO], 1003: [LOST] * 4, 1004: [BUSY] * 4, 1005: [ABSENT]}
    ending = Room(tmp_path, gateway=ScriptedGateway(scripts)).run(fleet(*TEN))

    assert by_group(ending.results) == [APPLIED, FAILED, IN_DOUBT, FAILED, Result.DEFERRED, *[APPLIED] * 5]
    assert ending.error is None
    assert set(ending.state.agents) == {1001, 1003, *TEN[5:]}


def test_an_empty_plan_asks_nobody_for_anything(tmp_path: Path) -> None:
    source = ScriptedSource()
    world = Room(tmp_path, {1001: record(VALUES)}, source=source)
    ending = world.run(fleet(1001))

    assert (ending.outcomes, ending.error, source.asked, world.gateway.requests) == ((), None, [], [])


# Records without calls


def test_removed_agents_are_forgotten_without_a_call(tmp_path: Path) -> None:
    world = Room(tmp_path, dict.fromkeys(TEN, record(VALUES)))
    ending = world.run(fleet(1001))

    assert set(ending.results.values()) == {Result.FORGOTTEN}
    assert list(ending.state.agents) == [1001]
    assert world.gateway.requests == []


def test_notes_are_recorded_without_a_call_and_touch_no_value(tmp_path: Path) -> None:
    before = record(VALUES)
    world = Room(tmp_path, {1001: before, 1002: before})
    ending = world.run(fleet(1001, 1002), notes={1002: Note(team="night", protected=True)})

    assert ending.outcomes == ()
    assert ending.state.agents == {1001: before, 1002: before.amended(team="night", protected=True)}
    assert world.gateway.requests == []


def test_forgets_and_notes_are_synced_together_not_one_by_one(tmp_path: Path) -> None:
    numbers = range(1001, 3001)
    world = Room(tmp_path, dict.fromkeys(numbers, record(VALUES)))
    world.disk.fail_after = 10
    ending = world.run(fleet(*numbers[1000:]), notes={n: Note(team="night", protected=False) for n in numbers[1000:]})

    assert ending.error is None
    assert len(ending.outcomes) == 1000


# What stops a run


def test_fail_fast_stops_at_the_first_agent_that_failed(tmp_path: Path) -> None:
    world = Room(tmp_path, gateway=ScriptedGateway({1002: [ABSENT], 1003: [NO]}))
    ending = world.run(fleet(*TEN), workers=1, fail_fast=True)

    assert by_group(ending.results) == [APPLIED, Result.DEFERRED, FAILED, *[SKIPPED] * 7]
    assert str(ending.error) == "stopped: agent 1003 failed, and --fail-fast was given"


def test_fail_fast_stops_at_the_first_agent_left_in_doubt(tmp_path: Path) -> None:
    world = Room(tmp_path, gateway=ScriptedGateway({1002: [ABSENT], 1003: [LOST] * 2}))
    ending = world.run(fleet(*TEN), workers=1, max_attempts=2, fail_fast=True)

    assert by_group(ending.results) == [APPLIED, Result.DEFERRED, IN_DOUBT, *[SKIPPED] * 7]
    assert str(ending.error) == "stopped: agent 1003 is in doubt, and --fail-fast was given"


def test_without_fail_fast_nobody_is_skipped(tmp_path: Path) -> None:
    ending = Room(tmp_path, gateway=ScriptedGateway(otherwise=NO)).run(fleet(*TEN), workers=1)

    assert by_group(ending.results) == [FAILED] * 10
    assert ending.error is None


def test_the_breaker_stops_the_run_at_equal_refusals_in_a_row(tmp_path: Path) -> None:
    gateway = ScriptedGateway({1002: [YES], 1004: [ABSENT]}, otherwise=NO)
    ending = Room(tmp_path, gateway=gateway).run(fleet(*TEN), workers=1, breaker=3)

    done = [FAILED, APPLIED, FAILED, Result.DEFERRED, FAILED, FAILED]
    assert by_group(ending.results) == [*done, *[SKIPPED] * 4]
    assert isinstance(ending.error, RunStoppedError)
    assert str(ending.error) == "stopped: 3 agents in a row ended with the same answer: 106-011"


def test_the_breaker_counts_in_order_of_completion(tmp_path: Path) -> None:
    # 1001 is refused too, but its answer comes after the one that is acknowledged.
    late = Unlocked()
    gateway = ScriptedGateway({1001: [late.then(NO)], 1002: [NO], 1003: [late.open]}, otherwise=YES)
    ending = Room(tmp_path, gateway=gateway).run(fleet(*TEN), workers=2, breaker=2)

    assert ending.error is None
    assert by_group(ending.results) == [FAILED, FAILED, *[APPLIED] * 8]


def test_sessions_refused_in_a_row_are_the_session_sources_trouble(tmp_path: Path) -> None:
    gateway = ScriptedGateway(otherwise=SessionExpired(retcode="000-003"))
    ending = Room(tmp_path, gateway=gateway).run(fleet(*TEN), workers=1, breaker=4)

    assert by_group(ending.results) == [*[Result.DEFERRED] * 4, *[SKIPPED] * 6]
    assert isinstance(ending.error, CredentialsRefusedError)


def test_a_breaker_that_breaks_is_the_reason_also_when_fail_fast_would_stop_as_well(tmp_path: Path) -> None:
    gateway = ScriptedGateway(otherwise=Refused(retcode="100-004"))
    ending = Room(tmp_path, gateway=gateway).run(fleet(*TEN), workers=1, breaker=1, fail_fast=True)

    assert isinstance(ending.error, CredentialsRefusedError)


def test_a_source_that_fails_midway_skips_the_rest_and_is_the_reason(tmp_path: Path) -> None:
    gone = SessionSourceError("the source is gone")
    source = ScriptedSource(failures={2: gone})
    ending = Room(tmp_path, source=source).run(fleet(*TEN), workers=1, batch=4)

    assert by_group(ending.results) == [*[APPLIED] * 4, *[SKIPPED] * 6]
    assert ending.error is gone
    assert statuses(ending.state) == acknowledged(*TEN[:4])
    assert len(source.asked) == 2


@pytest.mark.parametrize("workers", [2, 8])
def test_whoever_has_a_session_when_the_source_fails_is_still_called(tmp_path: Path, workers: int) -> None:
    gone = SessionSourceError("the source is gone")
    world = Room(tmp_path, source=ScriptedSource(failures={2: gone}))
    ending = world.run(fleet(*TEN), workers=workers, batch=4)  # with eight, before any of the first four is called

    assert by_group(ending.results) == [*[APPLIED] * 4, *[SKIPPED] * 6]
    assert ending.error is gone
    assert statuses(ending.state) == acknowledged(*TEN[:4])


def test_a_second_trouble_never_hides_the_first(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def trouble() -> Verdict:
        world.stop.request(INTERRUPT, grace=PATIENCE)
        world.disk.fail_after = 0
        return YES

    world.gateway = ScriptedGateway({1001: [trouble]})
    ending = world.run(fleet(*TEN), workers=2)

    assert ending.error is INTERRUPT


@pytest.mark.parametrize("raises", [Fault("bug"), SessionSourceError("gone")], ids=["bug", "source"])
def test_whatever_a_worker_meets_the_outcomes_are_whole_and_the_state_is_saved(
    tmp_path: Path, raises: Exception
) -> None:
    world = Room(tmp_path, gateway=ScriptedGateway({1003: [raises]}))
    ending = world.run(fleet(*TEN), workers=1)

    assert by_group(ending.results) == [APPLIED, APPLIED, IN_DOUBT, *[SKIPPED] * 7]
    assert ending.error is raises
    assert statuses(world.on_disk()) == {**acknowledged(1001, 1002), 1003: RecordStatus.IN_DOUBT}
    assert not world.journal.exists()


def test_a_listener_that_breaks_costs_no_outcome(tmp_path: Path) -> None:
    def listener(outcome: Outcome) -> None:
        if outcome.agent >= 1002:
            raise Fault("broken pipe")

    ending = Room(tmp_path, {1011: record()}).run(fleet(*TEN), workers=1, on_outcome=listener)

    assert [outcome.agent for outcome in ending.outcomes] == [*TEN, 1011]
    assert [outcome.agent for outcome in ending.told] == [1011, *TEN]
    assert isinstance(ending.error, Fault)
    assert set(ending.results.values()) == {SKIPPED, Result.FORGOTTEN}


# A disk that fails


def test_a_journal_that_fails_at_an_intent_stops_all_sending_and_claims_no_call(tmp_path: Path) -> None:
    old = record(concurrency(8))
    world = Room(tmp_path, dict.fromkeys(TEN, old))
    world.disk.fail_after = 4  # two agents: an intent and an outcome each
    ending = world.run(fleet(*TEN), workers=1)

    assert by_group(ending.results) == [APPLIED, APPLIED, *[SKIPPED] * 8]
    assert len(world.gateway.requests) == 2
    assert isinstance(ending.error, JournalError)
    assert [each.attempts for each in ending.outcomes] == [1, 1, *[0] * 8]
    assert ending.state.agents[AgentId(1003)] == old
    assert set(statuses(world.on_disk()).values()) == {RecordStatus.ACKNOWLEDGED}


def test_a_journal_that_fails_at_an_outcome_stops_all_sending_and_what_the_gateway_said_is_kept(tmp_path: Path) -> None:
    world = Room(tmp_path)
    world.disk.fail_after = 1
    ending = world.run(fleet(*TEN), workers=1)

    assert by_group(ending.results) == [APPLIED, *[SKIPPED] * 9]
    assert isinstance(ending.error, JournalError)
    assert statuses(ending.state) == acknowledged(1001)


def test_a_journal_that_fails_while_many_are_in_flight_leaves_every_outcome_as_the_gateway_had_it(
    tmp_path: Path,
) -> None:
    world = Room(tmp_path)

    def together(verdict: Verdict) -> Answer:
        async def answer() -> Verdict:
            await until(lambda: world.gateway.most_at_once == 3)
            world.disk.fail_after = 0
            return verdict

        return answer

    world.gateway = ScriptedGateway({1001: [together(YES)], 1002: [together(NO)], 1003: [together(LOST)]})
    ending = world.run(fleet(*TEN), workers=3, first_backoff=60)

    assert by_group(ending.results) == [APPLIED, FAILED, IN_DOUBT, *[SKIPPED] * 7]
    assert isinstance(ending.error, JournalError)
    assert world.gateway.calls() == {1001: 1, 1002: 1, 1003: 1}
    assert statuses(ending.state) == {**acknowledged(1001), 1003: RecordStatus.IN_DOUBT}


@pytest.mark.parametrize("doing", ["forget", "note"])
def test_a_journal_that_fails_before_the_calls_stops_them_all(tmp_path: Path, doing: str) -> None:
    world = Room(tmp_path, {1001: record(VALUES), 1002: record(VALUES)})
    world.disk.fail_after = 0
    wanted = fleet(1001, 1003) if doing == "forget" else fleet(1001, 1002, 1003)
    ending = world.run(wanted, notes={1001: Note(team="night", protected=False)} if doing == "note" else {})

    assert isinstance(ending.error, JournalError)
    assert world.gateway.requests == []
    assert ending.results[1003] is SKIPPED
    # What could not be journalled is in the state all the same, and the outcomes say what the state says.
    assert [agent for agent, result in ending.results.items() if result is Result.FORGOTTEN] == [
        agent for agent in (1001, 1002) if agent not in ending.state.agents
    ]


def test_a_record_that_cannot_be_dropped_is_a_bug_that_stops_the_run(tmp_path: Path) -> None:
    world = Room(tmp_path, {1001: record(VALUES)})
    plan = world.plan(fleet(1002))
    world.run(fleet())  # somebody else's doing
    ending = world.run(plan)

    assert by_group(ending.results, [1001, 1002]) == [SKIPPED, SKIPPED]
    assert isinstance(ending.error, ValueError)


# Being told to stop


def test_a_stop_lets_calls_in_flight_finish_and_begins_no_other(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def interrupted() -> Verdict:
        world.stop.request(INTERRUPT, grace=PATIENCE)
        await asyncio.sleep(0.01)
        return YES

    world.gateway = ScriptedGateway({1003: [interrupted]})
    ending = world.run(fleet(*TEN), workers=1)

    assert by_group(ending.results) == [APPLIED, APPLIED, APPLIED, *[SKIPPED] * 7]
    assert ending.error is INTERRUPT
    assert statuses(ending.state) == acknowledged(*TEN[:3])


def test_a_call_that_outlasts_the_grace_is_given_up_and_in_doubt(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def hang() -> Verdict:
        world.stop.request(INTERRUPT, grace=0.01)
        return await never()

    world.gateway = ScriptedGateway({1002: [hang]})
    ending = world.run(fleet(*TEN), workers=2)

    assert (ending.results[1002], ending.outcomes[1].attempts) == (IN_DOUBT, 1)
    assert ending.outcomes[1].message == "given up while waiting for the answer"
    assert statuses(ending.state)[1002] is RecordStatus.IN_DOUBT
    assert ending.results.items() >= {1001: APPLIED, 1010: SKIPPED}.items()


def test_an_interrupt_gives_up_calls_of_a_run_that_was_stopping_already(tmp_path: Path) -> None:
    world = Room(tmp_path)
    first = RunStoppedError("the breaker")

    async def hang() -> Verdict:
        world.stop.request(first)
        asyncio.get_running_loop().call_later(0.01, lambda: world.stop.request(INTERRUPT, grace=0.01))
        return await never()

    world.gateway = ScriptedGateway({1001: [hang]})
    ending = world.run(fleet(1001))

    assert ending.results == {1001: IN_DOUBT}
    assert ending.error is first


def test_an_agent_who_only_waited_for_a_slot_is_skipped(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def interrupted() -> Verdict:
        world.stop.request(INTERRUPT)
        return YES

    world.gateway = ScriptedGateway({1001: [interrupted]})
    ending = world.run(fleet(*TEN), workers=4, rate=0.001)

    assert by_group(ending.results) == [APPLIED, *[SKIPPED] * 9]
    assert [each.attempts for each in ending.outcomes] == [1, *[0] * 9]
    assert list(ending.state.agents) == [1001]


def test_an_agent_whose_intent_became_durable_after_the_stop_is_skipped_and_its_intent_withdrawn(
    tmp_path: Path,
) -> None:
    old = record(concurrency(8))
    world = Room(tmp_path, dict.fromkeys(TEN, old))
    world.disk.hold = Event()

    async def main() -> None:
        await asyncio.to_thread(world.disk.syncing.wait, PATIENCE)
        world.stop.request(INTERRUPT, grace=PATIENCE)
        assert world.disk.hold is not None
        world.disk.hold.set()

    ending = world.run(fleet(*TEN), beside=main)

    assert set(ending.results.values()) == {SKIPPED}
    assert world.gateway.requests == []
    assert ending.state.agents == dict.fromkeys(map(AgentId, TEN), old)


def test_an_agent_given_up_while_its_intent_became_durable_is_skipped(tmp_path: Path) -> None:
    old = record(concurrency(8))
    world = Room(tmp_path, dict.fromkeys(TEN, old))
    world.disk.hold = Event()

    async def main() -> None:
        await asyncio.to_thread(world.disk.syncing.wait, PATIENCE)
        world.stop.request(INTERRUPT, grace=0.01)
        await asyncio.sleep(0.05)
        assert world.disk.hold is not None
        world.disk.hold.set()

    ending = world.run(fleet(*TEN), beside=main)

    assert set(ending.results.values()) == {SKIPPED}
    assert world.gateway.requests == []
    assert ending.state.agents == dict.fromkeys(map(AgentId, TEN), old)


def test_an_acknowledgement_given_up_while_it_became_durable_is_still_one(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def slow_disk() -> Verdict:
        world.disk.syncing.clear()
        world.disk.hold = Event()
        return YES

    world.gateway = ScriptedGateway({1001: [slow_disk]})

    async def main() -> None:
        await until(lambda: world.disk.hold)
        await asyncio.to_thread(world.disk.syncing.wait, PATIENCE)
        world.stop.request(INTERRUPT, grace=0.01)
        await asyncio.sleep(0.05)
        assert world.disk.hold is not None
        world.disk.hold.set()

    ending = world.run(fleet(1001), beside=main)

    assert ending.results == {1001: APPLIED}
    assert statuses(ending.state) == acknowledged(1001)


def test_whoever_waits_for_a_source_that_hangs_is_skipped_at_once(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def hang() -> None:
        world.stop.request(INTERRUPT, grace=3600)
        await never()

    world.source = ScriptedSource(failures={1: hang})

    assert set(world.run(fleet(*TEN)).results.values()) == {SKIPPED}


def test_an_expired_session_that_cannot_be_read_before_the_stop_is_deferred(tmp_path: Path) -> None:
    world = Room(tmp_path, {1001: record(concurrency(8))})

    async def hang() -> None:
        world.stop.request(INTERRUPT, grace=3600)
        await never()

    world.source = ScriptedSource(failures={2: hang})
    world.gateway = ScriptedGateway({1001: [SessionExpired(retcode="000-003")]})
    ending = world.run(fleet(1001))

    assert ending.results == {1001: Result.DEFERRED}
    assert ending.state.agents == {1001: record(concurrency(8))}


def test_a_stop_before_the_first_call_skips_everybody(tmp_path: Path) -> None:
    world = Room(tmp_path, {1011: record()})
    world.stop.request(INTERRUPT)
    ending = world.run(fleet(*TEN))

    assert set(ending.results.values()) == {SKIPPED}
    assert list(ending.state.agents) == [1011]


def test_the_whole_run_cancelled_leaves_no_worker_behind_and_the_journal_for_the_next_run(tmp_path: Path) -> None:
    gateway = ScriptedGateway({1002: [never]})
    world = Room(tmp_path, gateway=gateway)

    async def main() -> None:
        await until(lambda: gateway.open[1002] and 1001 in gateway.acknowledged)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        world.run(fleet(1001, 1002), beside=main)

    assert world.journal.exists()
    assert statuses(world.on_disk())[1002] is RecordStatus.IN_DOUBT

    world.gateway = ScriptedGateway()
    again = world.run(fleet(1001, 1002))
    assert again.results.items() >= {1002: APPLIED}.items()
    assert statuses(world.on_disk()) == acknowledged(1001, 1002)


def test_a_keyboard_interrupt_leaves_the_journal_and_frees_the_lock(tmp_path: Path) -> None:
    def listener(outcome: Outcome) -> None:
        if outcome.agent == 1003:
            raise KeyboardInterrupt

    world = Room(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        world.run(fleet(*TEN), workers=1, on_outcome=listener)

    assert world.journal.exists()
    assert statuses(world.on_disk()) == acknowledged(1001, 1002, 1003)
    with world.store.lock(HOLDER):
        pass


def test_a_reset_that_was_skipped_keeps_its_record(tmp_path: Path) -> None:
    old: dict[int, AgentRecord] = {1001: record(VALUES), 1002: record(VALUES)}
    world = Room(tmp_path, old)
    world.stop.request(INTERRUPT)
    ending = world.run(fleet(removal=OnAgentRemoval.RESET))

    assert set(ending.results.values()) == {SKIPPED}
    assert ending.state.agents == old


def test_team_and_protection_go_into_the_record_with_the_values(tmp_path: Path) -> None:
    wanted = desired({1001: desired_agent(VALUES, team="vip", protected=True)})
    saved = Room(tmp_path).run(wanted).state.agents[AgentId(1001)]

    assert (saved.team, saved.protected, saved.session) == ("vip", True, "login-1001")
