"""(InversePlan, Desired, State) → Plan: from what is recorded now to what was recorded before a run. Pure.

Rules of this file: it goes the way of every plan. What was recorded before is put in the place of what is desired, and
`make_plan` does the rest: it closes the channels that the run opened, as the site says, and it is asked by the same
guardrails. Only an agent who is recorded as the run left them is taken back; what somebody did since is not undone.

The decision for one agent is `_fate`, a walk down the cases in this order:

1. not recorded before the run: nobody knows what there is to go back to;
2. the record was dropped by the run and is still gone: it is put back without a call where the gateway kept the values
   (`forget`), and with one where it was given others (`reset`);
3. recorded as before: there is nothing to do, or, if an earlier way back got no answer, to do again;
4. recorded as the run left them: taken back;
5. else somebody changed them since.
"""

from __future__ import annotations

from enum import Enum, auto

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.going_back import GoingBack
from reconciler.model.inverse import InverseChange, InversePlan
from reconciler.model.plan import Action, Plan, PlanOptions, Scope
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.planning.capacity import capacity_of
from reconciler.planning.guardrails import check_guardrails
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import in_scope
from reconciler.planning.standing import standing_of_called
from reconciler.planning.values import in_force
from reconciler.values import Struct, field, replace

"""One object, see `EditExplainer`."""


class _Fate(Enum):
    UNKNOWN = auto()
    RESTORED = auto()
    ALREADY = auto()
    TAKEN_BACK = auto()
    CHANGED_SINCE = auto()


class _Sorted(Struct):
    """The agents of an inverse by their fates."""

    wanted: dict[AgentId, DesiredAgent] = field(default_factory=dict)
    """Who is taken back, and to what."""
    records: dict[AgentId, AgentRecord] = field(default_factory=dict)
    """From where; of an agent whom the run has reset and dropped, the values it was last given."""
    restored: dict[AgentId, AgentRecord] = field(default_factory=dict)
    others: dict[_Fate, list[AgentId]] = field(default_factory=dict)
    uncertain: list[AgentId] = field(default_factory=list)


def plan_back(
    inverse: InversePlan, desired: Desired, state: State, *, scope: Scope, allow_changes: int | None = None
) -> Plan:
    """Return the plan that takes the agents of `inverse` back to what was recorded before its run.

    Args:
        inverse: what the run left.
        desired: the environment as it is now. Its site says how to send; whom its YAML protects, it protects here too.
        state: what is recorded now.
        scope: which agents of the run to look at.
        allow_changes: the number of changes a person approved; see `check_guardrails`.
    """
    fates = _sort(inverse, desired, state, scope)
    wanted = Desired(site=desired.site, agents=fates.wanted)
    plan = make_plan(wanted, replace(state, agents=fates.records), PlanOptions(scope=scope))
    changes = plan.changes  # without a line of the YAML: none gives these values
    everybody = state.with_agents({**state.agents, **fates.records})
    standing = tuple(standing_of_called(changes, everybody.agents))
    capacity = capacity_of(everybody.agents, changes, standing, restored=fates.restored)
    return replace(
        plan,
        changes=changes,
        findings=check_guardrails(wanted, everybody, changes, capacity, allow_changes=allow_changes),
        capacity=capacity,
        standing=standing,
        going_back=_going_back(inverse, fates),
    )


def _sort(inverse: InversePlan, desired: Desired, state: State, scope: Scope) -> _Sorted:
    fates = _Sorted()
    for change in inverse.changes:
        agent, now = change.agent, state.agents.get(change.agent)
        wanted = _as_desired(change.before, desired.agents.get(agent))
        if not in_scope(scope, agent, wanted, now):
            continue
        fate = _fate(change, now)
        if change.before is None or wanted is None or fate not in (_Fate.TAKEN_BACK, _Fate.RESTORED):
            fates.others.setdefault(fate, []).append(agent)
        elif fate is _Fate.RESTORED:
            fates.restored[agent] = change.before
        else:
            fates.wanted[agent] = wanted
            fates.records[agent] = now or _dropped_record(change.before, change.after, inverse.callnums_key)
            fates.uncertain += [] if change.certain else [agent]
    return fates


def _fate(change: InverseChange, now: AgentRecord | None) -> _Fate:
    before = change.before
    if before is None:  # 1
        return _Fate.ALREADY if now is None else _Fate.UNKNOWN
    if now is None:  # 2
        return _fate_of_dropped(change, before.concurrency)
    if in_force(now.concurrency) == in_force(before.concurrency):  # 3
        unanswered = now.status is RecordStatus.IN_DOUBT and change.certain
        return _Fate.TAKEN_BACK if unanswered else _Fate.ALREADY
    if change.after is not None and in_force(now.concurrency) == in_force(change.after):  # 4
        return _Fate.TAKEN_BACK
    return _Fate.CHANGED_SINCE  # 5


def _fate_of_dropped(change: InverseChange, before: Concurrency) -> _Fate:
    if change.action is Action.SET:
        return _Fate.CHANGED_SINCE
    kept = change.after is None or in_force(change.after) == in_force(before)
    return _Fate.RESTORED if kept else _Fate.TAKEN_BACK


def _dropped_record(before: AgentRecord, sent: Concurrency | None, key: CallnumsKey) -> AgentRecord:
    """Return the record there would be if the run had not dropped it after a last call, which was acknowledged."""
    concurrency = sent or before.concurrency
    return before.amended(concurrency=concurrency, callnums_key=key, status=RecordStatus.ACKNOWLEDGED)


def _as_desired(before: AgentRecord | None, in_yaml: DesiredAgent | None) -> DesiredAgent | None:
    """Return what was recorded as if it were desired; protection that the YAML gives meanwhile is kept."""
    if before is None:
        return None
    protected = before.protected or (in_yaml is not None and in_yaml.protected)
    return DesiredAgent(concurrency=before.concurrency, team=before.team, protected=protected)


def _going_back(inverse: InversePlan, fates: _Sorted) -> GoingBack:
    return GoingBack(
        left_by=inverse.left_by,
        begun_at=inverse.begun_at,
        finished=inverse.finished,
        restored=fates.restored,
        unknown=tuple(fates.others.get(_Fate.UNKNOWN, ())),
        uncertain=tuple(fates.uncertain),
        changed_since=tuple(fates.others.get(_Fate.CHANGED_SINCE, ())),
        already=tuple(fates.others.get(_Fate.ALREADY, ())),
    )
