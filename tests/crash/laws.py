"""What must hold wherever a run has died, and after the run that follows it.

Rules of this file: everything is told from outside: what was recorded before, what was planned, what the gateway's book
holds, and what the process had said while it lived. Written from the documents, not from the code under test.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from crash.floor import Arrived, values_of
from crash.runs import Life, Place, Remains, live, plan_of
from support.fleets import SITE

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Call, Change, Forget, Plan, Reset
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.state import RESCUE_NAME

RESCUED = frozenset({RESCUE_NAME, f".{RESCUE_NAME}.tmp"})
"""The file of a state that found no place of its own, and what a power cut can bring back of writing it."""
_NUMBERED = re.compile(rf"(?<=errored-state)-{SITE}-\d+(-\d+)?(?=\.json)", re.ASCII)
"""What such a file has in its name when there is one already."""
_AT_REST = re.compile(
    r"state\.json(\.lock|\.backup-[1-5])?|\d{8}-(ended|cut-short|by-hand)\.journal|\.gitignore", re.ASCII
)
"""The files that may be there when no run is under way: the state, its lock and copies, and the history."""
_DONE = {Result.APPLIED, Result.FORGOTTEN}


def check_truth(before: State, plan: Plan, told: Mapping[int, Outcome], book: Sequence[Arrived], found: State) -> None:
    """What is found claims nothing that was not acknowledged, and has forgotten nothing that was told.

    Args:
        before: what was recorded before the run.
        plan: of the run.
        told: what it said of each agent by the time it died.
        book: the calls that arrived from it.
        found: what is recorded now.
    """
    changes = {change.agent: change for change in plan.changes}
    for agent in sorted({*before.agents, *found.agents, *changes}):
        change, prior, record = changes.get(agent), before.agents.get(agent), found.agents.get(agent)
        mine = [each for each in book if each.agent == agent]
        outcome = told.get(agent)
        what = _what_is_told(prior, record, change)
        assert what in _allowed(change, prior, mine, outcome), (agent, what, outcome, mine, prior, record)
        _check_wait(agent, before, found, outcome)
    assert {each.agent for each in book} <= {call.agent for call in plan.calls}
    for each in book:
        call = changes[AgentId(each.agent)]
        assert isinstance(call, Call)
        assert each.values == values_of(call.after), "the gateway was sent a value that no plan held"
    assert (found.lineage, found.site) == (before.lineage or found.lineage, before.site)
    assert found.serial >= before.serial


def _what_is_told(prior: AgentRecord | None, record: AgentRecord | None, change: Change | None) -> str:
    """Say what a record claims of this run, in one word."""
    if _same(prior, record):
        return "nothing"
    if record is None:
        return "dropped"
    after = change.after if isinstance(change, Call) else None
    assert after is not None, "a record has changed of whom nothing was planned"
    assert record.concurrency == after, "neither what was recorded nor what was planned"
    return "in doubt" if record.status is RecordStatus.IN_DOUBT else "acknowledged"


def _same(prior: AgentRecord | None, record: AgentRecord | None) -> bool:
    """Tell whether nothing about the values has changed; team and protection need no call."""
    if prior is None or record is None:
        return prior is record
    return prior.amended(team=record.team, protected=record.protected) == record


def _allowed(
    change: Change | None, prior: AgentRecord | None, mine: Sequence[Arrived], outcome: Outcome | None
) -> set[str]:
    """Return what may be claimed of an agent of whom `prior` was recorded after these calls, if this was told."""
    match change:
        case None:
            return {"nothing"}
        case Forget():
            if outcome is None:
                return {"nothing", "dropped"}
            return {"dropped"} if outcome.result is Result.FORGOTTEN else {"nothing"}
        case _:
            pass
    done = "dropped" if isinstance(change, Reset) else "acknowledged"
    acknowledged = any(each.acknowledged for each in mine)
    unsure = any(each.taken for each in mine)
    # Who was in doubt and is sent the same values again stays as they were: nothing new is claimed, and that is right.
    doubt = {"in doubt", "nothing"} if _is_in_doubt(prior, change.after) else {"in doubt"}
    match outcome:
        case None:
            return doubt | ({"nothing"} if not unsure else set()) | ({done} if acknowledged else set())
        case Outcome(result=Result.APPLIED):
            assert acknowledged
            return {done}
        case Outcome(result=Result.IN_DOUBT):
            return doubt
        case _:
            assert not unsure
            return {"nothing"}


def _is_in_doubt(record: AgentRecord | None, concurrency: Concurrency) -> bool:
    return record is not None and (record.status, record.concurrency) == (RecordStatus.IN_DOUBT, concurrency)


def _check_wait(agent: int, before: State, found: State, outcome: Outcome | None) -> None:
    old, new = before.pending.get(AgentId(agent)), found.pending.get(AgentId(agent))
    waited, waits = old.attempts if old else 0, new.attempts if new else 0
    if outcome is not None and outcome.result is Result.DEFERRED:
        assert waits == waited + 1, agent
    elif outcome is not None and outcome.result in _DONE:
        assert waits == 0, agent
    else:
        assert waits in {0, waited, waited + 1}, agent


def check_remains(before: State, plan: Plan, remains: Remains, *, since: int) -> None:
    """Look at what a death has left; `since` is where the run's calls begin in the book."""
    check_truth(before, plan, remains.told, remains.place.floor.book[since:], remains.place.read())


def check_convergence(place: Place, desired: Desired, told: Mapping[int, Outcome], everybody: Sequence[int]) -> Life:
    """Let the next run come, in a world that is well: nobody has to do anything, and it does no more than it must.

    `place` is changed. `told` is what runs before have said.
    """
    found, rescued = place.read(), set(map(_unnumbered, place.disk.files())) & RESCUED
    planned = plan_of(place, desired)
    place.floor.heal(everybody)
    life = live(place, desired)
    calls = place.floor.calls(life.first_call)
    assert life.error is None
    assert life.report is not None
    assert life.report.error is None
    assert {outcome.result for outcome in life.told.values()} <= _DONE
    assert calls == {call.agent: 1 for call in planned.calls}
    assert not calls.keys() & {agent for agent, outcome in told.items() if outcome.result in _DONE}
    check_truth(found, planned, life.told, place.floor.book[life.first_call :], place.read())
    check_rest(place, desired, apart_from=rescued)
    assert life.sent_unsaid == []
    return life


def check_rest(place: Place, desired: Desired, *, apart_from: Collection[str] = ()) -> None:
    """All is quiet: nothing is left to do, nothing lies around, and the gateway has what is recorded.

    `apart_from` names files that may lie around: one into which a run has put its records is a person's to remove.
    """
    state = place.read()
    assert plan_of(place, desired).changes == ()
    assert state.pending == {}
    strays = {_unnumbered(name) for name in place.disk.files() if not _AT_REST.fullmatch(name)}
    assert strays <= set(apart_from)
    assert place.floor.gateway.requests_document()["max_overlap"] in (0, 1)
    for agent, record in state.agents.items():
        assert record.status is RecordStatus.ACKNOWLEDGED
        assert _lives(place, agent, record.concurrency), agent


def _unnumbered(name: str) -> str:
    return _NUMBERED.sub("", name)


def _lives(place: Place, agent: int, recorded: Concurrency) -> bool:
    """Tell whether the gateway has what is recorded, or the agent has signed out since, which nobody can know.

    The rehearsal merges channels, so it may have further ones.
    """
    live, wanted = place.floor.live(agent), values_of(recorded)
    return live is None or (live[0] == wanted[0] and set(wanted[1]) <= set(live[1]))
