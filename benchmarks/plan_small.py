"""A plan of 10,000 agents, 1 % changed, beside octoDNS's of as many records, YAML against YAML."""

from __future__ import annotations

from collections.abc import Iterator

from environments import command, fleet, scratch
from measuring import Figure, at_least, cpu, in_turn, ratio
from peer_programs import octodns_plan

AGENTS = 10_000


def measure() -> Iterator[Figure]:
    """Measure both."""
    with scratch() as work:
        ours, theirs = command("plan", root=fleet(work, AGENTS)), octodns_plan(work / "octodns", AGENTS, recorded=False)
        costs = in_turn({"ours": ours, "octoDNS": theirs})
    raw = {name: cpu(each) for name, each in costs.items()}
    what = "`plan` of 10,000 agents, 1 % changed, v. octoDNS, YAML to YAML"
    yield at_least("plan-10000", what, goal=25, reached=ratio(raw["octoDNS"], raw["ours"]), raw=raw)
