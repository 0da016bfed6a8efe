"""Small states, and a store to keep them in, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from hypothesis import strategies as st

from reconciler.model.agent import MAX_AGENT_ID, MIN_AGENT_ID, AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, OpenRun, Pending, RecordStatus, State
from reconciler.state import OS_FILES, Files, Intended, LockHolder, StateStore, open_local_store
from reconciler.state.journal.recorder import Recorder

LINEAGE = "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11"
EARLIER = "2026-01-31T08:00:00Z"
NOW = "2026-01-31T09:30:00Z"
OPEN_RUN = OpenRun(run="run-1", since=NOW, who="alice@desk")

WEB_CHAT_9 = Concurrency.of(25, {Channel.WEB_CHAT: 9, Channel.SMS: 6})
WEB_CHAT_4 = Concurrency.of(8, {Channel.WEB_CHAT: 4})


def record(
    concurrency: Concurrency = WEB_CHAT_9,
    *,
    at: str | None = EARLIER,
    session: str | None = None,
    team: str | None = "east",
    protected: bool = False,
    status: RecordStatus = RecordStatus.ACKNOWLEDGED,
) -> AgentRecord:
    return AgentRecord.of(
        concurrency=concurrency,
        callnums_key=CallnumsKey.CAMEL,
        acknowledged_at=at,
        session=session,
        team=team,
        protected=protected,
        status=status,
    )


def in_doubt(concurrency: Concurrency = WEB_CHAT_9, *, at: str | None = None) -> AgentRecord:
    return record(concurrency, at=at, status=RecordStatus.IN_DOUBT)


def pending(
    *, since: str = EARLIER, last: str | None = None, attempts: int = 1, retcode: str | None = "100-006"
) -> Pending:
    return Pending(first_deferred_at=since, last_deferred_at=last or since, attempts=attempts, retcode=retcode)


def state(
    agents: dict[int, AgentRecord] | None = None,
    *,
    waiting: dict[int, Pending] | None = None,
    lineage: str | None = LINEAGE,
    serial: int = 7,
) -> State:
    records = {1001: record()} if agents is None else agents
    return State(
        lineage=lineage,
        serial=serial,
        site="demo",
        agents={AgentId(agent): value for agent, value in records.items()},
        pending={AgentId(agent): value for agent, value in (waiting or {}).items()},
    )


def holder(who: str = "alice@desk", run: str = "run-1") -> LockHolder:
    return LockHolder(id=run, who=who, operation="apply", since=NOW)


def store(path: Path, *, files: Files = OS_FILES, site: str = "demo", display: str | None = "state.json") -> StateStore:
    return open_local_store(
        path,
        site=site,
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        files=files,
        display=display,
        environment="demo",
    )


async def apply_one(
    recorder: Recorder, agent: int = 1001, concurrency: Concurrency = WEB_CHAT_9, *, session: str | None = None
) -> None:
    """Send `concurrency` to one agent, successfully."""
    await intend(recorder, agent, concurrency)
    await recorder.acknowledged(AgentId(agent), at=NOW, session=session)


async def intend(recorder: Recorder, agent: int = 1001, concurrency: Concurrency = WEB_CHAT_9) -> None:
    await recorder.intend(
        AgentId(agent), concurrency=concurrency, callnums_key=CallnumsKey.CAMEL, team="east", protected=False, at=NOW
    )


def planned(*agents: int, concurrency: Concurrency = WEB_CHAT_9) -> list[Intended]:
    """Return what a run may send, as `begin_run` is told it."""
    return [
        Intended(
            agent=AgentId(agent),
            concurrency=concurrency,
            callnums_key=CallnumsKey.CAMEL,
            team="east",
            protected=False,
        )
        for agent in agents
    ]


def moments() -> Iterator[str]:
    """Walk distinct times."""
    return (f"2026-01-31T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in count())


_texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
concurrencies = st.builds(
    Concurrency.of,
    st.integers(1, 60),
    st.dictionaries(st.sampled_from(Channel), st.integers(0, 60), min_size=1),
)
_times = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0"))
agent_ids = st.integers(MIN_AGENT_ID, MAX_AGENT_ID).map(AgentId)


@st.composite
def agent_records(draw: st.DrawFn) -> AgentRecord:
    status = draw(st.sampled_from(RecordStatus))
    return AgentRecord.of(
        concurrency=draw(concurrencies),
        callnums_key=draw(st.sampled_from(CallnumsKey)),
        acknowledged_at=draw(_times if status is RecordStatus.ACKNOWLEDGED else st.none() | _times),
        session=draw(_texts),
        team=draw(_texts),
        protected=draw(st.booleans()),
        status=status,
    )


pendings = st.builds(
    Pending,
    first_deferred_at=_times,
    last_deferred_at=_times,
    attempts=st.integers(1, 2**53 - 1),
    retcode=_texts,
)


open_runs = st.builds(
    OpenRun,
    run=st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", fullmatch=True),
    since=_times,
    who=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    lineage, serial = draw(st.just((None, 0)) | st.tuples(st.uuids().map(str), st.integers(1, 2**53 - 1)))
    agents = draw(st.dictionaries(agent_ids, agent_records(), max_size=5))
    waiting = draw(st.dictionaries(agent_ids, pendings, max_size=3))
    open_run = draw(st.none() | open_runs)
    return State(lineage=lineage, serial=serial, site="demo", agents=agents, pending=waiting, open_run=open_run)
