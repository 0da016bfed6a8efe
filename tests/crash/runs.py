"""Whole runs in a `World`: the real procedure, client, applier and store, from the lock to the unlock.

Rules of this file: nothing of the package is replaced but the thread in which a journal is synced, which would make
the order of operations a matter of chance; tests that want that chance say so. A run that dies is known by its world.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from crash.disk import ModelDisk
from crash.floor import Desks, Floor, Values, Wire
from crash.world import STATE_FILE, Death, Fate, World
from state.disk import Died
from support.fleets import LINEAGE, NOW, SITE

from reconciler.applying import ApplyReport, ApplyRequest, Stop, Surroundings, apply
from reconciler.errors import ReconcilerError
from reconciler.gateway import GatewayAccess, GatewayClient
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.state import State
from reconciler.planning import make_plan
from reconciler.state import Files, LockHolder, StateStore, open_local_store

ROOT = STATE_FILE.parent
JOURNAL = STATE_FILE.with_name("state.json.journal")
_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class OnLoop(Executor):
    """Does what it is given in the next turn of the running loop and not in a thread; see the rules of this file."""

    def __init__(self, **_: object) -> None:
        """Need nothing."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        asyncio.get_running_loop().call_soon(partial(work, *arguments, **named))
        return Future()


OpenStore = Callable[[Files], StateStore]
_USUALLY: Mapping[str, Any] = {
    "options": PlanOptions(),
    "first_backoff": 0.0,
    "max_attempts": 2,
    "breaker": 0,
    "lock_timeout": 300.0,  # as in a pipeline: a lock that a dead run has left elsewhere is waited for
}


def open_local(files: Files) -> StateStore:
    """Return the store of a state in a file."""
    return open_local_store(
        STATE_FILE,
        site=SITE,
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        files=files,
        display="state.json",
        environment="demo",
    )


@dataclass
class Place:
    """Disk and floor at one moment: all that outlives a process."""

    disk: ModelDisk
    floor: Floor
    open_store: OpenStore = open_local
    journal: Path = JOURNAL
    runs: int = 0
    """How many have begun here, for their ids: equal runs in equal places are equal to the byte."""

    def copy(self) -> Place:
        return replace(self, disk=self.disk.copy(), floor=self.floor.copy())

    @property
    def traces(self) -> tuple[object, ...]:
        """Equal for places from which everything goes on in the same way."""
        remote = tuple(sorted((name, stored.data) for name, stored in self.disk.remote.kept.items()))
        return tuple(self.disk.files().items()), remote, tuple(self.floor.book)

    def read(self) -> State:
        """What a plan made now would go by; nothing may be written for it."""
        world = World(self.disk)
        state = self.open_store(world).read()
        assert set(world.operations) <= {"load", "read", "mode_of", "sizes_in"}
        return state


@dataclass
class Life:
    """A run that was tried, and what is known of it from outside."""

    world: World
    told: dict[int, Outcome] = field(default_factory=dict)
    """What the run said of each agent while it lived."""
    plan: Plan | None = None
    report: ApplyReport | None = None
    error: ReconcilerError | None = None
    """Why it was refused, if it was."""
    first_call: int = 0
    """Where its calls begin in the book of the floor."""
    sent_unsaid: list[int] = field(default_factory=list)
    """Who was called though a power cut at that moment would have left no trace of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Remains:
    """What a process leaves that dies at one point of its life."""

    death: Death
    operation: str
    place: Place
    told: Mapping[int, Outcome]
    """What it had said of each agent by then."""

    def __str__(self) -> str:
        return f"{self.death} ({self.operation})"


def live_and_die(
    place: Place, desired: Desired, *, at: Collection[int] | None = None, **request: Any
) -> tuple[Life, list[Remains]]:
    """Apply `desired` in `place`, and return beside that life what it would have left at every point of it.

    `at` names the operations to look at, where that is not all.

    A killed process does nothing more, so a copy of the world at that point is what it leaves; `test_kill_points` shows
    for some that it is.
    """
    remains: list[Remains] = []

    def watch(life: Life, death: Death, torn: Callable[[ModelDisk], object]) -> None:
        if at is not None and death.at not in at:
            return
        left = place.copy()
        torn(left.disk)
        left.disk.kill()
        left.floor.hang_up()
        name = life.world.operations[death.at]
        remains.append(Remains(death=death, operation=name, place=left, told=dict(life.told)))

    life = live(place, desired, watch=watch, **request)
    return life, remains


def live(
    place: Place,
    desired: Desired,
    fate: Fate | None = None,
    *,
    threaded: bool = False,
    now: Callable[[], str] = lambda: NOW,
    watch: Callable[[Life, Death, Callable[[ModelDisk], object]], None] | None = None,
    **request: Any,
) -> Life:
    """Apply `desired` in `place`, which is changed by it; a death or a refusal is in what is returned."""
    life = Life(World(place.disk, fate), first_call=len(place.floor.book))
    if watch is not None:
        life.world.watch = partial(watch, life)
    asking = ApplyRequest(desired=desired, **{**_USUALLY, **request})
    with _wired(place, life, threaded=threaded):
        try:
            life.report = apply(asking, _surroundings(place, life, now))
        except Died:
            assert life.world.dead
        except ReconcilerError as error:
            life.error = error
    place.floor.hang_up()
    return life


@contextlib.contextmanager
def _wired(place: Place, life: Life, *, threaded: bool) -> Iterator[None]:
    def witness(agent: int, values: Values) -> None:
        if not _intent_survives(place, agent, values):
            life.sent_unsaid.append(agent)

    client = partial(GatewayClient, transport=Wire(place.floor, life.world, witness=witness))
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch("reconciler.applying.procedure.GatewayClient", client))
        if not threaded:
            stack.enter_context(patch("reconciler.state.journal.commit.ThreadPoolExecutor", OnLoop))
        yield


def _intent_survives(place: Place, agent: int, values: Values) -> bool:
    """Tell whether, after a power cut now, the journal would still say that these values may have been sent."""
    lines = (place.disk.survives(place.journal) or b"").splitlines()
    told = [line for line in lines if re.search(rb'"%d"' % agent, line)]
    said: dict[str, Any] = json.loads(told[-1].split(b" ", 2)[2]) if told else {"kind": "nothing"}
    if said["kind"] == "intents":
        total, channels, *_ = said["values"][said["agents"][str(agent)]]
    elif said["kind"] == "intent":
        total, channels = said["total"], said["channels"]
    else:
        return False
    return values == (total, tuple(sorted((int(code), number) for code, number in channels.items())))


def _surroundings(place: Place, life: Life, now: Callable[[], str]) -> Surroundings:
    def hear(outcome: Outcome) -> None:
        if not life.world.dead:  # what is said after death, nobody hears
            life.told[outcome.agent] = outcome

    def approve(plan: Plan) -> bool:
        life.plan = plan
        return True

    @contextlib.contextmanager
    def watch(_: Stop) -> Iterator[None]:
        yield

    place.runs += 1
    return Surroundings(
        store=place.open_store(life.world),
        holder=LockHolder(id=f"run-{place.runs}", who="tester@here", operation="apply", since=NOW),
        source=Desks(place.floor, life.world),
        access=GatewayAccess(context=_CONTEXT),
        now=now,
        monotonic=itertools.count(step=1e-6).__next__,
        chance=lambda: 0.5,
        session_keys=lambda _: {},
        approve=approve,
        on_outcome=hear,
        watch_signals=watch,
        rescue_directory=ROOT,
    )


def plan_of(place: Place, desired: Desired) -> Plan:
    return make_plan(desired, place.read())
