"""One agent's turn, by what the gateway answers: outcome, calls, and what is recorded in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from applying.scripted import VALUES, Answer, Fault, Room, ScriptedGateway, ScriptedSource, fleet, never
from support.fleets import NOW, concurrency, record

from reconciler.applying import RunStoppedError
from reconciler.errors import ExitCode, SessionSourceError
from reconciler.gateway import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Refused,
    Request,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
)
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.values import replace

AGENT = 1001
OLD = record(concurrency(8, web_chat=3), session="login-0", team="night")

YES = Acknowledged(message="success")
ABSENT = NotSignedIn(retcode="100-006", message="not signed in")
EXPIRED = SessionExpired(retcode="000-003", message="expired")
BUSY = Transient(retcode="000-007", message="busy")
PROXY = Transient(message="HTTP 502", sent_maybe=True)
LOST = Unanswered(message="no answer")
NO = Refused(retcode="106-011", message="no queue")
WRONG = Misconfigured(message="no such host")

Expected = tuple[Result, int, str | None]


def room(
    tmp_path: Path, script: Sequence[Answer], recorded: AgentRecord | None = OLD, source: ScriptedSource | None = None
) -> Room:
    agents = {} if recorded is None else {AGENT: recorded}
    return Room(
        tmp_path, agents, gateway=ScriptedGateway({AGENT: script}, otherwise=Fault("unscripted")), source=source
    )


def recorded_of(room: Room) -> AgentRecord | None:
    return room.on_disk().agents.get(AgentId(AGENT))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([YES], (Result.APPLIED, 1, "0"), id="acknowledged"),
        pytest.param([ABSENT], (Result.DEFERRED, 1, "100-006"), id="not-signed-in"),
        pytest.param([NO], (Result.FAILED, 1, "106-011"), id="refused"),
        pytest.param([BUSY, YES], (Result.APPLIED, 2, "0"), id="transient-then-acknowledged"),
        pytest.param([BUSY] * 4, (Result.FAILED, 4, "000-007"), id="transient-to-the-end"),
        pytest.param([BUSY, ABSENT], (Result.DEFERRED, 2, "100-006"), id="transient-then-gone"),
        pytest.param([LOST] * 4, (Result.IN_DOUBT, 4, None), id="unanswered-to-the-end"),
        pytest.param([PROXY] * 4, (Result.IN_DOUBT, 4, None), id="a-proxys-502-to-the-end"),
        pytest.param([LOST, YES], (Result.APPLIED, 2, "0"), id="doubt-taken-away-by-an-acknowledgement"),
        pytest.param([LOST, NO], (Result.IN_DOUBT, 2, "106-011"), id="doubt-not-taken-away-by-a-refusal"),
        pytest.param([PROXY, ABSENT], (Result.IN_DOUBT, 2, "100-006"), id="doubt-not-taken-away-by-absence"),
        pytest.param([LOST, BUSY, BUSY, BUSY], (Result.IN_DOUBT, 4, "000-007"), id="doubt-not-taken-away-by-busyness"),
        pytest.param([LOST, EXPIRED, EXPIRED], (Result.IN_DOUBT, 3, "000-003"), id="doubt-not-taken-away-by-expiry"),
        pytest.param([LOST, WRONG], (Result.IN_DOUBT, 2, None), id="doubt-not-taken-away-by-a-wrong-site"),
        pytest.param([EXPIRED, YES], (Result.APPLIED, 2, "0"), id="expired-then-acknowledged"),
        pytest.param([EXPIRED, EXPIRED], (Result.DEFERRED, 2, "000-003"), id="expired-twice"),
        pytest.param([EXPIRED, BUSY, EXPIRED], (Result.DEFERRED, 3, "000-003"), id="expired-around-a-transient"),
        pytest.param([EXPIRED, *[BUSY] * 4], (Result.FAILED, 5, "000-007"), id="an-expiry-costs-no-attempt"),
        pytest.param([WRONG], (Result.FAILED, 1, None), id="misconfigured"),
    ],
)
def test_a_turn_ends_by_the_verdicts_and_the_record_says_the_same(
    tmp_path: Path, script: list[Verdict], expected: Expected
) -> None:
    world = room(tmp_path, script)
    outcome = world.run(fleet(AGENT)).only

    assert (outcome.result, outcome.attempts, outcome.retcode) == expected
    assert world.gateway.calls() == {AGENT: len(script)}
    sent = OLD.amended(concurrency=VALUES, team="east")
    assert recorded_of(world) == {
        Result.APPLIED: replace(sent, acknowledged_at=NOW, session=f"login-{AGENT}"),
        Result.IN_DOUBT: sent.amended(status=RecordStatus.IN_DOUBT),
    }.get(outcome.result, OLD)
    assert not world.journal.exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param([YES], "success", id="acknowledged"),
        pytest.param([LOST] * 4, "no answer", id="unanswered"),
        pytest.param([PROXY] * 4, "HTTP 502", id="a-proxys-502"),
        pytest.param([LOST, NO], "an earlier call may have been taken; the last one: no queue", id="earlier-doubt"),
    ],
)
def test_an_outcome_tells_the_last_verdict_and_why_it_is_not_the_whole_story(
    tmp_path: Path, script: list[Verdict], message: str
) -> None:
    assert room(tmp_path, script).run(fleet(AGENT)).only.message == message


@pytest.mark.parametrize("script", [[ABSENT], [NO], [BUSY] * 4], ids=["deferred", "failed", "used-up"])
def test_what_was_in_doubt_before_stays_so_when_the_new_values_were_not_taken(
    tmp_path: Path, script: list[Verdict]
) -> None:
    before = OLD.amended(status=RecordStatus.IN_DOUBT)
    world = room(tmp_path, script, before)
    world.run(fleet(AGENT))

    assert recorded_of(world) == before


@pytest.mark.parametrize("script", [[ABSENT], [NO], [BUSY] * 4], ids=["deferred", "failed", "used-up"])
def test_an_agent_without_a_record_has_none_afterwards_when_nothing_was_taken(
    tmp_path: Path, script: list[Verdict]
) -> None:
    world = room(tmp_path, script, None)
    world.run(fleet(AGENT))

    assert world.on_disk().agents == {}


@pytest.mark.parametrize(
    ("script", "result", "kept"),
    [
        pytest.param([YES], Result.APPLIED, None, id="acknowledged-drops-the-record"),
        pytest.param([ABSENT], Result.DEFERRED, OLD, id="deferred-keeps-it"),
        pytest.param([NO], Result.FAILED, OLD, id="failed-keeps-it"),
    ],
)
def test_a_reset_drops_the_record_only_once_it_is_acknowledged(
    tmp_path: Path, script: list[Verdict], result: Result, kept: AgentRecord | None
) -> None:
    world = room(tmp_path, script)
    outcome = world.run(fleet(removal=OnAgentRemoval.RESET)).only

    assert (outcome.action, outcome.result) == (Action.RESET, result)
    assert recorded_of(world) == kept


def test_a_reset_in_doubt_is_sent_again_by_the_next_run(tmp_path: Path) -> None:
    world = room(tmp_path, [*[LOST] * 4, YES])
    gone = fleet(removal=OnAgentRemoval.RESET)
    assert world.run(gone).only.result is Result.IN_DOUBT
    kept = recorded_of(world)
    assert kept is not None
    assert kept.status is RecordStatus.IN_DOUBT

    assert world.run(gone).only.result is Result.APPLIED
    assert world.run(gone).outcomes == ()


def test_an_agent_of_whom_no_session_is_known_is_deferred_without_a_call_or_an_intent(tmp_path: Path) -> None:
    world = room(tmp_path, [], source=ScriptedSource(absent=frozenset({AGENT})))
    outcome = world.run(fleet(AGENT)).only

    assert outcome == Outcome(
        agent=AgentId(AGENT), action=Action.SET, result=Result.DEFERRED, message="no session of this agent is known"
    )
    assert world.gateway.requests == []
    assert b"intent" not in world.disk.durable


def test_an_expired_session_is_read_again_and_the_new_one_is_sent(tmp_path: Path) -> None:
    world = room(tmp_path, [EXPIRED, YES])
    world.run(fleet(AGENT))

    assert world.gateway.guids(AGENT) == ["guid-1001-1", "guid-1001-2"]


def test_an_expired_session_the_source_still_gives_is_not_sent_again(tmp_path: Path) -> None:
    source = ScriptedSource(steady=True)
    outcome = room(tmp_path, [EXPIRED], source=source).run(fleet(AGENT)).only

    assert (outcome.result, outcome.attempts) == (Result.DEFERRED, 1)
    assert source.asked == [(AGENT,), (AGENT,)]


def test_an_expired_session_the_source_gives_no_more_is_deferred(tmp_path: Path) -> None:
    source = ScriptedSource()

    async def sign_out() -> None:
        source.absent = frozenset({AGENT})

    source.failures = {2: sign_out}
    outcome = room(tmp_path, [EXPIRED], source=source).run(fleet(AGENT)).only

    assert (outcome.result, outcome.attempts, outcome.retcode) == (Result.DEFERRED, 1, "000-003")


def aging(world: Room, seconds: float, verdict: Verdict) -> Answer:
    """An answer that takes so long by the run's clock."""

    async def answer() -> Verdict:
        world.clock.seconds += seconds
        return verdict

    return answer


