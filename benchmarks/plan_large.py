"""A plan of 100,000 agents, 1 % changed, beside octoDNS's against a target that it need not read as YAML."""

from __future__ import annotations

from collections.abc import Iterator

from environments import command, fleet, scratch
from measuring import Figure, at_least, at_most, cpu, in_turn, ratio, rss
from peer_programs import octodns_plan

AGENTS = 100_000


def measure() -> Iterator[Figure]:
    """Measure the time and the memory of both, in the same runs."""
    with scratch() as work:
        ours, theirs = command("plan", root=fleet(work, AGENTS)), octodns_plan(work / "octodns", AGENTS, recorded=True)
        costs = in_turn({"ours": ours, "octoDNS": theirs})
    raw = {name: cpu(each) for name, each in costs.items()}
    what = "`plan` of 100,000 agents, 1 % changed, v. octoDNS, YAML to a recorded target"
    yield at_least("plan-100000", what, goal=20, reached=ratio(raw["octoDNS"], raw["ours"]), raw=raw)
    memory = {f"{name}, MiB": rss(each) for name, each in costs.items()}
    reached = ratio(memory["ours, MiB"], memory["octoDNS, MiB"])
    yield at_most("memory-100000", "peak memory of the same", goal=0.35, reached=reached, raw=memory)
