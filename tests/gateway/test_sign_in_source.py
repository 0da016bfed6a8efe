"""Signing agents in and out against a rehearsal gateway over TLS: one agent's session from its beginning to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from gateway.examples import NUMBERS
from support.calls import Clock
from support.rehearsal import RehearsalServer

from reconciler.errors import SessionSourceError, UsageError
from reconciler.gateway import (
    REPLIES,
    GatewayClient,
    SessionSource,
    SignInAccess,
    build_request,
    open_access,
    open_source,
)
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.model.session import Absent, Session
from reconciler.model.sign_in_settings import AuthMode, KeepAlive, SignInSessions
from reconciler.simulator import AuthMode as SimulatedMode
from reconciler.simulator import Gateway, Rules, Step
from reconciler.simulator.exchange import Call
from reconciler.simulator.gateway import Visit
from reconciler.simulator.rules import EventMode

T = TypeVar("T")

AGENT = AgentId(1001)
PASSWORD = "open-sesame-5ec2e7"
SOON = 0.01
"""Seconds between two signs of life, so that a test need not wait for one."""
PATIENCE = 10.0


@dataclass
class Floor:
    """A rehearsal gateway, and the means to sign its agents in."""

    server: RehearsalServer
    directory: Path
    clock: Clock
    settings: dict[str, Any] = field(default_factory=dict)
    allowed: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=dict)

    def source(self) -> SessionSource:
        settings = self._gateway()
        allowed = SignInAccess(
            gateway=settings,
            access=open_access(settings, root=self.directory, environ={}),
            table=REPLIES,
            now=lambda: "2025-03-01T12:00:00Z",
            **self.allowed,
        )
        sessions = SignInSessions(credentials=SecretReference.parse("file:credentials.json"), **self.settings)
        return open_source(sessions, root=self.directory, environ={}, sign_in=allowed)

    def run(self, work: Callable[[SessionSource], Coroutine[Any, Any, T]]) -> T:
        """Run `work` with a source, which is closed in the end."""

        async def main() -> T:
            self.last = source = self.source()
            source.prepare()
            try:
                async with asyncio.timeout(PATIENCE):
                    return await work(source)
            finally:
                await source.close()

        return asyncio.run(main())

    def count(self, step: Step, agent: int | None = None) -> int:
        return self.server.call(lambda gateway: gateway.attendance.count(step, agent))

    def refused(self) -> dict[str, int]:
        document: dict[str, Any] = self.server.call(lambda gateway: gateway.attendance_document())
        return dict(document["refused"])

    def signed_in(self) -> set[int]:
        return self.server.call(lambda gateway: {session.agent for session in gateway.sessions()})

    def told(self) -> dict[str, str]:
        """What people are told of the last source, by code."""
        return {each.code: each.summary for each in self.last.warnings()}

    def client(self) -> GatewayClient:
        settings = self._gateway()
        return GatewayClient(settings, access=open_access(settings, root=self.directory, environ={}))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - what it looks at is in another thread
                await asyncio.sleep(SOON)

    async def pass_by(self, seconds: float, step: Step) -> None:
        """Let so many seconds pass at the gateway, and then wait for a sign of life that came after them."""
        self.clock.now += seconds
        before = self.count(step)
        await self.until(lambda: self.count(step) > before)

    def _gateway(self) -> GatewaySettings:
        usual = {"requests_per_second": 1000.0, "timeout": 5.0}
        return GatewaySettings(url=self.server.url, ca_file=str(self.server.ca_file), **{**usual, **self.gateway})


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    (tmp_path / "credentials.json").write_text(json.dumps({"*": {"password": PASSWORD, "phonenum": "4{agent}"}}))
    clock = Clock()
    with RehearsalServer(rules=Rules(poll_wait=0.0), clock=clock) as server:
        yield Floor(server, tmp_path, clock)


def watch_overlaps(floor: Floor) -> list[int]:
    """Return a list of one number: how many requests, of whatever kind, were ever at the gateway at once."""
    gateway, most, open_requests = floor.server.gateway, [0], 0
    arrive, leave = gateway.arrive, gateway.leave

    def arriving(call: Call) -> Visit:
        nonlocal open_requests
        open_requests += 1
        most[0] = max(most[0], open_requests)
        return arrive(call)

    def leaving(visit: Visit) -> None:
        nonlocal open_requests
        open_requests -= 1
        leave(visit)

    gateway.arrive, gateway.leave = arriving, leaving  # type: ignore[method-assign]  # a look, not another judgement
    return most


def rules(floor: Floor, **changed: Any) -> None:
    floor.server.call(lambda gateway: gateway.set_rules(Rules(**{"poll_wait": 0.0, **changed})))


async def enter(source: SessionSource, agent: AgentId = AGENT) -> Session:
    session = (await source.fetch([agent]))[agent]
    assert isinstance(session, Session), session
    return session


async def refusal(source: SessionSource, agent: AgentId = AGENT) -> Absent:
    absent = (await source.fetch([agent]))[agent]
    assert isinstance(absent, Absent)
    return absent


# In and out


def test_an_agent_is_signed_in_busy_and_signed_out_when_released(floor: Floor) -> None:
    async def work(source: SessionSource) -> tuple[set[int], set[int]]:
        session = await enter(source)
        assert (session.agent, session.key) == (AGENT, "signin-2025-03-01T12:00:00Z")
        before = await asyncio.to_thread(floor.signed_in)
        await source.release(AGENT)
        return before, await asyncio.to_thread(floor.signed_in)

    assert floor.run(work) == ({1001}, set())
    assert floor.server.call(lambda gateway: gateway.attendance.status(1001)) == "3"
    assert floor.told() == {
        "signed-in": "sessions.source is signin: 1 agent was signed in (status busy), 1 signed out again"
    }


def test_whoever_is_still_signed_in_at_the_end_is_signed_out(floor: Floor) -> None:
    async def work(source: SessionSource) -> None:
        for agent in (1001, 1002, 1003):
            await enter(source, AgentId(agent))

    floor.run(work)

    assert floor.signed_in() == set()
    assert (floor.count(Step.SIGN_IN), floor.count(Step.SIGN_OUT)) == (3, 3)


def test_an_agent_who_is_held_is_not_signed_in_again(floor: Floor) -> None:
    async def work(source: SessionSource) -> bool:
        return await enter(source) == await enter(source)

    assert floor.run(work)
    assert floor.count(Step.SIGN_IN) == 1


def test_agents_are_signed_in_one_after_another_also_when_all_are_wanted_at_once(floor: Floor) -> None:
    rules(floor, latency=0.05)
    floor.server.call(lambda gateway: gateway.set_password(1003, "another"))
    agents = [AgentId(agent) for agent in (1003, 1001, 1002)]

    async def work(source: SessionSource) -> list[object]:
        return list(await asyncio.gather(*(source.fetch([agent]) for agent in agents), return_exceptions=True))

    first, *others = floor.run(work)

    assert isinstance(first, dict)
    assert (first[AgentId(1003)].retcode, first[AgentId(1003)].ends_run) == ("100-004", True)
    assert [type(each) for each in others] == [SessionSourceError, SessionSourceError]
    assert floor.refused() == {"100-004": 1}
    assert floor.count(Step.SIGN_IN) == 0


def test_cookies_of_a_sign_in_come_back_with_every_request_of_that_agent(floor: Floor) -> None:
    rules(floor, node="n1", sticky_cookies=True)

    async def work(source: SessionSource) -> dict[str, str]:
        session = await enter(source)
        async with source.calling(session) as newest, floor.client() as client:
            verdict = await client.call(build_request(floor.server.url, newest, NUMBERS, CallnumsKey.CAMEL))
        assert verdict.retcode == "0"
        return dict(session.cookies)

    cookies = floor.run(work)

    assert len(cookies) == 1
    assert floor.signed_in() == set()
    assert "left-signed-in" not in floor.told()


# Who cannot be signed in


def test_a_person_at_work_is_left_alone(floor: Floor) -> None:
    (at_work,) = floor.server.sign_in([1001])

    absent = floor.run(refusal)

    assert (absent.retcode, absent.ends_run) == ("100-002", False)
    assert "left alone" in absent.message
    assert [session.guid for session in floor.server.call(Gateway.sessions)] == [at_work["guid"]]
    assert floor.told() == {}


@pytest.mark.parametrize(
    ("in_site", "by_flag", "thrown_out"),
    [(False, False, 0), (True, False, 0), (False, True, 0), (True, True, 1)],
    ids=["neither", "in-site-yaml-alone", "by-flag-alone", "both"],
)
def test_a_person_at_work_is_thrown_out_only_when_both_switches_say_so(
    floor: Floor, in_site: bool, by_flag: bool, thrown_out: int
) -> None:
    floor.server.sign_in([1001])
    floor.settings["force"], floor.allowed["force"] = in_site, by_flag

    async def work(source: SessionSource) -> object:
        return (await source.fetch([AGENT]))[AGENT]

    answer = floor.run(work)

    assert isinstance(answer, Session) is bool(thrown_out)
    assert floor.count(Step.THROWN_OUT) == thrown_out
    assert ("forced-sign-in" in floor.told()) is bool(thrown_out)
    assert floor.count(Step.SIGN_OUT) == thrown_out


def test_force_is_not_used_where_nobody_is_signed_in(floor: Floor) -> None:
    floor.settings["force"], floor.allowed["force"] = True, True

    floor.run(enter)

    assert (floor.count(Step.SIGN_IN), floor.count(Step.FORCE)) == (1, 0)
    assert "forced-sign-in" not in floor.told()


def test_an_agent_without_credentials_is_not_signed_in(floor: Floor) -> None:
    (floor.directory / "credentials.json").write_text('{"1002": {"password": "x", "phonenum": "4"}}')

    absent = floor.run(refusal)

    assert (absent.retcode, absent.ends_run) == (None, False)
    assert "sessions.credentials" in absent.message
    assert floor.server.call(lambda gateway: gateway.requests_document())["total"] == 0


@pytest.mark.parametrize("retcode", ["100-003", "000-004"])
def test_trouble_that_passes_is_waited_for(floor: Floor, retcode: str) -> None:
    floor.server.add_faults(f"sign-in/1001@2=retcode:{retcode}")

    floor.run(enter)

    assert floor.count(Step.SIGN_OUT) == 1


def test_trouble_that_does_not_pass_makes_the_agent_absent_with_its_retcode(floor: Floor) -> None:
    floor.server.add_faults("sign-in/1001@3=retcode:100-003")

    absent = floor.run(refusal)

    assert (absent.retcode, absent.ends_run) == ("100-003", False)


def test_the_same_trouble_with_ten_agents_in_a_row_ends_the_run(floor: Floor) -> None:
    floor.server.add_faults(*(f"sign-in/#{number}=retcode:100-010" for number in range(1, 11)))

    async def work(source: SessionSource) -> list[bool]:
        ends = [(await refusal(source, AgentId(agent))).ends_run for agent in range(1001, 1011)]
        with pytest.raises(SessionSourceError, match="10 agents in a row"):
            await source.fetch([AgentId(1011)])
        return ends

    assert floor.run(work) == [*[False] * 9, True]
    assert floor.count(Step.SIGN_IN) == 0


def test_people_at_work_are_no_trouble_however_many_they_are(floor: Floor) -> None:
    floor.server.sign_in(range(1001, 1016))

    async def work(source: SessionSource) -> set[bool]:
        return {(await refusal(source, AgentId(agent))).ends_run for agent in range(1001, 1016)}

    assert floor.run(work) == {False}


def test_a_gateway_that_cannot_be_trusted_fails_the_source_as_a_whole(floor: Floor, ca_file: Path) -> None:
    floor.server.ca_file = ca_file  # another authority's

    with pytest.raises(SessionSourceError, match=r"signing in: .*authority"):
        floor.run(enter)


def test_credentials_that_are_not_there_fail_the_source_before_anything_is_sent(floor: Floor) -> None:
    (floor.directory / "credentials.json").unlink()

    with pytest.raises(SessionSourceError, match=r"sessions\.credentials: file:credentials\.json"):
        floor.source().prepare()


def test_whoever_only_wants_to_look_is_refused() -> None:
    settings = SignInSessions(credentials=SecretReference.parse("env:NONE"))

    with pytest.raises(UsageError, match="would sign them in"):
        open_source(settings, root=Path(), environ={})


# Answers that are lost


def test_a_sign_in_whose_answer_was_lost_is_told_and_not_forced(floor: Floor) -> None:
    floor.server.add_faults("sign-in/1001=reset-after-commit")

    absent = floor.run(refusal)

    assert absent.retcode == "100-002"
    assert floor.told() == {
        "maybe-signed-in": "agent 1001 may be signed in, busy: a sign-in was sent, and no answer gave a usable Guid"
    }


def test_a_sign_in_that_was_cut_before_it_arrived_is_repeated_and_leaves_no_doubt(floor: Floor) -> None:
    floor.server.add_faults("sign-in/1001=reset-before-commit")

    floor.run(enter)

    assert floor.count(Step.SIGN_OUT) == 1
    assert set(floor.told()) == {"signed-in"}


def test_a_fetch_that_is_cancelled_leaves_nobody_signed_in(floor: Floor) -> None:
    floor.server.add_faults("sign-in/1001=slow:0.3")

    async def work(source: SessionSource) -> None:
        fetching = asyncio.create_task(source.fetch([AGENT]))
        await floor.until(lambda: floor.count(Step.SIGN_IN))
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)

    floor.run(work)

    assert floor.signed_in() == set()
    assert set(floor.told()) == {"signed-in"}


class Interrupting(asyncio.SelectorEventLoop):
    """Calls `interrupt` after a number of its rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.left = rounds
        self.interrupt: Callable[[], object] | None = None

    def _run_once(self) -> None:  # the one place where every round passes
        super()._run_once()  # type: ignore[misc]
        if self.interrupt is not None:
            self.left -= 1
            if self.left == 0:
                self.interrupt()


