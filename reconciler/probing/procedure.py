"""A probe from the lock to the unlock.

As numbered steps:

1. take the lock: what is recorded of the agent changes during the probe;
2. choose the agent's numbers, and refuse one that has none or is protected;
3. tell what will be sent, and ask;
4. look at the gateway's identity, with handshakes only; one that the settings do not trust ends it here;
5. open the journal, experiment, restore (see `experiment`): from here on every way out leaves a true state;
6. conclude, and make the journal the state; unlock.

No Guid is read before step 5. Every refusal up to step 3 is an exception; what comes later is in the report.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from reconciler.errors import InterruptedRunError, LockLostError
from reconciler.gateway import GatewayAccess, GatewayWitness, HandshakeMaker, SessionSource, closing, with_overrides
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.probe import Finding, ProbeEnd, ProbeOutcome, ProbeScript, Restoration
from reconciler.model.state import State
from reconciler.probing.announcement import announce
from reconciler.probing.bench import GRACE, Bench
from reconciler.probing.conclusions import (
    find_cookies,
    find_latency,
    find_unlisted_channels,
    lines_for_site,
    spreads_of,
)
from reconciler.probing.experiment import RESTORING_GRACE, Experiment, Look
from reconciler.probing.halt import Halt
from reconciler.probing.identity import Identity, look_at_identity
from reconciler.probing.spelling import find_spelling
from reconciler.probing.subject import Subject, choose_subject
from reconciler.state import Intended, LockHolder, Recorder, StateStore
from reconciler.values import Struct

_ALL_TIME = GRACE + RESTORING_GRACE + 1.0
"""Seconds from an interruption on, with the last one for closing the session source: a CI host kills after 7.5."""
_BEGINNING_GRACE = 5.0
"""Seconds for saying that the run is open, and for taking that back, if it is interrupted before its first call."""


class ProbeRequest(Struct, frozen=True, kw_only=True):
    """What is asked of a probe."""

    agent: AgentId
    desired: Desired
    allow_protected: bool = False
    pause: float | None = None
    """Seconds somebody may look at the agent while a channel is left out; `None`: none is."""
    interval: float = 1.0
    """Seconds between the starts of two calls."""
    settling: float = 5.0
    """Seconds to leave a call without an answer to itself before other numbers are sent."""
    signs_in: bool = False
    """The session source signs the agent in for this, and out again."""
    lock_timeout: float = 0.0
    """Seconds to wait while another run holds the lock."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """The world a probe happens in; every clock and question comes in here."""

    store: StateStore
    holder: LockHolder
    source: SessionSource
    handshakes: HandshakeMaker
    access: GatewayAccess
    """The way to the gateway, its files read and its secrets resolved."""
    now: Callable[[], str]
    """The time as RFC 3339 text in UTC, whole seconds."""
    monotonic: Callable[[], float]
    approve: Callable[[ProbeScript], bool]
    """Shown the script and asked, once, before anything is connected to."""
    look: Look
    """Asks somebody what is seen while a channel is left out."""
    watch_signals: Callable[[Callable[[], None]], AbstractContextManager[None]]
    """Calls back when the process is told to end; entered inside the event loop."""
    rescue_directory: Path
    """Where `errored-state.json` goes when the state cannot be written."""
    tell: Callable[[str], None] = lambda _: None
    """Told, in a sentence, whom the lock is waited for, and from whom it was taken over."""


class ProbeReport(Struct, frozen=True, kw_only=True):
    """What a probe came to."""

    script: ProbeScript
    outcome: ProbeOutcome
    state: State
    """As saved, or as it would have been."""
    warnings: tuple[Diagnostic, ...] = ()
    """What the session source has to say."""
    error: BaseException | None = None
    """What broke: a source, a disk, an interruption or a bug. An answer of the gateway is not among them."""


def write_script(request: ProbeRequest, state: State) -> tuple[Subject, ProbeScript]:
    """Return the agent's numbers and everything that a probe may send. Nothing is connected to.

    Raises:
        UsageError: the agent is neither recorded nor desired.
        GuardrailRefusedError: the agent is protected, and that was not lifted.
    """
    subject = choose_subject(request.agent, request.desired, state, allow_protected=request.allow_protected)
    script = announce(
        subject, request.desired, pause=request.pause, interval=request.interval, signs_in=request.signs_in
    )
    return subject, script


def probe(request: ProbeRequest, around: Surroundings) -> ProbeReport:
    """Make the experiment that `request` asks for, and report it.

    Raises:
        LockHeldError: another run holds the state.
        StateError: the state cannot be read, or the journal cannot be begun.
        UsageError: the agent is neither recorded nor desired.
        GuardrailRefusedError: the agent is protected, and that was not lifted.
        InterruptedRunError: approval was not given.
        InputError: the gateway's settings, or a secret they refer to, cannot be used.
    """
    with around.store.lock(around.holder, patience=request.lock_timeout, tell=around.tell):  # 1
        state = around.store.read()
        subject, script = write_script(request, state)  # 2
        if not around.approve(script):  # 3
            raise InterruptedRunError("not approved; nothing was sent")
        identity = asyncio.run(look_at_identity(around.handshakes, request.desired.site.gateway))  # 4
        if not identity.usable:
            return ProbeReport(script=script, outcome=_turned_back(subject, identity, request), state=state)
        around.source.prepare()
        experiment, recorder = asyncio.run(_experiment(subject, request, around))  # 5
        return _finish(  # 6
            experiment, recorder, around, subject=subject, script=script, identity=identity, request=request
        )


async def _experiment(subject: Subject, request: ProbeRequest, around: Surroundings) -> tuple[Experiment, Recorder]:
    halt = Halt()
    witness = GatewayWitness(
        request.desired.site.gateway, access=around.access, table=with_overrides(request.desired.site.retcodes)
    )
    with around.watch_signals(lambda: halt.request(InterruptedRunError("interrupted; the rest was not sent"))):
        recorder = await _begin(subject, around.store, halt)
        _halt_without_lock(around.store, halt)
        bench = _bench(subject, request, around, observer=witness, recorder=recorder, halt=halt)
        look = around.look if request.pause is not None else None
        experiment = Experiment(subject, bench, halt, look=look, pause=request.pause or 0.0)
        too_late = partial(halt.thrown_since, _ALL_TIME)
        async with witness, closing(around.source, too_late=too_late, on_bug=experiment.fail):
            await experiment.run()
            if not halt.requested:
                await halt.race(around.source.release(subject.agent))
    return experiment, recorder


async def _begin(subject: Subject, store: StateStore, halt: Halt) -> Recorder:
    """Return the recorder of the run; an interruption meanwhile leaves it a moment, and then nobody is called."""
    # In a thread, so that a signal meanwhile throws the switch: what was announced is taken back in order then.
    beginning = asyncio.ensure_future(asyncio.to_thread(store.begin_run, [_intended(subject)]))
    await halt.race(_ended(beginning))
    if halt.requested:
        store.hurry(_BEGINNING_GRACE)
    return await beginning


async def _ended(work: asyncio.Future[Recorder]) -> None:
    await asyncio.wait({work})


def _bench(
    subject: Subject,
    request: ProbeRequest,
    around: Surroundings,
    *,
    observer: GatewayWitness,
    recorder: Recorder,
    halt: Halt,
) -> Bench:
    return Bench(
        subject,
        url=request.desired.site.gateway.url,
        observer=observer,
        source=around.source,
        recorder=recorder,
        halt=halt,
        now=around.now,
        monotonic=around.monotonic,
        interval=request.interval,
        settling=request.settling,
    )


def _intended(subject: Subject) -> Intended:
    """Return what the agent is in doubt about while the run goes on, for a state that is kept elsewhere."""
    return Intended(
        agent=subject.agent,
        concurrency=subject.values,
        callnums_key=subject.configured,
        team=subject.team,
        protected=subject.protected,
    )


def _halt_without_lock(store: StateStore, halt: Halt) -> None:
    """Throw the switch when the lock is lost, which another thread tells. To be called inside the event loop."""
    loop = asyncio.get_running_loop()

    def on_lost(error: LockLostError) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
            loop.call_soon_threadsafe(partial(halt.request, error))

    store.watch_lock(on_lost)


def _turned_back(subject: Subject, identity: Identity, request: ProbeRequest) -> ProbeOutcome:
    """Return the outcome of a probe that ended before a session was read."""
    return ProbeOutcome(
        agent=subject.agent,
        end=ProbeEnd.UNTRUSTED if identity.reached else ProbeEnd.UNREACHABLE,
        detail="what would make it trusted stands under TLS" if identity.reached else identity.finding.conclusion,
        restoration=Restoration.NOT_TOUCHED,
        calls=(),
        findings=(identity.finding,),
        certificates=identity.certificates,
        ca_pem=None if identity.ca is None else identity.ca.pem,
        latency=spreads_of(identity.handshakes, ()),
        site_lines=lines_for_site(identity, (), request.desired.site.gateway),
    )


def _finish(
    experiment: Experiment,
    recorder: Recorder,
    around: Surroundings,
    *,
    subject: Subject,
    script: ProbeScript,
    identity: Identity,
    request: ProbeRequest,
) -> ProbeReport:
    error, state = experiment.error, recorder.state
    try:
        state = recorder.finish(rescue_directory=around.rescue_directory)
    except Exception as unwritten:  # noqa: BLE001 - whatever it is, the findings must be told
        error = unwritten
    settings = request.desired.site.gateway
    latency = spreads_of(identity.handshakes, experiment.results)
    findings: tuple[Finding, ...] = (
        identity.finding,
        find_spelling(experiment.trials, subject.configured),
        find_unlisted_channels(experiment.results, experiment.seen),
        find_cookies(experiment.results),
        find_latency(latency, settings.timeout),
    )
    outcome = ProbeOutcome(
        agent=subject.agent,
        end=experiment.end,
        detail=experiment.detail,
        restoration=experiment.standing,
        calls=experiment.calls(),
        findings=findings,
        certificates=identity.certificates,
        ca_pem=None if identity.ca is None else identity.ca.pem,
        latency=latency,
        site_lines=lines_for_site(identity, findings, settings),
    )
    return ProbeReport(
        script=script, outcome=outcome, state=state, warnings=tuple(around.source.warnings()), error=error
    )
