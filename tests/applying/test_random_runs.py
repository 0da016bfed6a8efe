"""Whatever the gateway answers and whatever breaks: one outcome per change, and a state that claims nothing untrue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from applying.scripted import VALUES, Answer, Ending, Fault, Room, ScriptedGateway, ScriptedSource, fleet
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fleets import NOW, concurrency, record

from reconciler.errors import InterruptedRunError, SessionSourceError
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
from reconciler.model.outcome import Result
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.values import replace

YES = Acknowledged()
ABSENT = NotSignedIn(retcode="100-006")
EXPIRED = SessionExpired(retcode="000-003")
BUSY = Transient(retcode="000-007")
PROXY = Transient(message="HTTP 502", sent_maybe=True)
LOST = Unanswered(message="no answer")
NO = Refused(retcode="106-011")
Scripts = dict[int, list[Answer]]
Befores = dict[int, AgentRecord | None]

VERDICTS: tuple[Verdict, ...] = (YES, ABSENT, EXPIRED, BUSY, PROXY, LOST, NO)

WANTED = (1001, 1002, 1003, 1004)
REMOVED = (1011, 1012)
EVERYBODY = (*WANTED, *REMOVED)
OLD = record(concurrency(8, web_chat=3), session="login-0")
DOUBTED = OLD.amended(acknowledged_at=None, status=RecordStatus.IN_DOUBT)

scripts = st.fixed_dictionaries({agent: st.lists(st.sampled_from(VERDICTS), max_size=6) for agent in EVERYBODY})
befores = st.fixed_dictionaries(
    {agent: st.sampled_from([None, OLD, DOUBTED]) for agent in WANTED}
    | {agent: st.sampled_from([OLD, DOUBTED]) for agent in REMOVED}
)
"""Who is recorded how; the removed ones are, or nothing would be known of them."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of one agent's turn, told from the verdict table and not from the code."""

    result: Result
    calls: int


def foretell(script: Sequence[Verdict], *, tries: int) -> Fate:
    doubt, expired = False, 0
    for calls, verdict in enumerate([*script, *[YES] * 9], start=1):
        if verdict is YES:
            return Fate(result=Result.APPLIED, calls=calls)
        doubt |= verdict in (LOST, PROXY)
        expired += verdict is EXPIRED
        over = verdict in (ABSENT, NO) or (expired == 2 if verdict is EXPIRED else calls - expired == tries)
        if over and doubt:
            return Fate(result=Result.IN_DOUBT, calls=calls)
        if over:
            return Fate(result=Result.DEFERRED if verdict in (ABSENT, EXPIRED) else Result.FAILED, calls=calls)
    raise AssertionError


def afterwards(agent: int, before: AgentRecord | None, sent: AgentRecord, result: Result) -> AgentRecord | None:
    if result is Result.APPLIED:
        key = f"login-{agent}"
        return None if agent in REMOVED else replace(sent, acknowledged_at=NOW, session=key)
    return sent.amended(status=RecordStatus.IN_DOUBT) if result is Result.IN_DOUBT else before


