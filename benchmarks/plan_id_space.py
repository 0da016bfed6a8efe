"""A plan of every agent id there is, 999,899 of them, beside one of 100,000."""

from __future__ import annotations

from collections.abc import Iterator

from environments import command, fleet, scratch
from fleet import LARGEST_FLEET
from measuring import Figure, at_most, cpu, in_turn, ratio, rss

AGENTS = 100_000
MOST_MIB = 1.6 * 1024


def measure() -> Iterator[Figure]:
    """Measure the time and the memory of both, in the same runs."""
    with scratch() as work:
        small, large = fleet(work, AGENTS), fleet(work, LARGEST_FLEET)
        costs = in_turn({"100,000": command("plan", root=small), "all": command("plan", root=large)})
    raw = {name: cpu(each) for name, each in costs.items()}
    what = f"`plan` of all {LARGEST_FLEET:,} agent ids v. 100,000"
    yield at_most("id-space-time", what, goal=12, reached=ratio(raw["all"], raw["100,000"]), raw=raw)
    memory = {"all, MiB": rss(costs["all"])}
    reached = ratio(memory["all, MiB"], [MOST_MIB])
    yield at_most("id-space-memory", "its peak memory v. 1.6 GiB", goal=1, reached=reached, raw=memory)
