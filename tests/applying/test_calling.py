"""What a turn does with a source that holds something for its agent: the newest session, no overlap, and an end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from applying.scripted import Room, ScriptedGateway, ScriptedSource, fleet

from reconciler.applying import RunStoppedError, Stop
from reconciler.errors import ExitCode, SessionSourceError
from reconciler.gateway import Acknowledged, NotSignedIn, Refused, Transient, Unanswered, Verdict
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Result
from reconciler.model.session import Absent, Session
from reconciler.values import replace

AGENT = 1001


class Holding(ScriptedSource):
    """Gives a newer Guid for each call, and notes what it hears."""

    def __init__(self, absent: Absent | None = None, stop: Stop | None = None) -> None:
        super().__init__()
        self.why = absent
        self.stop = stop
        self.heard: list[str] = []
        self.calls = 0

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        found = await super().fetch(agents)
        return found if self.why is None else {**found, AgentId(AGENT): self.why}

    @asynccontextmanager
    async def calling(self, session: Session) -> AsyncIterator[Session]:
        if self.stop is not None:
            self.stop.request(RunStoppedError("meanwhile"))
        self.calls += 1
        self.heard.append(f"{session.agent} begins")
        yield replace(session, guid=f"newer-{self.calls}")
        self.heard.append(f"{session.agent} ends")

    async def release(self, agent: AgentId) -> None:
        self.heard.append(f"{agent} released")


def test_each_call_is_made_with_the_newest_session_and_between_its_beginning_and_its_end(tmp_path: Path) -> None:
    gateway = ScriptedGateway({AGENT: [Transient(message="busy")]})
    source = Holding()

    room = Room(tmp_path, gateway=gateway, source=source)

    assert room.run(fleet(AGENT)).only.result is Result.APPLIED
    assert gateway.guids(AGENT) == ["newer-1", "newer-2"]
    assert source.heard == ["1001 begins", "1001 ends", "1001 begins", "1001 ends", "1001 released"]


@pytest.mark.parametrize(
    "verdict",
    [Acknowledged(), NotSignedIn(retcode="100-006"), Refused(retcode="106-011"), Unanswered(message="lost")],
    ids=["applied", "deferred", "failed", "in-doubt"],
)
def test_an_agent_is_released_once_its_outcome_is_known_whatever_that_is(tmp_path: Path, verdict: Verdict) -> None:
    source = Holding()

    Room(tmp_path, gateway=ScriptedGateway(otherwise=verdict), source=source).run(fleet(AGENT, 1002), workers=1)

    released = [words for words in source.heard if "released" in words]
    assert released == ["1001 released", "1002 released"]
    assert source.heard.index("1001 released") < source.heard.index("1002 begins")


def test_a_stop_that_comes_while_the_source_has_something_in_flight_sends_nothing(tmp_path: Path) -> None:
    gateway, source = ScriptedGateway(), Holding()
    room = Room(tmp_path, gateway=gateway, source=source)
    source.stop = room.stop

    ending = room.run(fleet(AGENT))

    assert (ending.only.result, gateway.requests) == (Result.SKIPPED, [])
    assert AgentId(AGENT) not in room.on_disk().agents


def test_the_sources_own_word_on_an_absent_agent_is_its_outcome(tmp_path: Path) -> None:
    source = Holding(Absent(retcode="100-002", message="at work"))
    room = Room(tmp_path, source=source)

    ending = room.run(fleet(AGENT, 1002))

    absent = ending.outcomes[0]
    assert (absent.result, absent.retcode, absent.message) == (Result.DEFERRED, "100-002", "at work")
    assert ending.results[1002] is Result.APPLIED
    assert (ending.error, absent.attempts) == (None, 0)


def test_an_absent_agent_that_ends_the_run_ends_it_as_the_sources_trouble(tmp_path: Path) -> None:
    source = Holding(Absent(retcode="100-004", message="wrong password", ends_run=True))

    ending = Room(tmp_path, source=source).run(fleet(AGENT, 1002), workers=1)

    assert ending.results == {AGENT: Result.DEFERRED, 1002: Result.SKIPPED}
    assert isinstance(ending.error, SessionSourceError)
    assert ending.error.exit_code is ExitCode.SESSION_SOURCE_FAILED
    assert str(ending.error) == "stopped: agent 1001: wrong password"
