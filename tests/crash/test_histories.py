"""Any history of edits, runs, failures, deaths and people who come and go: what the state claims stays true.

A history takes place in one `Place`, through the real planner, applier, client and store, on the rehearsal gateway's
core. After each step: what the state claims acknowledged, the gateway has taken; the gateway was never sent a value
that no plan held. Once all is well again, one run is enough, and the plan after it is empty.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from crash import away
from crash.disk import ModelDisk
from crash.fleets import NEW, OLD, WIDE, fleet
from crash.floor import Floor, Values, values_of
from crash.laws import check_rest
from crash.runs import JOURNAL, ROOT, Life, Place, live, open_local, plan_of
from crash.scale import HISTORIES, amount
from crash.world import Death, Fate, Refusal, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.fleets import NOW

from reconciler.errors import LockHeldError
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import RecordStatus
from reconciler.state import LockHolder

AGENTS = (1001, 1002, 1003, 1004)
KINDS = {"local": (open_local, JOURNAL), "away": (away.open_away, away.JOURNAL)}
"""Where a state may be kept."""
FAULTS = ("reset-before-commit", "reset-after-commit", "http-502", "retcode:100-007", "retcode:106-011", "sign-out")

agents = st.sampled_from(AGENTS)
values = st.sampled_from((OLD, NEW, WIDE))
operations = st.integers(0, 90)
deaths = st.builds(Death, operations, st.sampled_from(("before", "torn", "after")))
refusals = st.builds(
    Refusal, operations, st.sampled_from((errno.ENOSPC, errno.EIO, errno.EROFS)), lasting=st.booleans()
)


class History(RuleBasedStateMachine):
    """One site over time."""

    @initialize(
        kind=st.sampled_from(sorted(KINDS)),
        workers=st.sampled_from((1, 3)),
        removal=st.sampled_from(OnAgentRemoval),
    )
    def begin(self, kind: str, workers: int, removal: OnAgentRemoval) -> None:
        open_store, journal = KINDS[kind]
        self.place = Place(ModelDisk(ROOT), Floor.of(*AGENTS), open_store, journal)
        self.wanted: dict[int, Concurrency] = dict.fromkeys(AGENTS[:2], OLD)
        self.workers, self.removal = workers, removal
        self.planned: set[tuple[int, Values]] = set()

    @property
    def desired(self) -> Desired:
        return fleet(self.wanted, workers=self.workers, removal=self.removal)

    @rule(agent=agents, value=values)
    def edit(self, agent: int, value: Concurrency) -> None:
        self.wanted[agent] = value

    @precondition(lambda self: len(self.wanted) > 1)
    @rule(agent=agents)
    def remove(self, agent: int) -> None:
        self.wanted.pop(agent, None)

    @rule(fate=st.none() | deaths | refusals)
    def apply(self, fate: Fate | None) -> None:
        self.run(fate)

    @rule(fault=st.sampled_from(FAULTS), number=st.integers(1, 4))
    def script_a_fault(self, fault: str, number: int) -> None:
        self.place.floor.arrange(*[fault] * number)

    @rule(fault=st.sampled_from(FAULTS), agent=agents)
    def script_a_fault_of(self, fault: str, agent: int) -> None:
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
        with store.lock(LockHolder(id="other", who="other@there", operation="apply", since=NOW)):
            life = self.run(None)
        assert isinstance(life.error, LockHeldError)
        assert len(self.place.floor.book) == calls

    @rule(chosen=st.integers(0, 10**6))
    def cut_the_power(self, chosen: int) -> None:
        found = list(self.place.disk.power_cuts())
        self.place = replace(self.place, disk=found[chosen % len(found)])

    @rule()
    def come_to_rest(self) -> None:
        self.place.floor.heal(AGENTS)
        life = self.run(None)
        assert life.error is None
        assert life.report is not None
        assert life.report.error is None
        check_rest(self.place, self.desired, rescued=True)

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

    def run(self, fate: Fate | None) -> Life:
        desired = self.desired
        plan = plan_of(self.place, desired)
        self.planned |= {(int(call.agent), values_of(call.after)) for call in plan.calls}
        life = live(self.place, desired, fate)
        assert life.sent_unsaid == []
        return life


History.TestCase.settings = settings(
    max_examples=HISTORIES.now,
    stateful_step_count=amount(20, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_every_history_keeps_the_state_true = History.TestCase
