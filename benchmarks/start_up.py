"""Start-up: `--help`, `version` and `validate` of the demo beside a Python that does nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from environments import command, scratch
from measuring import RECONCILER, Command, Figure, at_most, cpu, in_turn, ratio

DEMO = Path(__file__).parent.parent / "desired" / "demo"
ROUNDS = 15
COMMANDS = (("help", "`--help`", 5.0), ("version", "`version`", 5.0), ("validate", "`validate` of the demo", 8.0))
"""Each with its title and its goal."""


def measure() -> Iterator[Figure]:
    """Measure the three."""
    with scratch() as work:
        demo = work / "demo"
        demo.symlink_to(DEMO)
        commands = {
            "nothing": Command(words=[sys.executable, "-c", "pass"]),
            "help": Command(words=[*RECONCILER, "--help"]),
            "version": Command(words=[*RECONCILER, "version"]),
            "validate": command("validate", root=demo),
        }
        costs = in_turn(commands, rounds=ROUNDS)
    nothing = cpu(costs["nothing"])
    for name, title, goal in COMMANDS:
        ours = cpu(costs[name])
        raw = {"ours": ours, "python -c pass": nothing}
        what = f"{title} v. `python -c pass`"
        yield at_most(f"start-up-{name}", what, goal=goal, reached=ratio(ours, nothing), raw=raw)
