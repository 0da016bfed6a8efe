"""What a plan does to a team on a channel: how many sessions its agents may hold at once, before and after.

A count of changed agents says little to whoever runs a floor; these sums are what they staff by. They are sums of
recorded and planned numbers, never of live ones.
"""

from __future__ import annotations

from reconciler.model.bounds import require_number, require_whole
from reconciler.model.channel import Channel
from reconciler.values import Struct


class Capacity(Struct, frozen=True, kw_only=True):
    """The concurrent sessions of one team on one channel, before and after a plan is applied."""

    team: str | None
    """`None`: the agents that belong to no team."""
    channel: Channel | None
    """`None`: the totals, which hold over all channels of an agent together."""
    before: int
    """The sum of what is recorded, over every recorded agent of the team, in the plan's scope or not: a partial plan
    leaves the others as they are."""
    after: int
    """The same once the plan is applied: agents whose record is dropped no longer count."""
    agents_before: int
    """Agents above 0. A total is never 0, so of the totals it is all agents of the team."""
    agents_after: int
    """Agents above 0, once the plan is applied."""
    at_zero: int
    """Agents who have the channel at 0 once the plan is applied, so that nothing of it reaches them. Of the totals:
    agents who have every channel at 0. Who does not have the channel at all is not counted."""
    bound: int
    """Agents, of those above 0 once the plan is applied, whose total is below the sum of their channels: they
    cannot reach this number on every channel at once."""
    effective_before: int
    """`before` as far as the totals let it come true. On a channel: what the agents could hold on it if no other
    channel was in use, the channel or the total, whichever is less. Of the totals: what they could hold at all, the
    total or the sum of the channels, whichever is less."""
    effective_after: int
    """The same once the plan is applied."""

    @property
    def change(self) -> int:
        """`after` less `before`."""
        return self.after - self.before

    @property
    def percent(self) -> float | None:
        """The change in percent of `before`, to one decimal; `None` where there was nothing before."""
        return round(self.change * 100 / self.before, 1) if self.before else None


class CapacityFloor(Struct, frozen=True, kw_only=True):
    """What must be left of a sum when a plan lowers it: so many sessions, or all but so many percent of them."""

    team: str | None
    """`None`: all teams together, and whoever is in none."""
    channel: Channel | None
    """`None`: the totals."""
    least: int | None = None
    max_drop_percent: float | None = None
    """From 0 (nothing may be taken away) to below 100."""

    def __post_init__(self) -> None:
        """Refuse a floor that is none, or two."""
        if (self.least is None) is (self.max_drop_percent is None):
            raise ValueError("a floor is a number of sessions or a drop in percent, one of the two")
        if self.least is not None:
            require_whole("capacity_floor", self.least, 0)
        if self.max_drop_percent is not None:
            require_number("capacity_floor", self.max_drop_percent, 0, 100)
