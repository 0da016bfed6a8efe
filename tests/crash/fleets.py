"""The fleets that are put through it: a past that the real thing has made, and an apply in which everything happens.

Rules of this file: whatever a run can come to for an agent is in `eventful`, once, so that the operations of one run
are those of all. Values are small; what counts is that they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crash.disk import ModelDisk
from crash.floor import Floor
from crash.runs import JOURNAL, ROOT, OpenStore, Place, live, open_local
from crash.world import World
from support.fleets import NO_GUARDRAILS, NOW, URL, concurrency, desired, desired_agent

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.outcome import Outcome, Result
from reconciler.model.session_settings import SessionUse
from reconciler.model.site import OnAgentRemoval, Site
from reconciler.state import LockHolder

OLD, NEW, WIDE = concurrency(8, web_chat=3), concurrency(25, web_chat=9, sms=6), concurrency(9, web_chat=4, whatsapp=2)
HOLDER = LockHolder(id="run-0", who="tester@here", operation="apply", since=NOW)


def fleet(
    agents: Mapping[int, Concurrency | DesiredAgent],
    *,
    workers: int = 1,
    removal: OnAgentRemoval = OnAgentRemoval.FORGET,
) -> Desired:
    gateway = GatewaySettings(url=URL, concurrency=workers, requests_per_second=1e9)
    site = Site(
        name="demo",
        gateway=gateway,
        guardrails=NO_GUARDRAILS,
        on_agent_removal=removal,
        session_use=SessionUse(batch=5),
    )
    return desired(agents, at=site)


@dataclass(frozen=True, kw_only=True)
class Story:
    """A place as an earlier run has left it, and what is desired there now."""

    name: str
    place: Place
    desired: Desired
    results: Mapping[int, Result]
    """What becomes of each agent of the plan when nothing dies."""

    def __str__(self) -> str:
        return self.name


_CHANGED, _DOUBTED, _RESPELLED, _REMOVED, _REMOVED_TOO = 1001, 1002, 1003, 1004, 1005
_WAITING, _NOT_DUE, _NOTED, _STEADY = 1006, 1007, 1008, 1009
_ADDED, _REFUSED, _LOST, _LOST_ONCE, _BUSY, _EXPIRED, _UNKNOWN, _GONE = range(1011, 1019)
EVERYBODY = (*range(1001, 1010), *range(1011, 1019))


def make_past(open_store: OpenStore = open_local, journal: Path = JOURNAL) -> Place:
    """Make a place where somebody is in doubt, somebody waits, and somebody was sent the other spelling."""
    place = Place(ModelDisk(ROOT), Floor.of(*EVERYBODY), open_store, journal)
    before = dict.fromkeys((_CHANGED, _RESPELLED, _REMOVED, _REMOVED_TOO, _STEADY, _GONE), OLD)
    wanted = {**before, _CHANGED: WIDE, _DOUBTED: OLD, _WAITING: OLD, _NOT_DUE: OLD, _NOTED: OLD}
    assert not live(place, fleet({**before, _NOT_DUE: OLD, _NOTED: OLD})).world.dead
    place.floor.arrange(f"{_DOUBTED}*=reset-after-commit", absent=[_WAITING, _NOT_DUE])
    life = live(place, fleet({**wanted, _NOT_DUE: NEW}))
    assert {1002: Result.IN_DOUBT, 1006: Result.DEFERRED, 1007: Result.DEFERRED}.items() <= _results(life.told).items()
    place.floor.heal(EVERYBODY)
    store = open_store(World(place.disk))
    with store.lock(HOLDER):
        state = store.read()
        other = state.agents[AgentId(_RESPELLED)].amended(callnums_key=CallnumsKey.LOWER)
        store.write(state.with_agents({**state.agents, AgentId(_RESPELLED): other}))
    return place


def _results(told: Mapping[int, Outcome]) -> dict[int, Result]:
    return {agent: outcome.result for agent, outcome in told.items()}


def eventful(
    *,
    workers: int = 1,
    removal: OnAgentRemoval = OnAgentRemoval.FORGET,
    open_store: OpenStore = open_local,
    journal: Path = JOURNAL,
) -> Story:
    """Return a story in which everything happens that can happen to an agent.

    1001 changed, a channel closed · 1002 in doubt · 1003 key spelling · 1004, 1005 removed · 1006 waited and is there
    now · 1007 waited and is not due · 1008 has another team · 1009 stays · 1011 new · 1012 refused for good · 1013 each
    answer lost · 1014 one answer lost · 1015 busy once · 1016 session expired once · 1017 no session known · 1018 gone
    """
    place = make_past(open_store, journal)
    place.floor.arrange(
        f"{_LOST}*=reset-after-commit",
        f"{_LOST_ONCE}=reset-after-commit",
        f"{_BUSY}=retcode:100-007",
        f"{_EXPIRED}=retcode:000-003",
        absent=[_GONE],
        unskilled=[_REFUSED],
    )
    place.floor.unknown = {_UNKNOWN}
    wanted: dict[int, Concurrency | DesiredAgent] = {
        _NOTED: desired_agent(OLD, team="night"),
        **dict.fromkeys((_DOUBTED, _RESPELLED, _WAITING, _NOT_DUE, _STEADY), OLD),
        **dict.fromkeys((_CHANGED, *range(_ADDED, _GONE + 1)), NEW),
    }
    last = Result.FORGOTTEN if removal is OnAgentRemoval.FORGET else Result.APPLIED
    return Story(
        name=f"{removal}-{workers}",
        place=place,
        desired=fleet(wanted, workers=workers, removal=removal),
        results={
            **dict.fromkeys((_CHANGED, _DOUBTED, _RESPELLED, _WAITING, _ADDED), Result.APPLIED),
            **dict.fromkeys((_LOST_ONCE, _BUSY, _EXPIRED), Result.APPLIED),
            **dict.fromkeys((_REMOVED, _REMOVED_TOO), last),
            **dict.fromkeys((_UNKNOWN, _GONE), Result.DEFERRED),
            _REFUSED: Result.FAILED,
            _LOST: Result.IN_DOUBT,
        },
    )
