"""The world around a run, in memory and scripted: a gateway, a source of sessions, a clock, a disk that can fail.

Everything else is the real thing: store, journal, recorder, plan. `Room` puts them together for one state file.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from support.fleets import LINEAGE, NO_GUARDRAILS, NOW, SITE, concurrency, desired, fleet_of, site

from reconciler.applying import Stop
from reconciler.applying.attempts import Desk
from reconciler.applying.breaker import Breaker
from reconciler.applying.pace import Pace
from reconciler.applying.run import Note, run_plan
from reconciler.applying.session_desk import SessionDesk
from reconciler.gateway import Acknowledged, Request, SessionSource, Verdict
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.session import Absent, Session
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, State, empty_state
from reconciler.planning import make_plan
from reconciler.state import LockHolder, OsFiles, Recorder, decode, open_local_store
from reconciler.state.journal.lines import read_journal, replay

T = TypeVar("T")

VALUES = concurrency(25, web_chat=9, sms=6)
HOLDER = LockHolder(id="run-1", who="tester@here", operation="apply", since=NOW)
SOON = 1e-4
"""Seconds before a second attempt, where a test is not about waiting."""
FAST = 1e9
"""Calls a second, where a test is not about pace."""
PATIENCE = 10.0
"""Seconds after which a test that waits for something has failed."""


def fleet(*numbers: int, value: Concurrency = VALUES, removal: OnAgentRemoval = OnAgentRemoval.FORGET) -> Desired:
    """These agents, desired with the same values."""
    return desired(fleet_of(numbers, value), at=site(on_agent_removal=removal, guardrails=NO_GUARDRAILS))


def results(outcomes: Iterable[Outcome]) -> dict[int, Result]:
    return {outcome.agent: outcome.result for outcome in outcomes}


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Fault(RuntimeError):  # noqa: N818 - a bug, not an error anybody raises on purpose
    """A bug somewhere."""


Answer = Verdict | Exception | Callable[[], Coroutine[Any, Any, Verdict]]
"""What a call comes to: a verdict, a bug, or something that happens first."""


@dataclass
class ScriptedGateway:
    """Answers each agent's calls in the order of its script, then with `otherwise`."""

    scripts: Mapping[int, Sequence[Answer]] = field(default_factory=dict)
    otherwise: Answer = field(default_factory=Acknowledged)
    witness: Callable[[Request], None] = lambda _: None
    """Sees each request at the moment its first byte would go out."""

    def __post_init__(self) -> None:
        self._left = {agent: list(script) for agent, script in self.scripts.items()}
        self.requests: list[Request] = []
        self.acknowledged: dict[int, object] = {}
        """The body of each agent's last acknowledged call."""
        self.open: Counter[int] = Counter()
        self.most_of_one_agent = 0
        self.most_at_once = 0

    async def call(self, request: Request) -> Verdict:
        self.witness(request)
        self.requests.append(request)
        self.open[request.agent] += 1
        self.most_of_one_agent = max(self.most_of_one_agent, self.open[request.agent])
        self.most_at_once = max(self.most_at_once, self.open.total())
        try:
            await asyncio.sleep(0)
            verdict = await self._answer(self._next(request.agent))
        finally:
            self.open[request.agent] -= 1
        if isinstance(verdict, Acknowledged):
            self.acknowledged[request.agent] = json.loads(request.body)
        return verdict

    def calls(self) -> dict[int, int]:
        return dict(Counter(request.agent for request in self.requests))

    def guids(self, agent: int) -> list[str]:
        return [dict(request.headers)["Guid"] for request in self.requests if request.agent == agent]

    def _next(self, agent: int) -> Answer:
        left = self._left.get(agent)
        return left.pop(0) if left else self.otherwise

    async def _answer(self, answer: Answer) -> Verdict:
        if isinstance(answer, Exception):
            raise answer
        return await answer() if callable(answer) else answer