def test_a_session_that_got_too_old_between_two_attempts_is_read_again(tmp_path: Path) -> None:
    world = Room(tmp_path)
    world.gateway = ScriptedGateway({AGENT: [aging(world, 40, BUSY), aging(world, 40, BUSY), YES]})
    assert world.run(fleet(AGENT), max_age=45).only.result is Result.APPLIED

    assert world.gateway.guids(AGENT) == ["guid-1001-1", "guid-1001-1", "guid-1001-2"]


def test_an_agent_who_signed_out_during_the_backoff_is_deferred(tmp_path: Path) -> None:
    source = ScriptedSource()

    async def sign_out() -> None:
        source.absent = frozenset({AGENT})

    source.failures = {2: sign_out}
    world = Room(tmp_path, source=source)
    world.gateway = ScriptedGateway({AGENT: [aging(world, 46, BUSY)]})
    outcome = world.run(fleet(AGENT)).only

    assert (outcome.result, outcome.attempts, outcome.retcode) == (Result.DEFERRED, 1, None)
    assert outcome.message == "no session of this agent is known any more"


def test_a_session_that_got_too_old_while_waiting_for_its_slot_is_read_again(tmp_path: Path) -> None:
    source = ScriptedSource()
    world = Room(tmp_path, source=source)
    world.gateway = ScriptedGateway({AGENT: [aging(world, 46, YES)]})
    world.run(fleet(AGENT, 1002), workers=2, rate=4)

    assert source.asked == [(AGENT, 1002), (1002,)]
    assert world.gateway.guids(1002) == ["guid-1002-2"]


