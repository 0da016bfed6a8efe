"""An apply from the lock to the unlock: the one procedure in which everything meets.

As numbered steps:

1. take the lock, so that nobody else writes this state meanwhile;
2. read what is recorded;
3. plan afresh, with the reviewed plan's own options if there is one: a saved plan is a promise to hold to, never a
   list of orders to follow;
4. compare with the reviewed plan; any difference ends it here (a strict subset may be let through);
5. ask the guardrails, again: they also hold for plans nobody reviewed;
6. ask for approval;
7. open the journal, then send (see `run`): from here on every way out leaves outcomes and a true state;
8. compact the journal into the state; unlock.

Nothing is sent before step 7, and every refusal up to there is an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from reconciler.applying.attempts import Caller, Desk
from reconciler.applying.breaker import Breaker
from reconciler.applying.pace import Pace
from reconciler.applying.promises import hold_to_guardrails, hold_to_reviewed
from reconciler.applying.run import Note, run_plan
from reconciler.applying.session_desk import SessionDesk
from reconciler.applying.stop import Stop
from reconciler.errors import InterruptedRunError, ReconcilerError, StateError
from reconciler.gateway import GatewayClient, SessionSource, with_overrides
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.site import GatewaySettings
from reconciler.model.state import State
from reconciler.planning import make_plan, unapproved_standing
from reconciler.state import LockHolder, Recorder, StateStore

_SECONDS_PER_BATCH = 5.0
_SMALLEST_BATCH = 16
_LARGEST_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """What is asked of an apply."""

    desired: Desired
    options: PlanOptions
    """Ignored when there is a reviewed plan, which has its own."""
    reviewed: Plan | None = None
    allow_changes: int | None = None
    allow_shrink: bool = False
    fail_fast: bool = False
    breaker: int = 10
    """Equal refusals in a row that end the run; 0 for never."""
    max_attempts: int = 4
    """Calls for one agent that fail for now, at most; an expired session read again allows one more."""
    first_backoff: float = 0.5
    """Seconds before the second call of an agent."""
    session_max_age: float = 45.0
    """Seconds a session may wait between being read and being used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world an apply happens in; every clock, chance and question comes in here."""

    store: StateStore
    holder: LockHolder
    source: SessionSource
    ca_file: Path | None
    """`gateway.ca_file`, resolved."""
    now: Callable[[], str]
    """The time as RFC 3339 text in UTC, whole seconds."""
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    """A number from 0 to 1."""
    approve: Callable[[Plan], bool]
    """Shown the plan and asked, once, just before anything is sent; not asked when there is nothing to do."""
    on_outcome: Callable[[Outcome], None]
    watch_signals: Callable[[Stop], AbstractContextManager[None]]
    """Throws the switch when the process is told to end; entered inside the event loop."""
    rescue_directory: Path
    """Where `errored-state.json` goes when the state cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """What an apply came to."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    state: State
    """As saved, or as it would have been."""
    error: BaseException | None = None
    """Why the run ended early or its state could not be saved; `None` when neither happened."""


def apply(request: ApplyRequest, around: Surroundings) -> ApplyReport:
    """Carry out what `request` asks and report it.

    Raises:
        LockHeldError: another run holds the state.
        StateError: the state cannot be read, or the journal cannot be begun.
        StalePlanError: the plan made now is not the reviewed one.
        GuardrailRefusedError: the plan is bolder than the guardrails allow.
        InterruptedRunError: approval was not given.
        InputError: the gateway's settings cannot be used.
    """
    with around.store.lock(around.holder):  # 1
        state = around.store.read()  # 2
        plan = _plan(request, state)  # 3, 4, 5
        if plan.changes and not around.approve(plan):  # 6
            raise InterruptedRunError("not approved; nothing was sent")
        gateway = request.desired.site.gateway
        client = GatewayClient(gateway, ca_file=around.ca_file, table=with_overrides(request.desired.site.retcodes))
        recorder = around.store.begin_run()  # 7
        stop = Stop()
        notes = _notes(plan, request.desired, state)
        outcomes = asyncio.run(_send(plan, request, around, client=client, recorder=recorder, stop=stop, notes=notes))
        return _finish(plan, outcomes, recorder, stop, around)  # 8


def _plan(request: ApplyRequest, state: State) -> Plan:
    if request.reviewed is None:
        plan = make_plan(request.desired, state, request.options, allow_changes=request.allow_changes)
    else:
        plan = make_plan(request.desired, state, request.reviewed.options, allow_changes=request.allow_changes)
        hold_to_reviewed(plan, request.reviewed, allow_shrink=request.allow_shrink)
    hold_to_guardrails(plan)
    return plan


def _notes(plan: Plan, desired: Desired, state: State) -> dict[AgentId, Note]:
    """Return what is to be recorded of agents whose values stay and whose team or protection does not."""
    notes = {}
    for agent in plan.unchanged:
        record = state.agents[agent]
        standing = unapproved_standing(desired.agents[agent], record, desired.site.guardrails)
        if standing != (record.team, record.protected):
            notes[agent] = Note(team=standing.team, protected=standing.protected)
    return notes


async def _send(
    plan: Plan,
    request: ApplyRequest,
    around: Surroundings,
    *,
    client: GatewayClient,
    recorder: Recorder,
    stop: Stop,
    notes: dict[AgentId, Note],
) -> tuple[Outcome, ...]:
    gateway = request.desired.site.gateway
    with around.watch_signals(stop):
        async with client:
            return await run_plan(
                plan,
                _desk(plan, request, around, caller=client, recorder=recorder, stop=stop),
                workers=gateway.concurrency,
                notes=notes,
                breaker=Breaker(request.breaker),
                fail_fast=request.fail_fast,
                on_outcome=around.on_outcome,
            )


def _desk(
    plan: Plan, request: ApplyRequest, around: Surroundings, *, caller: Caller, recorder: Recorder, stop: Stop
) -> Desk:
    gateway = request.desired.site.gateway
    return Desk(
        caller=caller,
        recorder=recorder,
        sessions=SessionDesk(
            around.source,
            plan.calls,
            batch=_batch_size(gateway),
            max_age=request.session_max_age,
            monotonic=around.monotonic,
            stop=stop,
        ),
        pace=Pace(gateway.requests_per_second, monotonic=around.monotonic, stop=stop),
        stop=stop,
        url=plan.url,
        callnums_key=plan.callnums_key,
        max_attempts=request.max_attempts,
        first_backoff=request.first_backoff,
        now=around.now,
        chance=around.chance,
    )


def _batch_size(gateway: GatewaySettings) -> int:
    """Return how many sessions to read at once: a few seconds of calling, so that none of them waits long."""
    few_seconds = int(gateway.requests_per_second * _SECONDS_PER_BATCH)
    return max(_SMALLEST_BATCH, gateway.concurrency, min(few_seconds, _LARGEST_BATCH))


def _finish(
    plan: Plan, outcomes: tuple[Outcome, ...], recorder: Recorder, stop: Stop, around: Surroundings
) -> ApplyReport:
    error, state = stop.error, recorder.state
    try:
        state = recorder.finish(rescue_directory=around.rescue_directory)
    except Exception as unwritten:  # noqa: BLE001 - whatever it is, the outcomes must be told
        error = _both(unwritten, error)
    return ApplyReport(plan=plan, outcomes=outcomes, state=state, error=error)


def _both(unwritten: Exception, earlier: BaseException | None) -> Exception:
    """Return the error that says where the state is, without hiding why the run had ended before."""
    if earlier is None:
        return unwritten
    reason = str(earlier) if isinstance(earlier, ReconcilerError) else repr(earlier)
    told = StateError(f"{unwritten}; before that: {reason}", hint=getattr(unwritten, "hint", ""))
    told.__cause__ = earlier
    return told
