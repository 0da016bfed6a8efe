"""Any history of edits, plans, runs, failures, deaths, locks and moves: what the state claims stays true.

A history takes place in one `Place`, through the real planner, applier, client and store, on the rehearsal gateway's
core. After each step: what the state claims acknowledged, the gateway has taken; the gateway was never sent a value
that no plan held. Once all is well again, one run is enough, and the plan after it is empty.
"""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from crash import away
from crash.disk import ModelDisk
from crash.fleets import NEW, OLD, WIDE, fleet
from crash.floor import Floor, Values, values_of
from crash.laws import RESCUED, check_rest
from crash.runs import JOURNAL, ROOT, Life, OpenStore, Place, live, open_local, plan_of
from crash.scale import HISTORIES, amount
from crash.world import Death, Fate, Refusal, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from state.disk import Died
from support.fleets import NOW

from reconciler.applying.procedure import _intended
from reconciler.errors import LockHeldError, LockLostError, StalePlanError, StateConflictError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.inverse import InversePlan
from reconciler.model.plan import Plan
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.planning import make_plan
from reconciler.state import LockHolder, StateStore
from reconciler.state.journal.recorder import Recorder
from reconciler.state.locks.lock import LEASE
from reconciler.values import replace

AGENTS = (1001, 1002, 1003, 1004)
OTHER = LockHolder(id="other", who="other@there", operation="apply", since=NOW)


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a state may be kept."""

    open_store: OpenStore
    journal: Any
    unfinished: frozenset[str]
    """Files that a run leaves which was cut short."""


KINDS = {
    "local": Kind(open_local, JOURNAL, frozenset({JOURNAL.name, ".state.json.tmp"})),
    "away": Kind(away.open_away, away.JOURNAL, frozenset({away.JOURNAL.name, "before.json", ".before.json.tmp"})),
}
BY_HAND = frozenset({".state.json.backup-1.tmp", *(f".{number:08}-by-hand.journal.tmp" for number in range(200))})
"""Files that a change by hand leaves which was cut short."""
FAULTS = ("reset-before-commit", "reset-after-commit", "http-502", "retcode:100-007", "retcode:106-011", "sign-out")

agents = st.sampled_from(AGENTS)
values = st.sampled_from((OLD, NEW, WIDE))
operations = st.integers(0, 90)
deaths = st.builds(Death, operations, st.sampled_from(("before", "torn", "after")))
refusals = st.builds(
    Refusal, operations, st.sampled_from((errno.ENOSPC, errno.EIO, errno.EROFS)), lasting=st.booleans()
)
fates = st.none() | deaths | refusals


def calls_in(plan: Plan) -> set[tuple[int, Values]]:
    """Return the values that a plan holds, by agent."""
    return {(int(call.agent), values_of(call.after)) for call in plan.calls}


def wake(recorder: Recorder, plan: Plan) -> None:
    """Let a machine go on that was overtaken: it begins no call, and overwrites nothing."""
    for call in plan.calls[:1]:
        intent = recorder.intend(
            call.agent,
            concurrency=call.after,
            callnums_key=plan.callnums_key,
            team=call.team,
            protected=call.protected,
            at=NOW,
        )
        with pytest.raises(LockLostError):
            asyncio.run(intent)
        with pytest.raises(StateConflictError):
            recorder.finish(rescue_directory=ROOT)


class History(RuleBasedStateMachine):
    """One site over time."""

    @initialize(
        kind=st.sampled_from(sorted(KINDS)),
        workers=st.sampled_from((1, 3, 8)),
        removal=st.sampled_from(OnAgentRemoval),
    )
    def begin(self, kind: str, workers: int, removal: OnAgentRemoval) -> None:
        self.kind = kind
        self.place = Place(ModelDisk(ROOT), Floor.of(*AGENTS), KINDS[kind].open_store, KINDS[kind].journal)
        self.wanted: dict[int, Concurrency] = dict.fromkeys(AGENTS[:2], OLD)
        self.workers, self.removal = workers, removal
        self.reviewed: Plan | None = None
        self.planned: set[tuple[int, Values]] = set()
        self.strays = RESCUED
        self.lineages: list[str | None] = []
        self.way_back: InversePlan | None = None

    @property
    def desired(self) -> Desired:
        return fleet(self.wanted, workers=self.workers, removal=self.removal)

    # What people do

    @rule(agent=agents, value=values)
    def edit(self, agent: int, value: Concurrency) -> None:
        self.wanted[agent] = value

    @precondition(lambda self: len(self.wanted) > 1)
    @rule(agent=agents)
    def remove(self, agent: int) -> None:
        self.wanted.pop(agent, None)

    @rule()
    def plan(self) -> None:
        self.reviewed = plan_of(self.place, self.desired)

    @rule(fate=fates)
    def apply(self, fate: Fate | None) -> None:
        self.run(fate)

    @precondition(lambda self: self.reviewed is not None)
    @rule(fate=fates, allow_shrink=st.booleans())
    def apply_what_was_reviewed(self, fate: Fate | None, allow_shrink: bool) -> None:
        assert self.reviewed is not None
        fresh, held = plan_of(self.place, self.desired), calls_in(self.reviewed)
        life = self.run(fate, reviewed=self.reviewed, allow_shrink=allow_shrink)
        sent = {(each.agent, each.values) for each in self.place.floor.book[life.first_call :]}
        assert sent <= held
        if fate is None and not calls_in(fresh) <= held:
            assert isinstance(life.error, StalePlanError)

    @rule(agent=agents, fate=st.none() | deaths)
    def drop_a_record_by_hand(self, agent: int, fate: Fate | None) -> None:
        before = self.place.read()
        wanted = {number: each for number, each in before.agents.items() if number != agent}
        self.by_hand(fate, lambda store: store.write(before.with_agents(wanted)), wanted)

    @rule(agent=agents, fate=st.none() | deaths, forced=st.booleans())
    def push_by_hand(self, agent: int, fate: Fate | None, forced: bool) -> None:
        """Push what is recorded without an agent, as a later state or, by force, as one of another lineage."""
        before = self.place.read()
        wanted = {number: each for number, each in before.agents.items() if number != agent}
        pushed = before.with_agents(wanted)
        if forced:
            force, pushed = before.serial, replace(pushed, lineage=str(uuid.UUID(int=len(self.lineages))), serial=40)
            self.lineages.append(pushed.lineage)
        elif before.lineage is not None:
            force, pushed = None, replace(pushed, serial=before.serial + 1)
        else:
            force = None
        self.by_hand(fate, lambda store: store.push(pushed, force=force), wanted, may_refuse=not forced)

    @rule(agent=agents, fate=st.none() | deaths)
    def adopt(self, agent: int, fate: Fate | None) -> None:
        """Record as acknowledged what is wanted and is so already, which people know who took the site over."""
        before, value = self.place.read(), self.wanted.get(agent)
        taken = [each.values for each in self.place.floor.book if each.agent == agent and each.taken]
        if value is None or taken[-1:] != [values_of(value)]:
            return
        record = AgentRecord.of(
            concurrency=value, callnums_key=CallnumsKey.CAMEL, acknowledged_at=NOW, session=None, team=None
        )
        wanted = {**before.agents, AgentId(agent): record}
        self.by_hand(fate, lambda store: store.write(before.with_agents(wanted)), wanted)

    @precondition(lambda self: self.way_back is not None)
    @rule(fate=fates)
    def roll_back(self, fate: Fate | None) -> None:
        """Take back what the last run has changed, which is refused once that is not the last word any more."""
        life = live(self.place, self.desired, fate, undo=self.way_back)
        self.planned |= set() if life.plan is None else calls_in(life.plan)
        assert life.sent_unsaid == []
        assert life.error is None or isinstance(life.error, StalePlanError | StateError)

    @rule()
    def switch_the_backend(self) -> None:
        old, moved = KINDS[self.kind], self.place.read()
        self.kind = "away" if self.kind == "local" else "local"
        new = KINDS[self.kind]
        # Whatever was under way there stays there, and what a power cut can bring back of it.
        self.strays = RESCUED | old.unfinished | BY_HAND | self.place.disk.files().keys()
        self.place = dataclasses.replace(self.place, open_store=new.open_store, journal=new.journal)
        self.move_in(moved)
        assert self.place.read().content == moved.content

    # What happens to them

    @rule(fault=st.sampled_from(FAULTS), number=st.integers(1, 6), times=st.integers(1, 3))
    def fail_call(self, fault: str, number: int, times: int) -> None:
        soon = len(self.place.floor.book) + number
        self.place.floor.arrange(*(f"#{soon + each}={fault}" for each in range(times)))

    @rule(fault=st.sampled_from(FAULTS), agent=agents)
    def fail_the_next_call_of(self, fault: str, agent: int) -> None:
        self.place.floor.arrange(f"{agent}={fault}")

    @rule(agent=agents)
    def sign_out(self, agent: int) -> None:
        if self.place.floor.gateway.live(agent) is not None:
            self.place.floor.gateway.sign_out(agent)

    @rule(agent=agents)
    def sign_in_anew(self, agent: int) -> None:
        self.place.floor.gateway.sign_in(agent)

    @rule(agent=agents)
    def vanish_from_the_source(self, agent: int) -> None:
        self.place.floor.unknown ^= {agent}

    @rule()
    def meet_a_lock(self) -> None:
        store, calls = self.place.open_store(World(self.place.disk)), len(self.place.floor.book)
        with store.lock(OTHER, patience=300.0):  # one that a dead run has left is taken over
            life = self.run(None, lock_timeout=0.0)
        assert isinstance(life.error, LockHeldError)
        assert len(self.place.floor.book) == calls

    @precondition(lambda self: self.kind == "away")
    @rule()
    def take_over_the_lock_of_a_machine_that_sleeps(self) -> None:
        elsewhere = ModelDisk(ROOT)
        elsewhere.remote = self.place.disk.remote
        sleeper = away.open_away(World(elsewhere))
        with sleeper.lock(OTHER, patience=300.0):
            plan = make_plan(self.desired, sleeper.read())
            self.planned |= calls_in(plan)
            recorder = sleeper.begin_run(_intended(plan))
            self.place.disk.remote.waited += LEASE
            self.run(None)
            found = self.place.read()
            wake(recorder, plan)
        assert self.place.read().content == found.content

    @rule(chosen=st.integers(0, 10**6))
    def cut_the_power(self, chosen: int) -> None:
        found = list(self.place.disk.power_cuts())
        self.place = dataclasses.replace(self.place, disk=found[chosen % len(found)])

    @rule()
    def come_to_rest(self) -> None:
        self.place.floor.heal(AGENTS)
        life = self.run(None)
        assert life.error is None
        assert life.report is not None
        assert life.report.error is None
        check_rest(self.place, self.desired, apart_from=self.strays)

    # What holds throughout

    @invariant()
    def what_is_claimed_was_taken(self) -> None:
        state, book = self.place.read(), self.place.floor.book
        for agent, record in state.agents.items():
            taken = [each.values for each in book if each.agent == agent and each.taken]
            if record.status is RecordStatus.ACKNOWLEDGED:
                assert taken[-1:] == [values_of(record.concurrency)], agent
            else:
                assert (agent, values_of(record.concurrency)) in self.planned

    @invariant()
    def nothing_was_sent_that_no_plan_held(self) -> None:
        assert {(each.agent, each.values) for each in self.place.floor.book} <= self.planned
        assert self.place.floor.gateway.requests_document()["max_overlap"] in (0, 1)

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.come_to_rest()

    # How it is done

    def run(self, fate: Fate | None, **request: Any) -> Life:
        desired = self.desired
        self.planned |= calls_in(plan_of(self.place, desired))
        life = live(self.place, desired, fate, **request)
        assert life.sent_unsaid == []
        if life.report is not None:
            self.way_back = life.report.inverse if life.report.inverse.changes else None
        return life

    def by_hand(
        self,
        fate: Fate | None,
        change: Callable[[StateStore], object],
        wanted: Mapping[AgentId, AgentRecord],
        *,
        may_refuse: bool = False,
    ) -> None:
        """Change the state as a command by hand does; a death in its midst has done it or has not.

        Where it `may_refuse`, it does so if an unfinished run has done what would be lost.
        """
        before, refused = self.place.read(), False
        world = World(self.place.disk, fate)
        store = self.place.open_store(world)
        try:
            with store.lock(OTHER, patience=300.0):
                change(store)
        except Died:
            assert world.dead
        except StateError as error:
            refused = "what a run that was cut short has done" in str(error)
            assert may_refuse
            assert refused
        found = self.place.read().agents
        assert found == before.agents if refused else found == wanted or (world.dead and found == before.agents)

    def move_in(self, moved: State) -> None:
        """Push what was recorded elsewhere, as `state push` does; what is there already is lost by name only."""
        store = self.place.open_store(World(self.place.disk))
        with store.lock(OTHER, patience=300.0):
            try:
                store.push(moved)
            except StateError:
                kept, recorded = store._keeping.read()
                store.push(moved, force=kept.state.serial)
            else:
                return
        # Nothing else may have refused it: it is of another lineage or later, or an unfinished run has done more.
        other = kept.state.lineage != moved.lineage
        assert other or kept.state.serial >= moved.serial or recorded.content != kept.state.content


History.TestCase.settings = settings(
    max_examples=HISTORIES.now,
    stateful_step_count=amount(20, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_every_history_keeps_the_state_true = History.TestCase
