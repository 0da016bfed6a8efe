"""What a plan does to the sessions of each team on each channel: sums of what is recorded, and of what will be.

Rules of this file: everybody who is recorded counts, in the plan's scope or not, so that a partial plan never reads the
others as removed; and the work grows with the distinct values of a team, not with its agents, of whom there may be a
hundred thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Change, Forget, Reset
from reconciler.model.standing import StandingChange
from reconciler.model.state import AgentRecord
from reconciler.values import Struct, astuple

_Share = tuple[str | None, Concurrency]
"""A team, and the values of one of its agents."""
_Place = tuple[str | None, Channel | None]
"""A team, and a channel or the totals."""


class _Sums(Struct):
    """One side, before or after, of one place."""

    sessions: int = 0
    effective: int = 0
    above_zero: int = 0
    at_zero: int = 0
    bound: int = 0

    def add(self, agents: int, *, sessions: int, effective: int, closed: bool, bound: bool) -> None:
        """Count so many agents who have these numbers."""
        self.sessions += agents * sessions
        self.effective += agents * effective
        self.above_zero += agents if sessions else 0
        self.at_zero += agents if closed else 0
        self.bound += agents if bound and not closed else 0

    def then(self, come: _Sums, leave: _Sums) -> _Sums:
        """Return what these sums are once some have come and others left."""
        sides = zip(astuple(self), astuple(come), astuple(leave), strict=True)
        return _Sums(*(number + more - less for number, more, less in sides))


_NONE = _Sums()


def capacity_of(
    records: Mapping[AgentId, AgentRecord],
    changes: Sequence[Change],
    standing: Sequence[StandingChange],
    *,
    restored: Mapping[AgentId, AgentRecord] | None = None,
) -> tuple[Capacity, ...]:
    """Return what becomes of each team's sessions on each channel, and of its totals, in order of team and channel.

    Args:
        records: all that is recorded before.
        changes: what is to be done. An agent whose record is dropped no longer counts.
        standing: who is recorded in another team afterwards.
        restored: records that are put back without a call.
    """
    old = _sums(_recorded(records.values()))
    left = _sums(_recorded(_leaving(records, changes, standing)))
    come = _sums(_shares(_coming(records, changes, standing)) + _recorded((restored or {}).values()))
    rows: list[Capacity] = []
    for place in sorted({*old, *come}, key=_order):
        before = old.get(place, _NONE)
        rows.append(_capacity(place, before, before.then(come.get(place, _NONE), left.get(place, _NONE))))
    return tuple(rows)


def _leaving(
    records: Mapping[AgentId, AgentRecord], changes: Sequence[Change], standing: Sequence[StandingChange]
) -> Iterator[AgentRecord]:
    """Yield the old record of everybody who has another one afterwards, or none."""
    agents = {*(change.agent for change in changes), *(each.agent for each in standing)}
    return (records[agent] for agent in agents if agent in records)


def _coming(
    records: Mapping[AgentId, AgentRecord], changes: Sequence[Change], standing: Sequence[StandingChange]
) -> Iterator[_Share]:
    """Yield what they have instead."""
    called = set()
    for change in changes:
        called.add(change.agent)
        if not isinstance(change, Forget | Reset):
            yield change.team, change.after
    for each in standing:
        if each.agent not in called:
            yield each.after.team, records[each.agent].concurrency


def _recorded(records: Iterable[AgentRecord]) -> Counter[_Share]:
    """Count the agents of each distinct share, who are first counted by what they hold."""
    shares: Counter[_Share] = Counter()
    for holding, agents in Counter([record.holding for record in records]).items():
        shares[holding.team, holding.concurrency] += agents
    return shares


def _shares(shares: Iterable[_Share]) -> Counter[_Share]:
    """Count the agents of each distinct share."""
    # First by identity, which costs no hash of all the numbers: agents of one profile share one value.
    values: dict[int, Concurrency] = {}
    counts: Counter[tuple[str | None, int]] = Counter()
    for team, value in shares:
        values[id(value)] = value
        counts[team, id(value)] += 1
    distinct: Counter[_Share] = Counter()
    for (team, identity), agents in counts.items():
        distinct[team, values[identity]] += agents
    return distinct


def _sums(shares: Mapping[_Share, int]) -> dict[_Place, _Sums]:
    sums: dict[_Place, _Sums] = {}
    for (team, value), agents in shares.items():
        reach = sum(sessions for _, sessions in value.channels)
        bound = value.total < reach
        totals = sums.setdefault((team, None), _Sums())
        totals.add(agents, sessions=value.total, effective=min(value.total, reach), closed=not reach, bound=bound)
        for channel, sessions in value.channels:
            effective = min(value.total, sessions)
            place = sums.setdefault((team, channel), _Sums())
            place.add(agents, sessions=sessions, effective=effective, closed=not sessions, bound=bound)
    return sums


def _order(place: _Place) -> tuple[bool, str, int]:
    """Teams by name, whoever is in none last; the totals before the channels."""
    team, channel = place
    return team is None, team or "", channel or 0


def _capacity(place: _Place, before: _Sums, after: _Sums) -> Capacity:
    team, channel = place
    return Capacity(
        team=team,
        channel=channel,
        before=before.sessions,
        after=after.sessions,
        agents_before=before.above_zero,
        agents_after=after.above_zero,
        at_zero=after.at_zero,
        bound=after.bound,
        effective_before=before.effective,
        effective_after=after.effective,
    )