def test_a_run_that_is_cut_off_in_any_round_of_the_event_loop_leaves_nobody_signed_in(floor: Floor) -> None:
    async def main(loop: Interrupting) -> None:
        source = floor.source()
        source.prepare()
        working = asyncio.create_task(source.fetch([AGENT, AgentId(1002)]))
        loop.interrupt = working.cancel
        await asyncio.gather(working, return_exceptions=True)
        loop.interrupt = None
        await source.close()
        assert [each.code for each in source.warnings() if each.code != "signed-in"] == []

    for rounds in range(1, 1000):
        loop = Interrupting(rounds)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # noqa: B023 - called at once
            runner.run(main(loop))
        assert floor.signed_in() == set(), f"cut off in round {rounds}"
        if loop.left > 0:
            break  # the work was over before

    assert floor.count(Step.SIGN_IN) == floor.count(Step.SIGN_OUT) > 2


def test_a_close_that_is_cancelled_says_whose_sign_in_has_no_answer(floor: Floor) -> None:
    floor.server.add_faults("sign-in/1001=slow:30")

    async def main() -> SessionSource:
        source = floor.source()
        fetching = asyncio.create_task(source.fetch([AGENT]))
        await floor.until(lambda: floor.count(Step.SIGN_IN))
        fetching.cancel()
        await asyncio.wait([closing := asyncio.create_task(source.close())], timeout=0.05)
        closing.cancel()
        await asyncio.gather(fetching, closing, return_exceptions=True)
        return source

    assert [each.code for each in asyncio.run(main()).warnings()] == ["maybe-signed-in"]