def test_a_stop_while_a_session_is_read_again_leaves_no_intent_open(tmp_path: Path) -> None:
    world = Room(tmp_path)

    async def hang() -> None:
        world.stop.request(RunStoppedError("enough"))
        await never()

    world.source = ScriptedSource(failures={2: hang})
    world.gateway = ScriptedGateway({AGENT: [aging(world, 46, YES)]})
    ending = world.run(fleet(AGENT, 1002), workers=2, rate=4)

    assert ending.results == {AGENT: Result.APPLIED, 1002: Result.SKIPPED}
    assert {agent: each.status for agent, each in world.on_disk().agents.items()} == {AGENT: RecordStatus.ACKNOWLEDGED}


@pytest.mark.parametrize(("attempts", "calls"), [(1, 1), (2, 2), (7, 7)])
def test_no_more_calls_are_made_than_asked_for(tmp_path: Path, attempts: int, calls: int) -> None:
    world = room(tmp_path, [BUSY] * 9)
    outcome = world.run(fleet(AGENT), max_attempts=attempts).only

    assert (outcome.attempts, world.gateway.calls()) == (calls, {AGENT: calls})


def test_a_servers_wish_to_wait_is_kept_and_the_wait_ends_with_a_stop(tmp_path: Path) -> None:
    world = room(tmp_path, [])

    async def busy() -> Verdict:
        asyncio.get_running_loop().call_later(0.05, world.stop.request, RunStoppedError("enough"))
        return Transient(retcode="100-003", message="throttled", retry_after=60)

    world.gateway = ScriptedGateway({AGENT: [busy]})
    outcome = slow(world)

    assert (outcome.result, outcome.attempts, outcome.message) == (Result.FAILED, 1, "throttled")
    assert recorded_of(world) == OLD


