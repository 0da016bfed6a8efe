"""An apply that signs its agents in, from the lock to the unlock: whatever ends it, nobody is left signed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from applying.rehearsed import Office
from applying.scripted import PATIENCE, VALUES, results
from support.calls import Clock
from support.fleets import fleet_of
from support.rehearsal import RehearsalServer

from reconciler.applying import ApplyReport, Stop
from reconciler.errors import ExitCode, InterruptedRunError, ReconcilerError, SessionSourceError, StalePlanError
from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome, Result
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.simulator import Rules, Step

AGENTS = range(1001, 1011)


@pytest.fixture(autouse=True)
def credentials(office: Office) -> None:
    document = {"*": {"password": "open-sesame", "phonenum": "4{agent}"}}
    (office.directory / "credentials.json").write_text(json.dumps(document))


def wanted(office: Office, *, workers: int = 4, agents: range = AGENTS, **settings: Any) -> Desired:
    sessions = SignInSessions(credentials=SecretReference.parse("file:credentials.json"), **settings)
    return office.desired(fleet_of(agents, VALUES), sessions=sessions, gateway=office.gateway(concurrency=workers))


def count(office: Office, step: Step, agent: int | None = None) -> int:
    return office.server.call(lambda gateway: gateway.attendance.count(step, agent))


def ghosts(office: Office) -> set[int]:
    """Who is signed in and not by a person at a desk."""
    document: dict[str, Any] = office.server.call(lambda gateway: gateway.attendance_document())
    return {int(agent) for agent, keeper in document["signed_in"].items() if keeper == "caller"}


def refused(office: Office) -> dict[str, int]:
    document: dict[str, Any] = office.server.call(lambda gateway: gateway.attendance_document())
    return dict(document["refused"])


def codes(report: ApplyReport) -> list[str]:
    return [each.code for each in report.warnings]


def exit_code(report: ApplyReport) -> ExitCode:
    assert isinstance(report.error, ReconcilerError)
    return report.error.exit_code


def test_every_agent_is_signed_in_busy_called_and_signed_out(office: Office) -> None:
    report = office.apply(wanted(office))

    assert set(results(report.outcomes).values()) == {Result.APPLIED}
    assert (count(office, Step.SIGN_IN), count(office, Step.SIGN_OUT)) == (10, 10)
    assert {office.server.call(lambda g, a=agent: g.attendance.status(a)) for agent in AGENTS} == {"3"}  # type: ignore[misc]
    assert {record.session for record in report.state.agents.values()} == {"signin-2025-03-01T12:00:00Z"}
    assert (report.error, codes(report)) == (None, ["signed-in"])


def test_nobody_is_signed_in_where_nothing_is_to_be_sent(office: Office) -> None:
    office.apply(wanted(office))
    (office.directory / "credentials.json").unlink()

    report = office.apply(wanted(office))

    assert (report.outcomes, codes(report)) == ((), [])
    assert count(office, Step.SIGN_IN) == 10


def test_no_more_agents_are_signed_in_at_once_than_calls_are_in_flight(office: Office) -> None:
    office.server.call(lambda gateway: gateway.set_rules(Rules(latency=0.01)))
    most = 0

    def look(_: Outcome) -> None:
        nonlocal most
        most = max(most, len(ghosts(office)))

    office.apply(wanted(office, workers=3), on_outcome=look)

    assert 1 <= most <= 3


def test_a_person_at_work_is_deferred_and_stays_at_work(office: Office) -> None:
    office.sign_in(1002)

    report = office.apply(wanted(office))

    assert results(report.outcomes)[1002] is Result.DEFERRED
    assert [each.retcode for each in report.outcomes if each.agent == 1002] == ["100-002"]
    assert report.state.pending[AgentId(1002)].retcode == "100-002"
    assert count(office, Step.THROWN_OUT) == 0
    assert office.server.call(lambda gateway: [session.agent for session in gateway.sessions()]) == [1002]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_wrong_password_is_sent_once_and_ends_the_run_with_nobody_signed_in(office: Office, workers: int) -> None:
    for agent in AGENTS:
        office.server.call(lambda gateway, agent=agent: gateway.set_password(agent, "another"))  # type: ignore[misc]

    report = office.apply(wanted(office, workers=workers))

    assert refused(office) == {"100-004": 1}
    assert (exit_code(report), ghosts(office)) == (ExitCode.SESSION_SOURCE_FAILED, set())
    assert results(report.outcomes) == {1001: Result.DEFERRED} | dict.fromkeys(range(1002, 1011), Result.SKIPPED)
    assert report.state.pending[AgentId(1001)].retcode == "100-004"


def test_a_wrong_password_in_the_middle_lets_those_before_it_finish(office: Office) -> None:
    office.server.call(lambda gateway: gateway.set_password(1005, "another"))

    report = office.apply(wanted(office))

    told = results(report.outcomes)
    assert {agent for agent in told if told[agent] is Result.APPLIED} == {1001, 1002, 1003, 1004}
    assert (told[1005], told[1006]) == (Result.DEFERRED, Result.SKIPPED)
    assert (exit_code(report), ghosts(office), refused(office)) == (
        ExitCode.SESSION_SOURCE_FAILED,
        set(),
        {"100-004": 1},
    )


def test_the_breaker_leaves_nobody_signed_in(office: Office) -> None:
    office.server.add_faults("*=retcode:106-011")

    report = office.apply(wanted(office), breaker=3)

    assert exit_code(report) is ExitCode.SOME_AGENTS_FAILED
    assert ghosts(office) == set()
    assert count(office, Step.SIGN_IN) == count(office, Step.SIGN_OUT) < 10


def test_a_source_that_fails_in_the_middle_leaves_nobody_signed_in(office: Office) -> None:
    office.server.add_faults(*(f"sign-in/100{number}*=retcode:100-010" for number in range(1, 10)))
    office.server.add_faults("sign-in/1010*=retcode:100-010")

    report = office.apply(wanted(office, agents=range(999, 1013)))

    assert isinstance(report.error, SessionSourceError)
    assert ghosts(office) == set()
    assert count(office, Step.SIGN_OUT) == count(office, Step.SIGN_IN) > 0


def test_a_bug_in_the_middle_leaves_nobody_signed_in(office: Office) -> None:
    def break_down(outcome: Outcome) -> None:
        if outcome.agent == 1003:
            raise ZeroDivisionError

    report = office.apply(wanted(office), on_outcome=break_down)

    assert isinstance(report.error, ZeroDivisionError)
    assert ghosts(office) == set()


def test_an_interrupt_leaves_nobody_signed_in(office: Office) -> None:
    office.server.add_faults("sign-in/*=slow:0.05", "*=slow:0.05")

    def interrupt(_: Outcome) -> None:
        if office.stop is not None:
            office.stop.request(InterruptedRunError("interrupted"), grace=5.0)

    report = office.apply(wanted(office), on_outcome=interrupt)

    assert exit_code(report) is ExitCode.INTERRUPTED
    assert ghosts(office) == set()
    assert count(office, Step.SIGN_IN) == count(office, Step.SIGN_OUT) < 10
    assert codes(report) == ["signed-in"]


def test_an_interrupt_while_the_gateway_hangs_names_whoever_may_be_left(office: Office) -> None:
    office.server.add_faults("1002*=slow:30", "sign-out/1002*=slow:30", "sign-in/1003*=slow:30")

    @contextmanager
    def interrupt_when_both_hang(stop: Stop) -> Iterator[None]:
        def hang() -> bool:
            return count(office, Step.SIGN_IN, 1003) > 0 and 1002 in office.calls_of()

        async def wait() -> None:
            while not await asyncio.to_thread(hang):  # noqa: ASYNC110 - in another thread
                await asyncio.sleep(0.01)
            stop.request(InterruptedRunError("interrupted"), grace=0.1)

        waiting = asyncio.get_running_loop().create_task(wait())
        yield
        waiting.cancel()

    report = office.apply(wanted(office, workers=3), around={"watch_signals": interrupt_when_both_hang})

    left = {each.code: each.summary for each in report.warnings}
    assert results(report.outcomes)[1002] is Result.IN_DOUBT
    assert left["left-signed-in"].startswith("agent 1002 could not be signed out")
    assert left["maybe-signed-in"].startswith("agent 1003 may be signed in")


def test_a_sign_out_without_an_answer_is_told_and_changes_no_outcome(office: Office) -> None:
    office.server.add_faults("sign-out/1002*=reset-before-commit")

    report = office.apply(wanted(office))

    assert set(results(report.outcomes).values()) == {Result.APPLIED}
    assert (ghosts(office), codes(report)) == ({1002}, ["left-signed-in", "signed-in"])


class Late(SessionSource):
    """Lets each call wait until the first Guid of its agent is refused."""

    def __init__(self, source: SessionSource, office: Office, clock: Clock) -> None:
        self._source = source
        self._office = office
        self._clock = clock
        self.first: list[Session] = []
        self.newest: list[Session] = []

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        return await self._source.fetch(agents)

    @asynccontextmanager
    async def calling(self, session: Session) -> AsyncIterator[Session]:
        for rotations in (1, 2):
            self._clock.now += 61
            async with asyncio.timeout(PATIENCE):
                while await asyncio.to_thread(count, self._office, Step.ROTATION) < rotations:  # noqa: ASYNC110 - in another thread
                    await asyncio.sleep(0.01)
        async with self._source.calling(session) as newest:
            self.first.append(session)
            self.newest.append(newest)
            yield newest

    async def release(self, agent: AgentId) -> None:
        await self._source.release(agent)

    async def close(self) -> None:
        await self._source.close()


def test_values_are_applied_with_the_guid_that_has_taken_the_first_ones_place(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "credentials.json").write_text('{"1001": {"password": "open-sesame", "phonenum": "4"}}')
    with RehearsalServer(rules=Rules(poll_wait=0.0), clock=clock) as server:
        office = Office(server, tmp_path, keep_alive_every=0.01)
        one = wanted(office, agents=range(1001, 1002))
        late = Late(office.source(one.site), office, clock)

        report = office.apply(one, around={"source": late})

        assert [(each.result, each.attempts) for each in report.outcomes] == [(Result.APPLIED, 1)]
        assert late.first[0].guid != late.newest[0].guid
        assert ghosts(office) == set()


@pytest.mark.parametrize(
    ("force", "flag", "expected"),
    [(True, True, Result.APPLIED), (True, False, Result.DEFERRED), (False, True, Result.DEFERRED)],
    ids=["both", "site-yaml-alone", "flag-alone"],
)
def test_a_person_is_thrown_out_only_by_both_switches(
    office: Office, force: bool, flag: bool, expected: Result
) -> None:
    office.sign_in(1001)
    office.force = flag

    report = office.apply(wanted(office, force=force, agents=range(1001, 1003)))

    assert results(report.outcomes) == {1001: expected, 1002: Result.APPLIED}
    assert (count(office, Step.FORCE), count(office, Step.THROWN_OUT)) == (
        (1, 1) if expected is Result.APPLIED else (0, 0)
    )
    assert ("forced-sign-in" in codes(report)) is (expected is Result.APPLIED)


def test_a_person_who_takes_their_place_back_is_not_fought(office: Office) -> None:
    office.server.add_faults("1001@1=retcode:100-003")

    def take_back(_: Outcome) -> None:
        office.server.sign_in([1001])

    report = office.apply(wanted(office, agents=range(1001, 1003)), on_outcome=take_back, first_backoff=0.5)

    assert count(office, Step.SIGN_IN, 1001) == 1
    assert results(report.outcomes)[1002] is Result.APPLIED
    assert 1001 in office.server.call(lambda gateway: {session.agent for session in gateway.sessions()})


def test_credentials_that_are_missing_are_found_out_before_anybody_is_signed_in(office: Office) -> None:
    (office.directory / "credentials.json").write_text("{")

    with pytest.raises(SessionSourceError, match="is not JSON"):
        office.apply(wanted(office))

    assert count(office, Step.SIGN_IN) == 0
    assert "state.json.journal" not in office.names()


def test_a_plan_reviewed_as_signing_nobody_in_is_not_applied_by_signing_in(office: Office) -> None:
    reviewed = office.plan(office.desired(fleet_of(AGENTS, VALUES)))

    with pytest.raises(StalePlanError, match="signs nobody in"):
        office.apply(wanted(office), reviewed=reviewed)

    assert count(office, Step.SIGN_IN) == 0


def test_a_plan_reviewed_as_signing_in_may_be_applied_without(office: Office) -> None:
    office.sign_in(*AGENTS)
    reviewed = office.plan(wanted(office))

    report = office.apply(office.desired(fleet_of(AGENTS, VALUES)), reviewed=reviewed)

    assert set(results(report.outcomes).values()) == {Result.APPLIED}
    assert count(office, Step.SIGN_IN) == 0


def test_no_guid_and_no_password_is_in_the_report_or_the_state(office: Office) -> None:
    guids: set[str] = set()

    def look(_: Outcome) -> None:
        guids.update(office.server.call(lambda gateway: [session.guid for session in gateway.sessions()]))

    office.sign_in(1002)
    report = office.apply(wanted(office), on_outcome=look)

    written = (office.directory / "state.json").read_text() + repr(report)
    assert guids
    assert [secret for secret in (*guids, "open-sesame") if secret in written] == []
