"""What a saved plan says of capacity, teams and protection, read back and held against its changes.

A reviewer reads the sums first, and no fingerprint covers them: a file whose sums are not those of its changes is
refused here. How they are spread over the teams cannot be checked in full, since a saved plan does not list who stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.model.agent import AgentId
from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Change, Forget, Plan, Reassert, Reset, Set
from reconciler.model.standing import Standing, StandingChange
from reconciler.report.reading.change import agent_id
from reconciler.report.reading.values import (
    ContradictionError,
    Fields,
    MisreadError,
    count,
    keyed,
    listed,
    number,
    optional,
    text,
    truth,
    whole,
)

_channel = keyed({channel.label: channel for channel in Channel})

_COUNTS = (
    "before",
    "after",
    "agents_before",
    "agents_after",
    "at_zero",
    "bound",
    "effective_before",
    "effective_after",
)

_Delta = Counter[tuple[Channel | None, str]]
"""How much more there is afterwards, by channel (or the totals), of sessions and of agents above 0."""


def capacity(value: object) -> tuple[Capacity, ...]:
    """Read the sums of each team and channel."""
    rows = listed(_row)(value)
    places = Counter((row.team, row.channel) for row in rows)
    if any(times > 1 for times in places.values()):
        raise MisreadError("it has a team and channel twice")
    return rows


def standing(value: object) -> tuple[StandingChange, ...]:
    """Read who is recorded in another team or otherwise protected afterwards."""
    entries = listed(_entry)(value)
    if len({entry.agent for entry in entries}) != len(entries):
        raise MisreadError("it has an agent twice")
    return entries


def require_sums(plan: Plan, *, unchanged: int) -> None:
    """Refuse a plan whose sums or teams are not those of its changes.

    Raises:
        ContradictionError: the message names the place.
    """
    changes = {change.agent: change for change in plan.changes}
    _require_standing(plan.standing, changes, unchanged)
    # A rollback's document names the records that it puts back, and not their values.
    if not plan.restored and _of_changes(plan.changes) != _of_rows(plan.capacity):
        raise ContradictionError("it does not tell the sums of the changes", ".capacity")


def _require_standing(entries: tuple[StandingChange, ...], changes: Mapping[AgentId, Change], unchanged: int) -> None:
    for entry in entries:
        match changes.get(entry.agent):
            case None:
                unchanged -= 1
            case Set() | Reassert() as change if change.before is not None and change.team == entry.after.team:
                pass
            case _:
                raise ContradictionError(f"agent {entry.agent} has a change that says otherwise", ".standing")
    if unchanged < 0:
        raise ContradictionError("it has more agents without a change than the summary counts", ".standing")


def _of_changes(changes: Iterable[Change]) -> _Delta:
    deeds = Counter((each.before, None if isinstance(each, Forget | Reset) else each.after) for each in changes)
    delta: _Delta = Counter()
    for (before, after), agents in deeds.items():
        _count(delta, before, -agents)
        _count(delta, after, agents)
    return _without_zeros(delta)


def _count(delta: _Delta, value: Concurrency | None, agents: int) -> None:
    if value is not None:
        for channel, sessions in ((None, value.total), *value.channels):
            delta[channel, "sessions"] += agents * sessions
            delta[channel, "agents"] += agents if sessions else 0


def _of_rows(rows: Iterable[Capacity]) -> _Delta:
    delta: _Delta = Counter()
    for row in rows:
        delta[row.channel, "sessions"] += row.change
        delta[row.channel, "agents"] += row.agents_after - row.agents_before
    return _without_zeros(delta)


def _without_zeros(delta: _Delta) -> _Delta:
    return Counter({place: number for place, number in delta.items() if number})


def _row(value: object) -> Capacity:
    fields = Fields(value)
    row = Capacity(
        team=fields.take("team", optional(text)),
        channel=fields.take("channel", optional(_channel)),
        **{name: fields.take(name, count) for name in _COUNTS},
    )
    if fields.take("change", whole) != row.change:
        raise ContradictionError("contradicts before and after", ".change")
    if fields.take("percent", optional(number)) != row.percent:
        raise ContradictionError("contradicts before and after", ".percent")
    fields.finish()
    return row


def _entry(value: object) -> StandingChange:
    fields = Fields(value)
    entry = StandingChange(
        agent=fields.take("agent", agent_id),
        before=fields.take("before", _standing),
        after=fields.take("after", _standing),
    )
    fields.finish()
    if entry.before == entry.after:
        raise MisreadError("is what it was before", ".after")
    return entry


def _standing(value: object) -> Standing:
    fields = Fields(value)
    found = Standing(team=fields.take("team", optional(text)), protected=fields.take("protected", truth))
    fields.finish()
    return found