def test_a_sign_out_whose_answer_was_lost_is_repeated(floor: Floor) -> None:
    floor.server.add_faults("sign-out/1001=reset-after-commit", "sign-out/1002=reset-before-commit")

    async def work(source: SessionSource) -> None:
        for agent in (AgentId(1001), AgentId(1002)):
            await enter(source, agent)
            await source.release(agent)

    floor.run(work)

    assert floor.signed_in() == set()
    assert set(floor.told()) == {"signed-in"}


def test_agents_who_cannot_be_signed_out_are_named_with_the_reason_and_what_to_do(floor: Floor) -> None:
    floor.server.add_faults("sign-out/*=reset-before-commit")

    async def work(source: SessionSource) -> None:
        for agent in (1001, 1002, 1004):
            await enter(source, AgentId(agent))
            await source.release(AgentId(agent))

    floor.run(work)

    assert floor.signed_in() == {1001, 1002, 1004}
    assert set(floor.told()) == {"left-signed-in", "signed-in"}
    assert floor.told()["left-signed-in"].startswith("agents 1001-1002, 1004 could not be signed out")
    assert "0 signed out again" in floor.told()["signed-in"]
    assert "two minutes" in floor.last.warnings()[0].detail


# Staying


def test_a_call_is_made_with_the_newest_guid_of_those_that_rotate(floor: Floor) -> None:
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        first = await enter(source)
        floor.clock.now += 61
        await floor.until(lambda: floor.count(Step.ROTATION))
        floor.clock.now += 61  # by now the first Guid is refused
        await floor.until(lambda: floor.count(Step.ROTATION) > 1)
        async with source.calling(first) as newest, floor.client() as client:
            assert newest.guid != first.guid
            verdict = await client.call(build_request(floor.server.url, newest, NUMBERS, CallnumsKey.CAMEL))
        assert verdict.retcode == "0"
        assert (await enter(source)).guid == newest.guid

    floor.run(work)

    assert (floor.count(Step.SIGN_IN), floor.count(Step.TIMED_OUT)) == (1, 0)
    assert floor.signed_in() == set()


