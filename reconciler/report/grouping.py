"""Changes and outcomes that say the same, put together: a thousand agents of one profile are one line.

Groups keep what a reader needs to judge them, in the order in which a reader should meet them. In a plan, what takes
something away comes first and what only repeats last; in an outcome the trouble stands last, where a terminal stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, Edit, EditKind, Reason

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """Agents with the same action, reason and edits, wherever those were written."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeGroup:
    """Agents with the same action, result, retcode and message; where all went well, words do not tell them apart."""

    action: Action
    result: Result
    retcode: str | None
    message: str
    agents: tuple[AgentId, ...]
    """Sorted."""


def group_changes(changes: Iterable[Change]) -> tuple[ChangeGroup, ...]:
    """Return `changes` in groups, sorted by weight, then larger first, then by first agent."""
    members: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        edits = tuple(map(_said, change.edits))
        values = () if edits else (change.before, change.after)
        members.setdefault((change.action, change.reason, edits, *values), []).append(change)
    groups = [_change_group(group) for group in members.values()]
    return tuple(sorted(groups, key=lambda group: (_weight(group), -len(group.agents), group.agents[0])))


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


def _change_group(changes: list[Change]) -> ChangeGroup:
    changes = sorted(changes, key=attrgetter("agent"))
    first = changes[0]
    return ChangeGroup(
        action=first.action,
        reason=first.reason,
        edits=tuple(replace(edit, cause=None) for edit in first.edits),
        causes=tuple(sorted({edit.cause for change in changes for edit in change.edits if edit.cause is not None})),
        before=first.before,
        after=first.after,
        agents=tuple(change.agent for change in changes),
    )


def _weight(group: ChangeGroup) -> int:
    match group.action, group.reason:
        case Action.RESET, _:
            return 0
        case Action.FORGET, _:
            return 1
        case Action.SET, Reason.CHANGED:
            return 2 + min(map(_gain, group.edits), default=2)
        case Action.SET, Reason.NEW:
            return 5
        case _:
            return 6


def _gain(edit: Edit) -> int:
    """Rank an edit by what it takes away: a whole channel (0), some sessions (1), nothing (2)."""
    before, after = edit.before or 0, edit.after or 0
    if edit.kind in (EditKind.CLOSED, EditKind.OMITTED) or after == 0 < before:
        return 0
    return 1 if after < before else 2
