"""The guardrails: each looks at a whole plan and says its number, its limit and which agents it means.

They refuse, they never trim. All of them speak at once, at plan and at apply. One sentence lifts them all: naming the
plan's exact number of changes (`--allow-changes N`), which nobody can do by habit or for another plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import assert_never

from reconciler.model.agent import AgentId
from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel
from reconciler.model.desired import Desired
from reconciler.model.plan import Change, Forget, GuardrailFinding, Reason, Reassert, Reset, Set
from reconciler.model.state import State
from reconciler.planning.capacity_guardrails import broken_floors, wide_moves
from reconciler.planning.standing import is_protected
from reconciler.values import Struct, replace


class _Subject(Struct, frozen=True):
    """What every guardrail looks at."""

    desired: Desired
    state: State
    changes: tuple[Change, ...]
    capacity: Sequence[Capacity]

    @property
    def touched(self) -> tuple[AgentId, ...]:
        """Recorded agents whose values change or who are removed. New agents and repetitions do not count."""
        return tuple(change.agent for change in self.changes if touches_recorded_values(change))


def check_guardrails(
    desired: Desired,
    state: State,
    changes: tuple[Change, ...],
    capacity: Sequence[Capacity],
    *,
    allow_changes: int | None = None,
) -> tuple[GuardrailFinding, ...]:
    """Return every guardrail that `changes` exceeds.

    Args:
        desired: gives the limits, and whom it protects.
        state: gives the population, and whom it remembers as protected.
        changes: all changes of the plan.
        capacity: what they do to each team on each channel.
        allow_changes: the number of changes a person approved; when it is the plan's own, every finding is lifted,
            and when it is another, that is a finding no flag lifts.
    """
    subject = _Subject(desired, state, changes, capacity)
    findings = tuple(finding for check in _CHECKS for finding in check(subject))
    if allow_changes is None:
        return findings
    if allow_changes == len(changes):
        return tuple(replace(finding, lifted=True) for finding in findings)
    planned = f"{_in_words(len(changes), 'change')} planned"
    approved = GuardrailFinding(guardrail="allow_changes", planned=planned, limit=f"{allow_changes} approved")
    return (*findings, approved)


def touches_recorded_values(change: Change) -> bool:
    """Tell whether a change alters or drops values that were recorded before."""
    match change:
        case Set():
            return change.reason is Reason.CHANGED
        case Reassert():
            return False
        case Forget() | Reset():
            return True
        case _:
            assert_never(change)


def _changed_percent(subject: _Subject) -> Iterator[GuardrailFinding]:
    limits = subject.desired.site.guardrails
    population, touched = len(subject.state.agents), subject.touched
    if limits.max_changed_percent is None or population < limits.min_population:
        return
    if exceeds_percent(len(touched), population, limits.max_changed_percent):
        share = f"{len(touched):,} of {population:,} recorded agents ({len(touched) * 100 / population:.1f} %)"
        limit = f"{limits.max_changed_percent:g} %"
        yield GuardrailFinding(guardrail="max_changed_percent", planned=share, limit=limit, agents=touched)


def _changed_agents(subject: _Subject) -> Iterator[GuardrailFinding]:
    return _above("max_changed_agents", subject.desired.site.guardrails.max_changed_agents, subject.touched)


def _to_zero(subject: _Subject) -> Iterator[GuardrailFinding]:
    zeroed = tuple(change.agent for change in subject.changes if closed_channels(change))
    return _above("max_to_zero", subject.desired.site.guardrails.max_to_zero, zeroed)


def _wide(subject: _Subject) -> Iterator[GuardrailFinding]:
    return wide_moves(subject.desired.site.guardrails.max_delta, subject.changes)


def _floors(subject: _Subject) -> Iterator[GuardrailFinding]:
    return broken_floors(subject.desired.site.guardrails.capacity_floor, subject.capacity)


def _protected(subject: _Subject) -> Iterator[GuardrailFinding]:
    agents = tuple(agent for agent in subject.touched if is_protected(agent, subject.desired, subject.state))
    if agents:
        planned = _in_words(len(agents), "protected agent")
        yield GuardrailFinding(guardrail="protected", planned=planned, limit="0", agents=agents)


def exceeds_percent(count: int, population: int, percent: float) -> bool:
    """Tell whether `count` is more than `percent` of `population`, exactly: 323 of 1000 is 32.3 %, no more."""
    # Via its text: the limit is the number that people wrote, and the float nearest to 32.3 is a little less.
    numerator, denominator = Decimal(str(percent)).as_integer_ratio()
    return count * 100 * denominator > numerator * population


def closed_channels(change: Change) -> tuple[Channel, ...]:
    """Return the channels that a call takes from above 0 to 0, or leaves out. A forgotten agent gets no call."""
    if change.before is None or change.after is None:
        return ()
    after = change.after.as_mapping()
    return tuple(channel for channel, sessions in change.before.channels if sessions > 0 and not after.get(channel))


def _above(name: str, limit: int | None, agents: tuple[AgentId, ...]) -> Iterator[GuardrailFinding]:
    if limit is not None and len(agents) > limit:
        planned = _in_words(len(agents), "agent")
        yield GuardrailFinding(guardrail=name, planned=planned, limit=f"{limit:,}", agents=agents)


def _in_words(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_CHECKS: tuple[Callable[[_Subject], Iterable[GuardrailFinding]], ...] = (
    _changed_percent,
    _changed_agents,
    _to_zero,
    _wide,
    _floors,
    _protected,
)