@pytest.mark.parametrize("how", KeepAlive)
def test_an_agent_is_kept_signed_in_by_the_means_that_the_site_names(floor: Floor, how: KeepAlive) -> None:
    floor.allowed["keep_alive_every"] = SOON
    floor.settings["keep_alive"] = how
    step = {KeepAlive.POLL: Step.POLL, KeepAlive.HANDSHAKE: Step.HEARTBEAT}[how]

    async def work(source: SessionSource) -> None:
        await enter(source)
        for _ in range(3):
            await floor.pass_by(100, step)

    floor.run(work)

    assert floor.count(Step.TIMED_OUT) == 0
    assert floor.count(Step.SIGN_OUT) == 1
    assert [other for other in (Step.POLL, Step.HEARTBEAT) if floor.count(other)] == [step]


def test_a_gateway_that_pushes_events_gets_heartbeats_instead_of_polls(floor: Floor) -> None:
    rules(floor, event_mode=EventMode.PUSHED)
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        await enter(source)
        await floor.until(lambda: floor.count(Step.HEARTBEAT))

    floor.run(work)

    assert (floor.count(Step.POLL), floor.refused()) == (0, {"000-001": 1})


def test_a_sign_of_life_that_came_to_nothing_is_given_again(floor: Floor) -> None:
    floor.server.add_faults("poll/1001=http-502", "poll/1001=reset-before-commit")
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        await enter(source)
        await floor.until(lambda: floor.count(Step.POLL) > 1)

    floor.run(work)

    assert floor.count(Step.SIGN_OUT) == 1


