"""A plan of 10,000 agents beside Terraform's of as many `terraform_data` blocks."""

from __future__ import annotations

from collections.abc import Iterator

from environments import command, fleet, scratch
from measuring import Figure, at_least, in_turn, ratio, wall
from peer_programs import terraform_plan

AGENTS = 10_000


def measure() -> Iterator[Figure]:
    """Measure both."""
    with scratch() as work:
        ours, theirs = command("plan", root=fleet(work, AGENTS)), terraform_plan(work / "terraform", AGENTS)
        costs = in_turn({"ours": ours, "Terraform": theirs})
    raw = {name: wall(each) for name, each in costs.items()}
    what = "`plan` of 10,000 agents v. `terraform plan` of 10,000 `terraform_data` blocks"
    yield at_least("plan-terraform", what, goal=40, reached=ratio(raw["Terraform"], raw["ours"]), raw=raw)
