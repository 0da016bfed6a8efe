"""The guardrails over sessions: how far one agent's number may move, and what must be left of a team's sums.

Rules of this file: a plan is refused for what it takes away. A sum that is below its floor already, and is not lowered
further, refuses nothing; neither does one that rises, though it may still be below. Numbers are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from reconciler.model.agent import AgentId
from reconciler.model.capacity import Capacity, CapacityFloor
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Change, GuardrailFinding, Reset, Set


def broken_floors(floors: Iterable[CapacityFloor], capacity: Sequence[Capacity]) -> Iterator[GuardrailFinding]:
    """Yield a finding for each of `floors` under which the plan lowers a sum."""
    sums = {(row.team, row.channel): (row.before, row.after) for row in capacity if row.team is not None}
    for floor in floors:
        if floor.team is None:
            rows = [row for row in capacity if row.channel is floor.channel]
            before, after = sum(row.before for row in rows), sum(row.after for row in rows)
        else:
            before, after = sums.get((floor.team, floor.channel), (0, 0))
        if after < before and after < _least(floor, before):
            yield GuardrailFinding(
                guardrail="capacity_floor",
                planned=f"{_where(floor)} from {before} to {after} sessions ({_percent(before, after)})",
                limit=_limit(floor, before),
            )


def wide_moves(limits: Mapping[Channel | None, int], changes: Iterable[Change]) -> Iterator[GuardrailFinding]:
    """Yield a finding for each channel on which a call moves an agent by more than its limit.

    A new agent moves from nowhere, and a forgotten one is sent nothing: neither counts.
    """
    moves: dict[Channel | None, list[tuple[int, AgentId]]] = {channel: [] for channel in limits}
    for change in changes if limits else ():
        if isinstance(change, Set | Reset) and change.before is not None:
            before, after = _numbers(change.before), _numbers(change.after)
            for channel, limit in limits.items():
                delta = after.get(channel, 0) - before.get(channel, 0)
                if abs(delta) > limit:
                    moves[channel].append((delta, change.agent))
    for channel, found in moves.items():
        if found:
            yield _wide(channel, limits[channel], found)


def _wide(channel: Channel | None, limit: int, moves: Sequence[tuple[int, AgentId]]) -> GuardrailFinding:
    widest = max(abs(delta) for delta, _ in moves)
    first = next(delta for delta, _ in moves if abs(delta) == widest)
    whom = "1 agent" if len(moves) == 1 else f"{len(moves):,} agents"
    up_to = "" if len(moves) == 1 else "up to "
    return GuardrailFinding(
        guardrail="max_delta",
        planned=f"{_label(channel)} of {whom} by {up_to}{first:+d}".replace("-", "−"),
        limit=f"{limit} up or down for each agent",
        agents=tuple(sorted(agent for _, agent in moves)),
    )


def _least(floor: CapacityFloor, before: int) -> int:
    """Return the fewest sessions that keep to the floor."""
    if floor.max_drop_percent is None:
        return floor.least or 0
    # Via its text: the limit is the number that people wrote, and the float nearest to it may be a little less.
    numerator, denominator = Decimal(str(floor.max_drop_percent)).as_integer_ratio()
    return -(-before * (100 * denominator - numerator) // (100 * denominator))  # rounded up


def _limit(floor: CapacityFloor, before: int) -> str:
    if floor.max_drop_percent is None:
        return f"at least {floor.least}"
    return f"at most {floor.max_drop_percent:g} % less, which is at least {_least(floor, before)}"


def _where(floor: CapacityFloor) -> str:
    return f"{_label(floor.channel)} of {'all teams' if floor.team is None else f'team {floor.team}'}"


def _percent(before: int, after: int) -> str:
    return f"−{(before - after) * 100 / before:.1f} %"


def _label(channel: Channel | None) -> str:
    return "total" if channel is None else channel.label


def _numbers(value: Concurrency) -> dict[Channel | None, int]:
    return dict([(None, value.total), *value.channels])
