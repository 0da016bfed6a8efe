"""A look at the files of 10,000 agents beside check-jsonschema's, which checks each file against the schema alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from environments import command, fleet, scratch
from measuring import Figure, at_least, cpu, in_turn, ratio
from peer_programs import jsonschema_check

AGENTS = 10_000
SCHEMA = Path(__file__).parent.parent / "schemas" / "fleet.schema.json"


def measure() -> Iterator[Figure]:
    """Measure both."""
    with scratch() as work:
        root = fleet(work, AGENTS, recorded=False)
        files = [root / "profiles.yaml", *sorted((root / "agents").iterdir())]
        costs = in_turn({"ours": command("validate", root=root), "check-jsonschema": jsonschema_check(SCHEMA, files)})
    raw = {name: cpu(each) for name, each in costs.items()}
    what = "`validate` of 10,000 agents v. check-jsonschema"
    yield at_least("validate-10000", what, goal=25, reached=ratio(raw["check-jsonschema"], raw["ours"]), raw=raw)
