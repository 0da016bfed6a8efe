"""The inverse of a plan: whom a run changes, with what was recorded before. Pure, like the plan it comes from.

Rules of this file: it tells what was and never what to send. Whoever goes back plans that afresh, from what is recorded
by then (see `going_back`). A change counts if other numbers are in force after it; a repetition of recorded values and
another key spelling change none.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.agent import AgentId
from reconciler.model.inverse import REVERSIBLE, InverseChange, InversePlan
from reconciler.model.outcome import Result
from reconciler.model.plan import Change, Plan, Set
from reconciler.model.state import AgentRecord, State
from reconciler.planning.inverse_fingerprint import sealed
from reconciler.planning.values import in_force
from reconciler.values import replace

_CHANGED = frozenset({Result.APPLIED, Result.IN_DOUBT, Result.FORGOTTEN})
"""Outcomes after which something is, or may be, as it was not before."""

Results = Mapping[AgentId, Result]


def inverse_before(plan: Plan, state: State, *, left_by: str, begun_at: str) -> InversePlan:
    """Return the way back from all that a run of `plan` may change, as it is known before its first call.

    Args:
        plan: what is about to be done.
        state: what is recorded before it.
        left_by: the command that does it.
        begun_at: now, as RFC 3339 in UTC.
    """
    changes = (_inverse_change(change, state.agents.get(change.agent)) for change in plan.changes)
    return sealed(
        InversePlan(
            site=plan.site,
            url=plan.url,
            callnums_key=plan.callnums_key,
            lineage=state.lineage,
            serial_before=state.serial,
            serial_after=None,
            left_by=left_by,
            begun_at=begun_at,
            changes=tuple(change for change in changes if change is not None),
        )
    )


def inverse_after(before: InversePlan, results: Results, *, saved: State) -> InversePlan:
    """Return the way back from what the run did in the end: only agents that were changed, or may have been.

    Args:
        before: what `inverse_before` returned for the run.
        results: how it ended for each agent.
        saved: the state as the run left it.
    """
    changes = (replace(change, result=results.get(change.agent)) for change in before.changes)
    done = tuple(change for change in changes if change.result in _CHANGED)
    return sealed(replace(before, changes=done, lineage=saved.lineage, serial_after=saved.serial))


def _inverse_change(change: Change, before: AgentRecord | None) -> InverseChange | None:
    if change.action not in REVERSIBLE:
        return None
    if isinstance(change, Set) and before is not None and in_force(before.concurrency) == in_force(change.after):
        return None
    return InverseChange(agent=change.agent, action=change.action, before=before, after=change.after)