def test_the_session_of_an_agent_who_is_signed_out_again_is_given_as_it_was(floor: Floor) -> None:
    async def work(source: SessionSource) -> bool:
        session = await enter(source)
        await source.release(AGENT)
        await source.release(AGENT)
        async with source.calling(session) as newest:
            return newest is session

    assert floor.run(work)
    assert floor.count(Step.SIGN_OUT) == 1


def test_a_static_guid_stays_what_it_was(floor: Floor) -> None:
    rules(floor, auth_mode=SimulatedMode.STATIC)
    floor.allowed["keep_alive_every"] = SOON
    floor.settings["auth_mode"] = AuthMode.STATIC

    async def work(source: SessionSource) -> None:
        first = await enter(source)
        await floor.pass_by(100, Step.POLL)
        await floor.pass_by(100, Step.POLL)
        async with source.calling(first) as newest:
            assert newest == first

    floor.run(work)

    assert (floor.count(Step.ROTATION), floor.count(Step.SIGN_OUT)) == (0, 1)


def test_keep_alives_calls_and_sign_outs_of_one_agent_never_overlap(floor: Floor) -> None:
    rules(floor, latency=0.005, poll_wait=0.02)
    floor.allowed["keep_alive_every"] = 0.001
    most = watch_overlaps(floor)

    async def work(source: SessionSource) -> set[str | None]:
        session, said = await enter(source), set()
        async with floor.client() as client:
            for _ in range(20):
                async with source.calling(session) as newest:
                    call = build_request(floor.server.url, newest, NUMBERS, CallnumsKey.CAMEL)
                    said.add((await client.call(call)).retcode)
                await asyncio.sleep(0.002)
        await source.release(AGENT)
        return said

    assert floor.run(work) == {"0"}
    assert floor.count(Step.POLL) > 0
    assert most == [1]


