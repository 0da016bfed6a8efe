"""A plan, carried out: bounded workers, one outcome for every change, whatever happens.

The run as numbered steps, which the code below names:

1. metadata of unchanged agents (team, protection) is noted, and waits that have lost their reason end; no call;
2. records of agents no longer desired are dropped; no call;
3. workers take the calls in order, each agent's turn by one worker from start to end; where there are more workers
   than calls in flight, whoever waits for the disk keeps no connection from the others;
4. a stop (interrupt, breaker, fail-fast, a disk that failed) lets calls in flight finish, within the stop's grace; a
   call given up is in doubt, which its durable intent already says. A source that failed lets all finish who have a
   session already, and is then the reason why the run ended early;
5. whoever had no turn is skipped, and a turn given up tells what it had come to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from reconciler.applying.attempts import Desk, Turn
from reconciler.applying.breaker import Breaker
from reconciler.applying.stop import RunStoppedError, Stop
from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Change, Forget, Plan
from reconciler.values import Struct

_AT_ONCE = 1000
_TROUBLE = {Result.FAILED: "failed", Result.IN_DOUBT: "is in doubt"}
"""What `--fail-fast` stops at."""

_T = TypeVar("_T")


class Note(Struct, frozen=True, kw_only=True):
    """What is to be recorded of an agent whose values stay."""

    team: str | None
    protected: bool


class _Ledger:
    """The outcomes of a run, and the turns begun."""

    def __init__(self, on_outcome: Callable[[Outcome], None], stop: Stop) -> None:
        self._on_outcome = on_outcome
        self._stop = stop
        self._turns: dict[AgentId, Turn] = {}
        self._outcomes: dict[AgentId, Outcome] = {}

    def begin(self, turn: Turn, agent: AgentId) -> None:
        self._turns[agent] = turn

    def end(self, outcome: Outcome) -> None:
        self._turns.pop(outcome.agent, None)
        self._outcomes[outcome.agent] = outcome
        try:
            self._on_outcome(outcome)
        except Exception as error:  # noqa: BLE001 - who shows outcomes must not cost one
            self._stop.request(error)

    def close(self, plan: Plan) -> tuple[Outcome, ...]:
        for change in plan.changes:
            if change.agent not in self._outcomes:
                turn = self._turns.get(change.agent)
                self.end(_skipped(change) if turn is None else turn.outcome)
        return tuple(sorted(self._outcomes.values(), key=attrgetter("agent")))


def _skipped(change: Change) -> Outcome:
    message = "the run stopped before this agent's turn"
    return Outcome(agent=change.agent, action=change.action, result=Result.SKIPPED, message=message)


async def run_plan(
    plan: Plan,
    desk: Desk,
    *,
    workers: int,
    notes: Mapping[AgentId, Note],
    breaker: Breaker,
    ahead: int = 0,
    not_due: Sequence[AgentId] = (),
    fail_fast: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> tuple[Outcome, ...]:
    """Carry out `plan` and return exactly one outcome for each of its changes, sorted by agent.

    Nothing that goes wrong on the way is raised: `desk.stop.error` says why the run ended early, if it did.

    Args:
        plan: what to do; its guardrails were asked before.
        desk: what the workers share. Its `stop` may be thrown from outside at any time.
        workers: calls in flight at most.
        notes: metadata to record of agents that need no call.
        breaker: watches the outcomes for one and the same refusal.
        ahead: turns that may wait for the disk beside those in flight.
        not_due: agents whose change waited for them and is not due any more.
        fail_fast: stop at the first agent that failed or is in doubt.
        on_outcome: told each outcome as it comes, in order of completion.
    """
    ledger = _Ledger(on_outcome, desk.stop)
    await _record_notes(notes, not_due, desk)  # 1
    await _forget(plan, desk, ledger)  # 2
    watch = _Watch(desk, ledger, breaker, connections=max(1, workers), fail_fast=fail_fast)
    try:
        await _work(watch, max(1, min(workers + ahead, len(plan.calls))), desk.stop)  # 3, 4
    finally:
        await desk.sessions.close()
    if desk.sessions.failure is not None:
        desk.stop.request(desk.sessions.failure)
    return ledger.close(plan)  # 5


class _Watch:
    """What a worker does between turns."""

    def __init__(self, desk: Desk, ledger: _Ledger, breaker: Breaker, *, connections: int, fail_fast: bool) -> None:
        self._desk = desk
        self._ledger = ledger
        self._breaker = breaker
        self._connections = asyncio.Semaphore(connections)
        self._fail_fast = fail_fast

    async def work(self) -> None:
        """Take turns until there are none left or somebody says stop. Never raises but for cancellation."""
        try:
            while (item := await self._desk.sessions.next()) is not None:
                call, held = item
                turn = Turn(call, held, self._desk, connections=self._connections, on_settled=self._judge)
                self._ledger.begin(turn, call.agent)
                self._ledger.end(await turn.take())
                await self._desk.sessions.release(call.agent)
        except Exception as error:  # noqa: BLE001 - see `Turn.take`
            self._desk.stop.request(error)

    def _judge(self, outcome: Outcome) -> None:
        """See whether the run is to go on, before anybody makes the next call."""
        reason = self._breaker.judge(outcome)
        if reason is None and self._fail_fast and outcome.result in _TROUBLE:
            words = _TROUBLE[outcome.result]
            reason = RunStoppedError(f"stopped: agent {outcome.agent} {words}, and --fail-fast was given")
        if reason is not None:
            self._desk.stop.request(reason)


async def _record_notes(notes: Mapping[AgentId, Note], not_due: Sequence[AgentId], desk: Desk) -> None:
    for batch in _batches(notes.items(), desk.stop):
        await _record_all((desk.recorder.note(agent, team=n.team, protected=n.protected) for agent, n in batch), desk)
    for waited in _batches(not_due, desk.stop):
        await _record_all(map(desk.recorder.not_due, waited), desk)


async def _record_all(records: Iterable[Awaitable[None]], desk: Desk) -> None:
    for error in await asyncio.gather(*records, return_exceptions=True):
        if error is not None:
            desk.stop.request(error)


async def _forget(plan: Plan, desk: Desk, ledger: _Ledger) -> None:
    forgets = (change for change in plan.changes if isinstance(change, Forget))
    for batch in _batches(forgets, desk.stop):
        records = (desk.recorder.forget(change.agent) for change in batch)
        for change, error in zip(batch, await asyncio.gather(*records, return_exceptions=True), strict=True):
            if error is not None:
                desk.stop.request(error)
            # A drop that is not durable is still in the records that become the state in the end.
            if error is None or isinstance(error, StateError):
                ledger.end(Outcome(agent=change.agent, action=change.action, result=Result.FORGOTTEN))


def _batches(items: Iterable[_T], stop: Stop) -> Iterator[list[_T]]:
    """Walk `items` so many at a time that one sync of the journal serves them all, until somebody says stop."""
    rest = iter(items)
    while not stop.requested and (batch := list(islice(rest, _AT_ONCE))):
        yield batch


async def _work(watch: _Watch, workers: int, stop: Stop) -> None:
    """Let workers run to their end, or to the end of patience; on every way out none is left running."""
    tasks = {asyncio.create_task(watch.work()) for _ in range(workers)}
    patience = asyncio.create_task(stop.patience_over())
    try:
        working = tasks
        while working and not patience.done():
            await asyncio.wait({*working, patience}, return_when=asyncio.FIRST_COMPLETED)
            working = {task for task in working if not task.done()}
    finally:
        for task in (*tasks, patience):
            task.cancel()
        await asyncio.gather(*tasks, patience, return_exceptions=True)
