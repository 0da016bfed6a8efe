"""A look at the files of 10,000 agents beside check-jsonschema's, which checks each file against the schema alone.

Twice: of the fleet that the other benchmarks have, and of one whose agents have two lines and three numbers each, which
is how the limits were measured that the goal comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from environments import command, fleet, scratch
from fleet import write_numbers
from measuring import Figure, at_least, cpu, in_turn, ratio
from peer_programs import jsonschema_check

AGENTS = 10_000
SCHEMA = Path(__file__).parent.parent / "schemas" / "fleet.schema.json"


def measure() -> Iterator[Figure]:
    """Measure both, on both fleets."""
    with scratch() as work:
        numbers = work / "numbers"
        write_numbers(numbers, AGENTS)
        yield _figure("validate-10000", "with profiles and ranges", fleet(work, AGENTS, recorded=False))
        yield _figure("validate-numbers", "each with its own numbers", numbers)


def _figure(row: str, fleet_is: str, root: Path) -> Figure:
    files = sorted(file for file in root.rglob("*.yaml") if file.name != "site.yaml")
    costs = in_turn({"ours": command("validate", root=root), "check-jsonschema": jsonschema_check(SCHEMA, files)})
    raw = {name: cpu(each) for name, each in costs.items()}
    what = f"`validate` of 10,000 agents, {fleet_is}, v. check-jsonschema"
    return at_least(row, what, goal=25, reached=ratio(raw["check-jsonschema"], raw["ours"]), raw=raw)