def test_a_poll_that_hangs_does_not_keep_anybody_from_being_signed_out_in_the_end(floor: Floor) -> None:
    floor.server.add_faults("poll/*=slow:30")
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        await enter(source)
        await floor.until(lambda: floor.count(Step.POLL))

    floor.run(work)

    assert floor.signed_in() == set()
    assert set(floor.told()) == {"signed-in"}


def test_a_call_gives_up_a_poll_that_hangs_and_life_is_shown_again_after_it(floor: Floor) -> None:
    floor.server.add_faults("poll/1001#1=slow:30")
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        session = await enter(source)
        await floor.until(lambda: floor.count(Step.POLL))
        async with source.calling(session) as newest, floor.client() as client:
            verdict = await client.call(build_request(floor.server.url, newest, NUMBERS, CallnumsKey.CAMEL))
        assert verdict.retcode == "0"
        await floor.until(lambda: floor.count(Step.POLL) > 1)

    floor.run(work)

    assert floor.signed_in() == set()


def test_an_agent_whom_somebody_else_has_thrown_out_is_not_signed_in_again(floor: Floor) -> None:
    floor.allowed["keep_alive_every"] = SOON

    async def work(source: SessionSource) -> None:
        await enter(source)
        floor.server.sign_in([1001])
        await floor.until(floor.refused)
        await enter(source)

    floor.run(work)

    assert floor.count(Step.SIGN_IN) == 1
    assert floor.signed_in() == {1001}  # the person's own


# Secrets


def test_no_secret_is_in_any_error_warning_or_repr(floor: Floor) -> None:
    said = f"password {PASSWORD} of 4"
    floor.server.add_faults("sign-in/1001*=retcode:100-010")

    async def work(source: SessionSource) -> str:
        absent = await refusal(source)
        session = await enter(source, AgentId(1002))
        return repr([absent, source.warnings(), vars(source)]).replace(session.guid, "GUID")

    shown = floor.run(work)

    assert said not in shown
    assert PASSWORD not in shown
    assert "GUID" not in shown