@settings(max_examples=50, deadline=None)
@given(script=scripts, before=befores, tries=st.integers(1, 4), workers=st.integers(1, 5), ahead=st.integers(0, 5))
def test_outcomes_calls_and_records_are_those_the_verdict_table_foretells(
    script: dict[int, list[Verdict]], before: dict[int, AgentRecord | None], tries: int, workers: int, ahead: int
) -> None:
    with TemporaryDirectory() as directory:
        recorded = {agent: each for agent, each in before.items() if each is not None}
        world = Room(Path(directory), recorded, gateway=ScriptedGateway(script))
        wanted = fleet(*WANTED, removal=OnAgentRemoval.RESET)
        ending = world.run(wanted, workers=workers, ahead=ahead, max_attempts=tries)
        on_disk, waiting = world.on_disk().agents, set(world.on_disk().pending)

    fates = {agent: foretell(script[agent], tries=tries) for agent in EVERYBODY}
    assert [outcome.agent for outcome in ending.outcomes] == list(EVERYBODY)
    assert ending.results == {agent: fate.result for agent, fate in fates.items()}
    assert world.gateway.calls() == {agent: fate.calls for agent, fate in fates.items()}
    assert ending.error is None
    changes = {change.agent: change for change in ending.plan.calls}
    expected = {}
    for agent, fate in fates.items():
        old = before[agent] or replace(OLD, acknowledged_at=None, session=None)
        sent = old.amended(concurrency=changes[AgentId(agent)].after, status=RecordStatus.ACKNOWLEDGED)
        expected[agent] = afterwards(agent, before[agent], sent, fate.result)
    assert on_disk == {agent: each for agent, each in expected.items() if each is not None}
    assert waiting == {agent for agent, fate in fates.items() if fate.result is Result.DEFERRED}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What goes wrong, and at which call, sync or reading of the source; 0 is never."""

    stop_at_call: int = 0
    bug_at_call: int = 0
    wrong_site_at_call: int = 0
    broken_after_sync: int | None = None
    gone_at_reading: int = 0


class TroubledGateway(ScriptedGateway):
    """A scripted gateway that brings the trouble along and keeps a book of what it may have taken."""

    def __init__(self, script: Scripts, trouble: Trouble, world: Room) -> None:
        super().__init__(script)
        self._trouble = trouble
        self._world = world
        self.unsettled: set[int] = set()
        """Who may have been changed by a call whose answer was lost, and has had no acknowledgement since."""

    async def call(self, request: Request) -> Verdict:
        number = len(self.requests) + 1
        if number == self._trouble.stop_at_call:
            self._world.stop.request(InterruptedRunError("interrupted"))
        if number == self._trouble.wrong_site_at_call:
            self.requests.append(request)
            return Misconfigured(message="no such host")
        verdict = await super().call(request)
        if number == self._trouble.bug_at_call:
            self.unsettled.add(request.agent)
            raise Fault("bug")
        if verdict in (LOST, PROXY):
            self.unsettled.add(request.agent)
        if verdict == YES:
            self.unsettled.discard(request.agent)
        return verdict


troubles = st.builds(
    Trouble,
    stop_at_call=st.integers(0, 8),
    bug_at_call=st.integers(0, 8),
    wrong_site_at_call=st.integers(0, 8),
    broken_after_sync=st.none() | st.integers(0, 8),
    gone_at_reading=st.integers(0, 5),
)


def troubled_run(
    directory: str,
    script: Scripts,
    before: Befores,
    trouble: Trouble,
    *,
    workers: int = 1,
    ahead: int = 0,
    batch: int = 1,
) -> tuple[Ending, TroubledGateway, Room]:
    recorded = {agent: each for agent, each in before.items() if each is not None}
    source = ScriptedSource(failures={trouble.gone_at_reading: SessionSourceError("gone")})
    world = Room(Path(directory), recorded, source=source)
    world.gateway = gateway = TroubledGateway(script, trouble, world)
    world.disk.fail_after = trouble.broken_after_sync
    ending = world.run(fleet(*WANTED, removal=OnAgentRemoval.RESET), workers=workers, ahead=ahead, batch=batch)
    return ending, gateway, world


def acknowledged_values(gateway: ScriptedGateway) -> Iterator[tuple[int, int]]:
    for agent, body in gateway.acknowledged.items():
        assert isinstance(body, dict)
        yield agent, body["totalCallNum"]


@settings(max_examples=80, deadline=None)
@given(
    script=scripts,
    before=befores,
    trouble=troubles,
    hands=st.tuples(st.integers(1, 5), st.integers(0, 5)),
    batch=st.integers(1, 6),
)
def test_whatever_breaks_the_state_claims_no_more_than_the_gateway_said(
    script: Scripts, before: Befores, trouble: Trouble, hands: tuple[int, int], batch: int
) -> None:
    workers, ahead = hands
    with TemporaryDirectory() as directory:
        ending, gateway, world = troubled_run(
            directory, script, before, trouble, workers=workers, ahead=ahead, batch=batch
        )
        left = world.on_disk()
        on_disk = left.agents

    assert [outcome.agent for outcome in ending.outcomes] == list(EVERYBODY)
    assert sorted(ending.told) == list(ending.outcomes)
    assert left.content == ending.state.content
    assert set(left.pending) == {agent for agent, result in ending.results.items() if result is Result.DEFERRED}
    assert gateway.most_of_one_agent <= 1
    taken = dict(acknowledged_values(gateway))
    for outcome in ending.outcomes:
        agent, after = outcome.agent, on_disk.get(outcome.agent)
        assert outcome.attempts == gateway.calls().get(agent, 0)
        match outcome.result:
            case Result.APPLIED:
                assert agent in taken
                assert after is None if agent in REMOVED else after is not None and after.concurrency == VALUES
            case Result.IN_DOUBT:
                assert agent in gateway.unsettled
                assert after is not None
                assert after.status is RecordStatus.IN_DOUBT
            case _:
                assert agent not in gateway.unsettled
                assert after == before[agent]


@settings(max_examples=30, deadline=None)
@given(script=scripts, before=befores, trouble=troubles, workers=st.integers(1, 5))
def test_the_run_after_a_troubled_one_finishes_with_exactly_the_missing_calls(
    script: Scripts, before: Befores, trouble: Trouble, workers: int
) -> None:
    with TemporaryDirectory() as directory:
        first, _, world = troubled_run(directory, script, before, trouble, workers=workers)
        world.gateway, world.source, world.disk.fail_after = ScriptedGateway(), ScriptedSource(), None
        wanted = fleet(*WANTED, removal=OnAgentRemoval.RESET)
        world.run(wanted, workers=workers)
        left = world.run(wanted)

    missing = [agent for agent, result in first.results.items() if result is not Result.APPLIED]
    assert world.gateway.calls() == dict.fromkeys(missing, 1)
    assert (left.outcomes, left.error) == ((), None)
    assert list(left.state.agents) == list(WANTED)
    assert left.state.pending == {}


@settings(max_examples=30, deadline=None)
@given(script=scripts, before=befores, trouble=troubles)
def test_nobody_is_skipped_without_a_reason(script: Scripts, before: Befores, trouble: Trouble) -> None:
    with TemporaryDirectory() as directory:
        ending, _, _ = troubled_run(directory, script, before, trouble)

    assert ending.error is not None or Result.SKIPPED not in ending.results.values()
