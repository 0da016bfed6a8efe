"""An apply from the lock to the unlock: the one procedure in which everything meets.

As numbered steps:

1. take the lock, so that nobody else writes this state meanwhile;
2. read what is recorded;
3. plan afresh, for the aim of the run (see `aim`), with the reviewed plan's own options if there is one: a saved plan
   is a promise to hold to, never a list of orders to follow; where the options say so, who is signed in is read anew;
4. compare with the reviewed plan; any difference ends it here (a strict subset may be let through);
5. ask the guardrails, again: they also hold for plans nobody reviewed;
6. let the session source read its secrets, then ask for approval;
7. keep the way back (see `way_back`), open the journal, then send (see `run`): from here on every way out leaves
   outcomes, a true state and a way back, and the source closed;
8. compact the journal into the state; narrow the way back to what was changed; unlock.

Nothing is sent before step 7, and every refusal up to there is an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial

from reconciler.applying import way_back
from reconciler.applying.aim import Aim, aim_of
from reconciler.applying.attempts import Caller, Desk
from reconciler.applying.breaker import Breaker
from reconciler.applying.pace import Pace
from reconciler.applying.promises import hold_to_guardrails
from reconciler.applying.request import ApplyReport, ApplyRequest, Surroundings
from reconciler.applying.run import run_plan
from reconciler.applying.session_desk import SessionDesk
from reconciler.applying.stop import Stop
from reconciler.collector import seldom_collector
from reconciler.errors import InterruptedRunError, LockLostError, ReconcilerError, StateError
from reconciler.gateway import GatewayClient, SessionSource, closing, with_overrides
from reconciler.model.inverse import InversePlan
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan
from reconciler.model.session_settings import MAX_BATCH
from reconciler.model.site import Site
from reconciler.model.state import State
from reconciler.planning import inverse_after, inverse_before
from reconciler.state import Intended, Recorder, StateStore

_SECONDS_PER_BATCH = 5.0
_SECONDS_READ_AHEAD = 1.0  # of calling at full pace; sessions are so much older when they are used
_SMALLEST_BATCH = 16
_AHEAD_FROM = 8  # calls in flight; with fewer, the gateway and the pace are waited for, and not the disk
_LAST_MOMENT = 0.75  # seconds for closing the session source, which can begin only when calls in flight have ended
_GRACE_WITHOUT_LOCK = 10.0  # seconds for calls in flight: the lock is given up a quarter of a lease before it runs out


def apply(request: ApplyRequest, around: Surroundings) -> ApplyReport:
    """Carry out what `request` asks and report it.

    Raises:
        LockHeldError: another run holds the state.
        StateError: the state cannot be read, or the journal cannot be begun.
        StalePlanError: the plan made now is not the reviewed one, or the run to be undone is not the last word.
        InputError: the way back cannot be kept.
        SessionSourceError: a secret of the session source cannot be had.
        GuardrailRefusedError: the plan is bolder than the guardrails allow.
        InterruptedRunError: approval was not given.
    """
    with around.store.lock(around.holder, patience=request.lock_timeout, tell=around.tell):  # 1
        state = around.store.read()  # 2
        aim = aim_of(request, around.session_keys)
        plan = aim.plan(state)  # 3, 4
        hold_to_guardrails(plan)  # 5
        if plan.calls:  # 6
            around.source.prepare()
        if plan.does_something and not around.approve(plan):
            raise InterruptedRunError("not approved; nothing was sent")
        gateway = request.desired.site.gateway
        client = GatewayClient(gateway, access=around.access, table=with_overrides(request.desired.site.retcodes))
        inverse = inverse_before(plan, state, left_by=request.command, begun_at=around.now())
        begin = partial(_begin, plan, state, inverse, around)
        stop = _switch(request, around)
        sending = _send(plan, request, around, client=client, begin=begin, stop=stop, aim=aim, state=state)  # 7
        with seldom_collector():
            recorder, outcomes = asyncio.run(sending)
        return _finish(plan, outcomes, around, recorder=recorder, stop=stop, inverse=inverse)  # 8


def _begin(plan: Plan, state: State, inverse: InversePlan, around: Surroundings) -> Recorder:
    """Keep the way back, put back the records that need no call, and return the recorder of the run."""
    way_back.prepare(around.way_back, inverse)
    try:
        if plan.restored:
            around.store.write(state.with_agents({**state.agents, **plan.restored}))
        return around.store.begin_run(_intended(plan))
    except BaseException:
        way_back.withdraw(around.way_back, inverse)
        raise


def _intended(plan: Plan) -> Iterator[Intended]:
    """Yield all that may be sent."""
    for call in plan.calls:
        yield Intended(
            agent=call.agent,
            concurrency=call.after,
            callnums_key=plan.callnums_key,
            team=call.team,
            protected=call.protected,
        )


def _stop_without_lock(store: StateStore, stop: Stop) -> None:
    """Throw the switch when the lock is lost, which another thread tells. To be called inside the event loop."""
    loop = asyncio.get_running_loop()

    def on_lost(error: LockLostError) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
            loop.call_soon_threadsafe(partial(stop.request, error, grace=_GRACE_WITHOUT_LOCK))

    store.watch_lock(on_lost)


async def _send(
    plan: Plan,
    request: ApplyRequest,
    around: Surroundings,
    *,
    client: GatewayClient,
    begin: Callable[[], Recorder],
    stop: Stop,
    aim: Aim,
    state: State,
) -> tuple[Recorder, tuple[Outcome, ...]]:
    gateway = request.desired.site.gateway
    with around.watch_signals(stop):
        # In a thread, so that a signal meanwhile throws the switch: the run ends in order then, with nobody called.
        recorder = await asyncio.to_thread(begin)
        _stop_without_lock(around.store, stop)
        too_late = partial(stop.patience_over, more=_LAST_MOMENT)
        async with client, closing(around.source, too_late=too_late, on_bug=stop.request):
            outcomes = await run_plan(
                plan,
                _desk(plan, request, around, caller=client, recorder=recorder, stop=stop),
                workers=gateway.concurrency,
                ahead=_ahead(gateway.concurrency, around.source),
                notes=aim.notes(plan, state),
                not_due=aim.not_due(plan, state),
                breaker=Breaker(request.breaker),
                fail_fast=request.fail_fast,
                on_outcome=around.on_outcome,
            )
    return recorder, outcomes


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
            batch=_batch_size(request.desired.site),
            ahead=0 if around.source.holds_agents else int(gateway.requests_per_second * _SECONDS_READ_AHEAD),
            max_age=request.desired.site.session_use.max_age,
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


def _batch_size(site: Site) -> int:
    """Return how many sessions to read at once: a few seconds of calling, so that none of them waits long."""
    if site.session_use.batch is not None:
        return site.session_use.batch
    few_seconds = int(site.gateway.requests_per_second * _SECONDS_PER_BATCH)
    return max(_SMALLEST_BATCH, site.gateway.concurrency, min(few_seconds, MAX_BATCH))


def _ahead(concurrency: int, source: SessionSource) -> int:
    """Return how many turns may wait for the disk beside those in flight: as many again, where that pays."""
    return 0 if concurrency < _AHEAD_FROM or source.holds_agents else concurrency


def _switch(request: ApplyRequest, around: Surroundings) -> Stop:
    """Return the run's switch, which its deadline throws if there is one: it begins to count now."""
    stop = Stop()
    deadline = request.desired.site.gateway.run_deadline
    if deadline is not None:
        stop.limit(deadline, monotonic=around.monotonic)
    return stop


def _finish(
    plan: Plan,
    outcomes: tuple[Outcome, ...],
    around: Surroundings,
    *,
    recorder: Recorder,
    stop: Stop,
    inverse: InversePlan,
) -> ApplyReport:
    error, state = stop.error, recorder.state
    try:
        state = recorder.finish(rescue_directory=around.rescue_directory)
    except Exception as unwritten:  # noqa: BLE001 - whatever it is, the outcomes must be told
        error = _both(unwritten, error)
    done = inverse_after(inverse, {outcome.agent: outcome.result for outcome in outcomes}, saved=state)
    warnings = (*around.source.warnings(), *around.store.warnings, *way_back.settle(around.way_back, inverse, done))
    return ApplyReport(plan=plan, outcomes=outcomes, state=state, error=error, warnings=warnings, inverse=done)


def _both(unwritten: Exception, earlier: BaseException | None) -> Exception:
    """Return the error that says where the state is, without hiding why the run had ended before."""
    if earlier is None:
        return unwritten
    reason = str(earlier) if isinstance(earlier, ReconcilerError) else repr(earlier)
    told = StateError(f"{unwritten}; before that: {reason}", hint=getattr(unwritten, "hint", ""))
    told.__cause__ = earlier
    return told