async def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what it looks at belongs to no event of the loop
            await asyncio.sleep(0.001)


async def never() -> Verdict:
    """An answer that does not come."""
    await asyncio.Event().wait()
    raise AssertionError


Books = Callable[[Sequence[AgentId]], Mapping[AgentId, Session]]


@dataclass
class ScriptedSource(SessionSource):
    """Everybody is signed in but those in `absent`; each reading gives other Guids."""

    absent: frozenset[int] = frozenset()
    steady: bool = False
    """Each reading gives the same Guids."""
    failures: Mapping[int, Exception | Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """By number of the reading, from 1: what goes wrong or happens first."""

    def __post_init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        self.asked.append(tuple(agents))
        reading = len(self.asked)
        failure = self.failures.get(reading)
        if isinstance(failure, Exception):
            raise failure
        if failure is not None:
            await failure()
        await asyncio.sleep(0)
        return {a: self._session(a, 1 if self.steady else reading) for a in agents if a not in self.absent}

    def _session(self, agent: AgentId, reading: int) -> Session:
        return Session(agent=agent, guid=f"guid-{agent}-{reading}", key=f"login-{agent}")


class Disk(OsFiles):
    """A disk that knows what of each journal survives a power cut, and that can fail or hang at a sync.

    The machine's own disk is not made to sync, so that tests are quick.
    """

    def __init__(self) -> None:
        self._written: dict[int, bytearray] = {}
        self.durable = b""
        """What is synced of the journal opened last."""
        self._opening = False
        self.syncs = 0
        """How often the journal was synced, the syncs that open it not counted."""
        self.takes = 0.0
        """Seconds a sync of the journal takes. A disk that takes none has nobody wait for it, and so nobody join."""
        self.fail_after: int | None = None
        """Syncs of the journal that still succeed, the one that opens it not counted."""
        self.syncing = threading.Event()
        """Set when a sync has begun to hang."""
        self.hold: threading.Event | None = None
        """Syncs hang until it is set."""
        self.broken: set[str] = set()
        """Names of files that cannot be replaced."""

    def open_append(self, path: Path) -> int:
        handle = super().open_append(path)
        self._written[handle], self.durable, self._opening = bytearray(), b"", True
        return handle

    def write(self, handle: int, data: bytes) -> int:
        count = super().write(handle, data)
        if handle in self._written:
            self._written[handle] += data[:count]
        return count

    def fsync(self, handle: int) -> None:
        if handle in self._written:
            self._sync_journal(handle)

    def sync_directory(self, path: Path) -> None:
        pass

    def close(self, handle: int) -> None:
        self._written.pop(handle, None)
        super().close(handle)

    def replace(self, source: Path, target: Path) -> None:
        if target.name in self.broken:
            raise OSError(28, "No space left on device")
        super().replace(source, target)

    def _sync_journal(self, handle: int) -> None:
        opening, self._opening = self._opening, False
        self.syncs += not opening
        time.sleep(self.takes)
        if self.hold is not None and not opening:
            self.syncing.set()
            self.hold.wait(PATIENCE)
        if self.fail_after is not None and not opening:
            if self.fail_after == 0:
                raise OSError(5, "Input/output error")
            self.fail_after -= 1
        self.durable = bytes(self._written[handle])


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a run came to."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    told: tuple[Outcome, ...]
    """What `on_outcome` heard."""
    state: State
    error: BaseException | None

    @property
    def results(self) -> dict[int, Result]:
        return results(self.outcomes)

    @property
    def only(self) -> Outcome:
        (outcome,) = self.outcomes
        return outcome


class Room:
    """One state file and the world around it."""

    def __init__(
        self,
        directory: Path,
        agents: Mapping[int, AgentRecord] | None = None,
        *,
        gateway: ScriptedGateway | None = None,
        source: SessionSource | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.gateway = gateway or ScriptedGateway()
        self.source: SessionSource = source or ScriptedSource()
        self.disk = disk or Disk()
        self.clock = Clock()
        self.stop = Stop()
        self.journal = directory / "state.json.journal"
        self.store = open_local_store(
            directory / "state.json", site=SITE, clock=lambda: NOW, new_lineage=lambda: LINEAGE, files=self.disk
        )
        if agents:
            with self.store.lock(HOLDER):
                records = {AgentId(number): record for number, record in agents.items()}
                self.store.write(empty_state(SITE).with_agents(records))

    def plan(self, wanted: Desired, options: PlanOptions | None = None) -> Plan:
        return make_plan(wanted, self.store.read(), options)

    def on_disk(self) -> State:
        """What a later run would read."""
        return self.store.read()

    def survives(self) -> State:
        """What a later run would read after a power cut now."""
        journal = read_journal(self.disk.durable, name="journal")
        assert journal is not None
        path = self.journal.with_name("state.json")
        return replay(journal, decode(path.read_bytes(), site=SITE) if path.exists() else empty_state(SITE))

    def run(
        self,
        wanted: Desired | Plan,
        *,
        workers: int = 4,
        ahead: int = 0,
        notes: Mapping[int, Note] | None = None,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
        breaker: int = 0,
        fail_fast: bool = False,
        beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
        loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
        **knobs: Any,
    ) -> Ending:
        """Carry out the plan to `wanted`.

        `beside` runs at the same time, and what it raises cancels the run; `loop` makes the event loop to run in;
        `knobs` are those of `desk`.
        """
        plan = wanted if isinstance(wanted, Plan) else self.plan(wanted)
        told: list[Outcome] = []

        def listen(outcome: Outcome) -> None:
            told.append(outcome)
            on_outcome(outcome)

        async def main(recorder: Recorder) -> tuple[Outcome, ...]:
            running = asyncio.create_task(
                run_plan(
                    plan,
                    self.desk(plan, recorder, **knobs),
                    workers=workers,
                    ahead=ahead,
                    notes={AgentId(number): note for number, note in (notes or {}).items()},
                    breaker=Breaker(breaker),
                    fail_fast=fail_fast,
                    on_outcome=listen,
                )
            )
            if beside is not None:
                try:
                    await beside()
                except asyncio.CancelledError:
                    running.cancel()
            return await running

        stop = self.stop
        try:
            with self.store.lock(HOLDER):
                recorder = self.store.begin_run()
                with asyncio.Runner(loop_factory=loop) as runner:
                    outcomes = runner.run(main(recorder))
                state = recorder.finish(rescue_directory=self.journal.parent)
        finally:
            self.stop = Stop()  # a switch serves one run
        return Ending(plan=plan, outcomes=outcomes, told=tuple(told), state=state, error=stop.error)

    def desk(
        self,
        plan: Plan,
        recorder: Recorder,
        *,
        batch: int = 100,
        max_age: float = 45.0,
        rate: float = FAST,
        max_attempts: int = 4,
        first_backoff: float = SOON,
        now: Callable[[], str] = lambda: NOW,
    ) -> Desk:
        sessions = SessionDesk(
            self.source, plan.calls, batch=batch, ahead=batch, max_age=max_age, monotonic=self.clock, stop=self.stop
        )
        return Desk(
            caller=self.gateway,
            recorder=recorder,
            sessions=sessions,
            pace=Pace(rate, monotonic=self.clock, stop=self.stop),
            stop=self.stop,
            url=plan.url,
            callnums_key=plan.callnums_key,
            max_attempts=max_attempts,
            first_backoff=first_backoff,
            now=now,
            chance=lambda: 0.5,
        )


class _Skipping(selectors.DefaultSelector):
    """Never waits: the time it would have waited has simply passed."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None:
            self.seconds += max(timeout, 0.0)
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is moved by waiting. Nothing in it may wait for a thread or a socket."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.seconds


def run_skipping(main: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run `main`, which is given the loop's clock, and skip all waiting."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(main(runner.get_loop().time))