def slow(world: Room) -> Outcome:
    """The outcome of a run whose backoffs are far longer than any test may last."""
    return world.run(fleet(AGENT), first_backoff=8.0).only


def test_a_stop_during_a_backoff_keeps_a_doubt(tmp_path: Path) -> None:
    world = room(tmp_path, [])

    async def lost() -> Verdict:
        asyncio.get_running_loop().call_later(0.05, world.stop.request, RunStoppedError("enough"))
        return LOST

    world.gateway = ScriptedGateway({AGENT: [lost]})
    outcome = slow(world)

    assert (outcome.result, outcome.attempts) == (Result.IN_DOUBT, 1)
    after = recorded_of(world)
    assert after is not None
    assert (after.concurrency, after.status) == (VALUES, RecordStatus.IN_DOUBT)


def test_settings_that_cannot_work_stop_the_run_with_a_sentence(tmp_path: Path) -> None:
    world = room(tmp_path, [WRONG])
    ending = world.run(fleet(AGENT, 1002, 1003), workers=1)

    assert ending.results == {AGENT: Result.FAILED, 1002: Result.SKIPPED, 1003: Result.SKIPPED}
    assert isinstance(ending.error, RunStoppedError)
    assert str(ending.error) == "stopped: no such host"
    assert ending.error.exit_code is ExitCode.SOME_AGENTS_FAILED


def test_the_values_are_durably_intended_before_the_first_byte(tmp_path: Path) -> None:
    seen = []

    def witness(request: Request) -> None:
        # As after a power cut at this very moment: only what was synced is there.
        seen.append(world.survives().agents[request.agent])

    gateway = ScriptedGateway({AGENT: [BUSY, YES]}, witness=witness)
    world = Room(tmp_path, {AGENT: OLD}, gateway=gateway)
    assert world.run(fleet(AGENT)).error is None

    assert [(each.concurrency, each.status) for each in seen] == [(VALUES, RecordStatus.IN_DOUBT)] * 2


def test_one_intent_serves_all_attempts_of_a_turn(tmp_path: Path) -> None:
    world = room(tmp_path, [BUSY, EXPIRED, LOST, YES])
    world.run(fleet(AGENT))

    assert world.disk.durable.count(b'"intent"') == 1


def test_a_source_that_fails_when_asked_again_leaves_no_false_doubt(tmp_path: Path) -> None:
    gone = SessionSourceError("the source is gone")
    world = room(tmp_path, [EXPIRED], source=ScriptedSource(failures={2: gone}))
    ending = world.run(fleet(AGENT))

    assert (ending.only.result, ending.only.attempts) == (Result.DEFERRED, 1)
    assert ending.error is gone
    assert recorded_of(world) == OLD


def test_a_bug_during_a_call_leaves_the_agent_in_doubt(tmp_path: Path) -> None:
    bug = Fault("in the client")
    world = room(tmp_path, [BUSY, bug])
    ending = world.run(fleet(AGENT))

    assert (ending.only.result, ending.only.attempts, ending.only.retcode) == (Result.IN_DOUBT, 2, None)
    assert ending.error is bug
    after = recorded_of(world)
    assert after is not None
    assert after.status is RecordStatus.IN_DOUBT


def test_a_bug_before_a_call_leaves_no_doubt(tmp_path: Path) -> None:
    world = room(tmp_path, [])
    plan = replace(world.plan(fleet(AGENT)), callnums_key=None)
    ending = world.run(plan)

    assert (ending.only.result, ending.only.attempts) == (Result.SKIPPED, 0)
    assert isinstance(ending.error, AttributeError)
    assert recorded_of(world) == OLD


def test_a_clock_that_tells_nonsense_leaves_the_agent_in_doubt_and_nothing_worse(tmp_path: Path) -> None:
    world = room(tmp_path, [YES])
    ending = world.run(fleet(AGENT), now=lambda: "yesterday")
    after = recorded_of(world)

    assert isinstance(ending.error, ValueError)
    assert after is not None
    assert (after.concurrency, after.status) == (VALUES, RecordStatus.IN_DOUBT)
