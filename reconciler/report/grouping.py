"""Changes and outcomes that say the same, put together: a thousand agents of one profile are one line.

Groups keep what a reader needs to judge them, in the order in which a reader should meet them. In a plan that is the
order of `Danger`, in every format; in an outcome the trouble stands last, where a terminal stops.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import IntEnum, auto
from operator import attrgetter

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, Edit, Plan, Reason
from reconciler.model.standing import Standing, StandingChange
from reconciler.values import Struct, replace

RESULT_ORDER = (
    Result.APPLIED,
    Result.FORGOTTEN,
    Result.SKIPPED,
    Result.DEFERRED,
    Result.FAILED,
    Result.IN_DOUBT,
)
_DONE = frozenset({Result.APPLIED, Result.FORGOTTEN})
_said = attrgetter("field", "kind", "before", "after")


class Danger(IntEnum):
    """What a reviewer should look at first. Every format sorts changes by it; docs/planning.md tells it to people."""

    TO_ZERO = auto()
    """A call takes a channel from above 0 to 0, or leaves it out."""
    PROTECTED = auto()
    """The agent is protected, and recorded values change or are dropped."""
    REMOVED = auto()
    """The record is dropped: `forget` or `reset`."""
    LARGE_DROP = auto()
    """A number falls to half or less."""
    DROP = auto()
    """A number falls."""
    RAISED = auto()
    """Numbers rise, and none falls."""
    NEW = auto()
    AGAIN = auto()
    """The same values once more."""


class ChangeGroup(Struct, frozen=True, kw_only=True):
    """Agents with the same action, reason and edits, wherever those were written; protected ones are by themselves."""

    action: Action
    reason: Reason
    edits: tuple[Edit, ...]
    """Without their causes, which may differ; those are beside them."""
    causes: tuple[Source, ...]
    """Every line that gives one of the new numbers to one of the agents, sorted."""
    before: Concurrency | None
    """The first agent's; where there are edits, members may differ in what the edits do not touch."""
    after: Concurrency | None
    agents: tuple[AgentId, ...]
    """Sorted."""
    teams: tuple[str | None, ...]
    """The teams they will be recorded in, or were, sorted; `None`, which is no team, last."""
    danger: Danger
    protected: bool


class StandingGroup(Struct, frozen=True, kw_only=True):
    """Agents who change from one team and protection to another."""

    before: Standing
    after: Standing
    agents: tuple[AgentId, ...]
    """Sorted."""

    @property
    def bares(self) -> bool:
        """Tell whether a protection is taken away."""
        return self.before.protected and not self.after.protected


class OutcomeGroup(Struct, frozen=True, kw_only=True):
    """Agents with the same action, result, retcode and message; where all went well, words do not tell them apart."""

    action: Action
    result: Result
    retcode: str | None
    message: str
    agents: tuple[AgentId, ...]
    """Sorted."""


def group_plan(plan: Plan) -> tuple[ChangeGroup, ...]:
    """Return the changes of `plan` in groups, the most dangerous first."""
    return group_changes(plan.changes, protected=protected_in(plan))


def protected_in(plan: Plan) -> frozenset[AgentId]:
    """Return the protected agents whose recorded values a plan changes: those its guardrail names, lifted or not."""
    named = (finding.agents for finding in plan.findings if finding.guardrail == "protected")
    return frozenset(agent for agents in named for agent in agents)


def group_changes(changes: Iterable[Change], *, protected: Container[AgentId] = ()) -> tuple[ChangeGroup, ...]:
    """Return `changes` in groups, sorted by danger, then larger first, then by first agent.

    Args:
        changes: of one plan.
        protected: the agents of whom it matters that they are changed at all.
    """
    members: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        edits = tuple(map(_said, change.edits))
        values = () if edits else (change.before, change.after)
        key = (change.action, change.reason, edits, change.agent in protected, *values)
        members.setdefault(key, []).append(change)
    groups = [_change_group(group, protected=group[0].agent in protected) for group in members.values()]
    return tuple(sorted(groups, key=lambda group: (group.danger, -len(group.agents), group.agents[0])))


def danger_of(change: Change | ChangeGroup, *, protected: bool = False) -> Danger:
    """Return the first of the dangers that fits."""
    fits = {
        Danger.TO_ZERO: change.after is not None and any(map(closes, change.edits)),
        Danger.PROTECTED: protected,
        Danger.REMOVED: change.action in (Action.FORGET, Action.RESET),
        Danger.LARGE_DROP: any(map(_halves, change.edits)),
        Danger.DROP: any(map(lowers, change.edits)),
        Danger.RAISED: change.reason is Reason.CHANGED,
        Danger.NEW: change.reason is Reason.NEW,
    }
    return next((danger for danger in Danger if fits.get(danger)), Danger.AGAIN)


def closes(edit: Edit) -> bool:
    """Tell whether an edit takes a channel from above 0 to 0, or leaves it out."""
    return (edit.before or 0) > 0 and not edit.after


def lowers(edit: Edit) -> bool:
    """Tell whether an edit takes sessions away."""
    return (edit.after or 0) < (edit.before or 0)


def group_standing(standing: Iterable[StandingChange]) -> tuple[StandingGroup, ...]:
    """Return changes of team and protection in groups: lost protections first, then larger, then by first agent."""
    members: dict[tuple[Standing, Standing], list[AgentId]] = {}
    for each in standing:
        members.setdefault((each.before, each.after), []).append(each.agent)
    groups = [
        StandingGroup(before=before, after=after, agents=tuple(sorted(agents)))
        for (before, after), agents in members.items()
    ]
    return tuple(sorted(groups, key=lambda group: (not group.bares, -len(group.agents), group.agents[0])))


def group_outcomes(outcomes: Iterable[Outcome]) -> tuple[OutcomeGroup, ...]:
    """Return `outcomes` in groups, in the order of `RESULT_ORDER`, then larger first, then by first agent."""
    members: dict[tuple[Action, Result, str | None, str], list[AgentId]] = {}
    for outcome in outcomes:
        said = (None, "") if outcome.result in _DONE else (outcome.retcode, outcome.message)
        members.setdefault((outcome.action, outcome.result, *said), []).append(outcome.agent)
    groups = [
        OutcomeGroup(action=action, result=result, retcode=retcode, message=message, agents=tuple(sorted(agents)))
        for (action, result, retcode, message), agents in members.items()
    ]
    rank = {result: index for index, result in enumerate(RESULT_ORDER)}
    return tuple(sorted(groups, key=lambda group: (rank[group.result], -len(group.agents), group.agents[0])))


def _change_group(changes: list[Change], *, protected: bool) -> ChangeGroup:
    changes = sorted(changes, key=attrgetter("agent"))
    first = changes[0]
    teams = {change.team for change in changes}
    return ChangeGroup(
        action=first.action,
        reason=first.reason,
        edits=tuple(replace(edit, cause=None) for edit in first.edits),
        causes=tuple(sorted({edit.cause for change in changes for edit in change.edits if edit.cause is not None})),
        before=first.before,
        after=first.after,
        agents=tuple(change.agent for change in changes),
        teams=tuple(sorted(teams, key=lambda team: (team is None, team or ""))),
        danger=danger_of(first, protected=protected),
        protected=protected,
    )


def _halves(edit: Edit) -> bool:
    return (edit.before or 0) > 0 and 2 * (edit.after or 0) <= (edit.before or 0)
