"""(Desired, State) → Plan. Pure: no clock, no randomness, no files, no order but that of agent ids.

The decision for one agent is `_decide`, a walk down the reasons there are, in order of weight; docs/planning.md
tells the same story for people. Everything else here carries it over a whole fleet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import NOWHERE, Desired, DesiredAgent
from reconciler.model.plan import Base, Change, Forget, Plan, PlanOptions, Reason, Reassert, Reset, Set
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.planning.age import AgeLimit, age_limit
from reconciler.planning.attendance import SessionKeys, sessions_seen, waits_of
from reconciler.planning.capacity import capacity_of
from reconciler.planning.edits import EditExplainer
from reconciler.planning.fingerprint import fingerprint
from reconciler.planning.guardrails import check_guardrails
from reconciler.planning.selection import in_scope
from reconciler.planning.standing import (
    desired_standing,
    standing_of_called,
    standing_of_unchanged,
    unapproved_standing,
)
from reconciler.planning.values import Sending, reset_values
from reconciler.values import Struct


class _Question(Struct, frozen=True):
    """What is asked about every agent."""

    desired: Desired
    explainer: EditExplainer
    sending: Sending
    session_keys: SessionKeys
    reassert_all: bool
    age_limit: AgeLimit | None

    def is_settled(self, wanted: DesiredAgent, record: AgentRecord) -> bool:
        """Tell of an agent with nothing to do whether that goes for all of whom the same is desired and held."""
        by_agent = bool(self.session_keys) or self.age_limit is not None
        return not by_agent and (wanted.team, wanted.protected) == (record.team, record.protected)


def make_plan(
    desired: Desired,
    state: State,
    options: PlanOptions | None = None,
    *,
    session_keys: SessionKeys | None = None,
    allow_changes: int | None = None,
) -> Plan:
    """Return the plan that takes what is recorded to what is desired.

    Each agent of desired ∪ state that the scope selects is in it exactly once. The same arguments give an equal plan.

    Args:
        desired: what the YAML says.
        state: what the gateway last acknowledged.
        options: selection and reassertion; the plan keeps them.
        session_keys: keys of the sessions alive now, of the agents who have one; see `attendance.SessionKeys`.
            `options.sessions` says that they were read.
        allow_changes: the number of changes a person approved; see `check_guardrails`.

    Raises:
        ValueError: `options.reassert_older_than` without `options.at`, an `at` without its offset, or
            `options.sessions` without `session_keys`.
    """
    options = options or PlanOptions()
    if options.sessions and session_keys is None:
        raise ValueError("to compare sessions, their keys must be given")
    question = _ask(desired, options, session_keys or {})
    walked = _walk(question, state, options)
    changes, unchanged = walked.changes, walked.unchanged
    standing = (*standing_of_called(changes, state.agents), *standing_of_unchanged(walked.unsettled, desired, state))
    capacity = capacity_of(state.agents, changes, standing)
    gateway = desired.site.gateway
    return Plan(
        site=desired.site.name,
        url=gateway.url,
        callnums_key=gateway.callnums_key,
        signs_in=isinstance(desired.site.sessions, SignInSessions),
        base=Base(lineage=state.lineage, serial=state.serial),
        options=options,
        changes=changes,
        unchanged=unchanged,
        findings=check_guardrails(desired, state, changes, capacity, allow_changes=allow_changes),
        fingerprint=fingerprint(changes, url=gateway.url, callnums_key=gateway.callnums_key),
        capacity=capacity,
        standing=standing,
        waits=waits_of(changes, state),
        sessions=sessions_seen(changes, unchanged, session_keys or {}) if options.sessions else None,
    )


def _ask(desired: Desired, options: PlanOptions, session_keys: SessionKeys) -> _Question:
    return _Question(
        desired=desired,
        explainer=EditExplainer(desired.site.on_channel_removal),
        sending=Sending(desired.site),
        session_keys=session_keys,
        reassert_all=options.reassert_all,
        age_limit=age_limit(options),
    )


class _Walked(Struct, frozen=True):
    """What came of walking the fleet."""

    changes: tuple[Change, ...]
    unchanged: tuple[AgentId, ...]
    unsettled: Sequence[AgentId]
    """Those of the unchanged who may be recorded in another team, or otherwise protected."""


def _walk(question: _Question, state: State, options: PlanOptions) -> _Walked:
    changes: list[Change] = []
    unchanged: list[AgentId] = []
    unsettled: list[AgentId] = []
    settled: set[tuple[int, int]] = set()  # what is desired and what is held, where they agree whoever it is about
    scope = options.scope if options.scope.partial else None
    for agent, wanted, record in _pairs(question.desired, state):
        if scope is not None and not in_scope(scope, agent, wanted, record):
            continue
        if wanted is not None and record is not None and (id(wanted), id(record.holding)) in settled:
            unchanged.append(agent)
            continue
        change = _decide(question, agent, wanted, record)
        if change is not None:
            changes.append(change)
            continue
        unchanged.append(agent)
        if wanted is not None and record is not None and question.is_settled(wanted, record):
            settled.add((id(wanted), id(record.holding)))
        else:
            unsettled.append(agent)
    return _Walked(tuple(changes), tuple(unchanged), unsettled)


def _pairs(desired: Desired, state: State) -> Iterator[tuple[AgentId, DesiredAgent | None, AgentRecord | None]]:
    wanted, recorded = desired.agents, state.agents
    if wanted.keys() == recorded.keys():  # both are in order
        return zip(wanted, wanted.values(), recorded.values(), strict=True)
    agents = sorted({*wanted, *recorded})
    return zip(agents, map(wanted.get, agents), map(recorded.get, agents), strict=True)


def _decide(
    question: _Question, agent: AgentId, wanted: DesiredAgent | None, record: AgentRecord | None
) -> Change | None:
    if wanted is None:
        return None if record is None else _remove(question, agent, record)
    if record is None:
        return _set(question, agent, wanted=wanted, record=None, after=wanted.concurrency, reason=Reason.NEW)
    site = question.desired.site
    after, changed = question.sending(wanted.concurrency, record)
    if changed:
        return _set(question, agent, wanted=wanted, record=record, after=after, reason=Reason.CHANGED)
    if record.callnums_key is not site.gateway.callnums_key:
        return _set(question, agent, wanted=wanted, record=record, after=after, reason=Reason.KEY_SPELLING)
    reason = _reassert_reason(question, agent, record)
    return None if reason is None else _reassert(question, agent, wanted=wanted, record=record, reason=reason)


def _reassert_reason(question: _Question, agent: AgentId, record: AgentRecord) -> Reason | None:
    if record.status is RecordStatus.IN_DOUBT:
        return Reason.IN_DOUBT
    key = question.session_keys.get(agent)
    if key is not None and key != record.session:
        return Reason.NEW_SESSION
    if question.age_limit is not None and question.age_limit.exceeded_by(record.acknowledged_at):
        return Reason.OLDER_THAN
    return Reason.REQUESTED if question.reassert_all else None


def _set(
    question: _Question,
    agent: AgentId,
    *,
    wanted: DesiredAgent,
    record: AgentRecord | None,
    after: Concurrency,
    reason: Reason,
) -> Set:
    before = None if record is None else record.concurrency
    declared = question.desired.declared.get(agent, NOWHERE)
    if record is None or reason is Reason.CHANGED:
        # A guardrail stands before every change of a protected agent's values, so a person has approved this one.
        standing = desired_standing(wanted)
    else:
        standing = unapproved_standing(wanted, record, question.desired.site.guardrails)
    return Set(
        agent=agent,
        team=standing.team,
        reason=reason,
        before=before,
        after=after,
        edits=question.explainer.explain(before, after, wanted=wanted.concurrency, origins=declared.origins),
        source=declared.source,
        protected=standing.protected,
    )


def _reassert(
    question: _Question, agent: AgentId, *, wanted: DesiredAgent, record: AgentRecord, reason: Reason
) -> Reassert:
    standing = unapproved_standing(wanted, record, question.desired.site.guardrails)
    # The recorded values, not the desired ones: they may hold a 0 that closed a channel, and it is due again too.
    return Reassert(
        agent=agent,
        team=standing.team,
        reason=reason,
        before=record.concurrency,
        after=record.concurrency,
        source=question.desired.declared.get(agent, NOWHERE).source,
        protected=standing.protected,
    )


def _remove(question: _Question, agent: AgentId, record: AgentRecord) -> Forget | Reset:
    site = question.desired.site
    if site.on_agent_removal is OnAgentRemoval.FORGET:
        return Forget(agent=agent, team=record.team, reason=Reason.NOT_DESIRED, before=record.concurrency)
    after = reset_values(record.concurrency, site)
    edits = question.explainer.explain(record.concurrency, after, wanted=site.reset, origins=NOWHERE.origins)
    return Reset(
        agent=agent,
        team=record.team,
        reason=Reason.NOT_DESIRED,
        before=record.concurrency,
        after=after,
        edits=edits,
        protected=record.protected,
    )
