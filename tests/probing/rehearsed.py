"""A probe from the lock to the unlock against a rehearsal gateway: real HTTPS, a real state file, no second wasted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fleets import LINEAGE, NO_GUARDRAILS, NOW, SITE, concurrency, desired, state
from support.processes import wait_until
from support.rehearsal import RehearsalServer

from reconciler.gateway import HandshakeMaker, SessionSource, open_access
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.probe import Finding, ProbeScript, Topic
from reconciler.model.session import Absent, Session
from reconciler.model.site import Site
from reconciler.model.state import AgentRecord, State
from reconciler.probing import ProbeReport, ProbeRequest, Question, Seen, Surroundings, probe
from reconciler.simulator import Gateway
from reconciler.state import OS_FILES, Files, LockHolder, OsFiles, StateStore, open_local_store

AGENT = AgentId(1001)
VALUES = concurrency(12, web_chat=6, sms=4)
OWN = {"51": 6, "52": 4}
HOLDER = LockHolder(id="run-1", who="tester@here", operation="probe", since=NOW)


class FullDisk(OsFiles):
    """A disk that takes everything but one `fsync`, the `fails_at`-th."""

    def __init__(self, *, fails_at: int | None) -> None:
        self.fails_at = fails_at
        self.synced = 0

    def fsync(self, handle: int) -> None:
        self.synced += 1
        if self.synced == self.fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().fsync(handle)


class DeskSource(SessionSource):
    """Asks the rehearsal gateway itself who is signed in, each time anew."""

    def __init__(self, server: RehearsalServer) -> None:
        self._server = server
        self.fetched = 0
        self.closed = 0
        self.before_fetch: Callable[[int], None] = lambda _: None
        self.says: Session | Absent | None = None
        self.close_fails: Exception | None = None

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        self.fetched += 1
        self.before_fetch(self.fetched)
        if self.says is not None:
            return dict.fromkeys(agents, self.says)
        known = self._server.call(lambda gateway: gateway.sessions())
        return {AgentId(each.agent): _session(each.document()) for each in known if each.agent in agents}

    @asynccontextmanager
    async def calling(self, session: Session) -> AsyncIterator[Session]:
        yield session

    async def close(self) -> None:
        self.closed += 1
        if self.close_fails is not None:
            raise self.close_fails


def _session(document: Mapping[str, Any]) -> Session:
    return Session(
        agent=AgentId(int(document["agentId"])),
        guid=document["guid"],
        cookies=document.get("cookies", {}),
        key=document.get("session"),
    )


@dataclass
class Laboratory:
    """One environment, one agent and the rehearsal gateway they are at."""

    server: RehearsalServer
    directory: Path
    values: Concurrency = VALUES
    files: Files = OS_FILES
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of `GatewaySettings`."""
    site_settings: Mapping[str, Any] = field(default_factory=dict)
    answer: bool = True
    seen: Seen = Seen.UNCLEAR
    asked: list[ProbeScript] = field(default_factory=list)
    looked: list[Question] = field(default_factory=list)
    live_while_looking: list[dict[str, Any]] = field(default_factory=list)
    halt: Callable[[], None] = lambda: None
    """Tells the running probe to stop, from its own thread."""
    halt_soon: Callable[[], None] = lambda: None
    """The same, from any thread."""
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens while somebody looks."""

    def __post_init__(self) -> None:
        self.source: Any = DeskSource(self.server)

    def desired(self) -> Desired:
        usual = {"ca_file": str(self.server.ca_file), "timeout": 5.0}
        gateway = GatewaySettings(url=self.server.url, **{**usual, **self.settings})
        site = Site(**{"name": SITE, "gateway": gateway, "guardrails": NO_GUARDRAILS, **self.site_settings})
        return desired({AGENT: self.values}, at=site)

    def store(self) -> StateStore:
        return open_local_store(
            self.directory / "state.json",
            site=SITE,
            clock=lambda: NOW,
            new_lineage=lambda: LINEAGE,
            files=self.files,
            display="state.json",
        )

    def record(self, record: AgentRecord) -> None:
        store = self.store()
        with store.lock(HOLDER):
            store.write(store.read().with_agents(state({AGENT: record}).agents))

    @property
    def recorded(self) -> AgentRecord | None:
        """What a plan made now would see."""
        return self.state.agents.get(AGENT)

    @property
    def state(self) -> State:
        return self.store().read()

    @property
    def live(self) -> dict[str, Any] | None:
        """The agent's live channels."""
        document: dict[str, Any] = self.server.call(Gateway.agents_document)
        return document[str(AGENT)]["channels"] if str(AGENT) in document else None

    @property
    def calls(self) -> int:
        return int(str(self.server.call(Gateway.requests_document)["total"]))

    def probe(self, *, pause: float | None = None, **request: Any) -> ProbeReport:
        wanted = self.desired()
        asking = ProbeRequest(agent=AGENT, desired=wanted, pause=pause, **{"interval": 0.0, "settling": 0.0, **request})
        return probe(asking, self._surroundings(wanted))

    def _surroundings(self, wanted: Desired) -> Surroundings:
        gateway = wanted.site.gateway
        return Surroundings(
            store=self.store(),
            holder=HOLDER,
            source=self.source,
            handshakes=HandshakeMaker(gateway, root=self.directory, environ={}),
            access=open_access(gateway, root=self.directory, environ={}),
            now=lambda: NOW,
            monotonic=time.monotonic,
            approve=self._approve,
            look=self._look,
            watch_signals=self._watch,
            rescue_directory=self.directory,
        )

    def _approve(self, script: ProbeScript) -> bool:
        self.asked.append(script)
        return self.answer

    async def _look(self, question: Question) -> Seen:
        self.looked.append(question)
        self.live_while_looking.append(dict(self.live or {}))
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.seen

    @contextlib.contextmanager
    def _watch(self, halt: Callable[[], None]) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def halt_soon() -> None:
            loop.call_soon_threadsafe(halt)

        self.halt, self.halt_soon = halt, halt_soon
        yield

    @contextlib.contextmanager
    def halts_when(self, what: Callable[[], bool]) -> Iterator[None]:
        """Tell the probe in the block to stop once `what` is true."""

        def watch() -> None:
            wait_until(what)
            self.halt_soon()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            watcher.join()


def finding(report: ProbeReport, topic: Topic) -> Finding:
    """Return the one finding about `topic`."""
    (found,) = (each for each in report.outcome.findings if each.topic is topic)
    return found
