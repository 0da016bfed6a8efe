"""What `make bench` runs: every benchmark there is, or those that are named.

`make bench` measures all and writes the table and the raw numbers into benchmarks/README.md; given names of scripts or
of rows, as in `make bench ARGS="plan_large state-save"`, it measures those and keeps the other rows as they are. A goal
that is missed is told, and is no failure: figures depend on the machine.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measuring import Figure
from table import write_table

README = Path(__file__).parent / "README.md"


@dataclass(frozen=True, slots=True)
class Script:
    """A module here with a function `measure() -> Sequence[Figure]`."""

    rows: tuple[str, ...]
    """The rows of the table it measures, in order."""


SCRIPTS: Mapping[str, Script] = {
    "start_up": Script(("start-up-help", "start-up-version", "start-up-validate")),
    "state_save": Script(("state-save", "state-save-again")),
    "plan_small": Script(("plan-10000",)),
    "plan_terraform": Script(("plan-terraform",)),
    "plan_large": Script(("plan-100000", "memory-100000")),
    "plan_id_space": Script(("id-space-time", "id-space-memory")),
    "report_page": Script(("page-100000", "page-size")),
    "validate": Script(("validate-10000", "validate-numbers")),
    "validate_problems": Script(("validate-problems",)),
    "reports": Script(
        (
            *(f"plan-{how}" for how in ("text", "markdown", "json", "html", "html-size", "read")),
            *(f"outcome-{how}" for how in ("text", "markdown", "json", "html", "html-size")),
        )
    ),
    "apply_rate": Script(
        tuple(f"{row}-{at_once}" for at_once in (16, 64) for row in ("apply", "durability", "syncs", "bytes"))
    ),
}
"""By the module's name. To add a benchmark, write the module and add its line here."""


def chosen(names: list[str]) -> list[str]:
    """Return the scripts that were asked for by their own names or by a row's.

    Raises:
        SystemExit: a name is neither.
    """
    found = {}
    for name in names:
        scripts = [script for script, about in SCRIPTS.items() if name in (script, *about.rows)]
        if not scripts:
            rows = (row for about in SCRIPTS.values() for row in about.rows)
            sys.exit(f"error: no benchmark {name!r}; scripts are {', '.join(SCRIPTS)}; rows are {', '.join(rows)}")
        found[scripts[0]] = True
    return [script for script in SCRIPTS if script in found] if names else list(SCRIPTS)


def main() -> int:
    """Measure, and write what came out; fail only if something could not be measured."""
    there_are = "\n".join(f"  {script:<18} {' '.join(about.rows)}" for script, about in SCRIPTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"scripts and their rows:\n{there_are}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="scripts or rows, which bring the other rows of their script along")
    names = chosen(parser.parse_args().names)
    failed = 0
    for name in names:
        failed += not _measured(name)
    return 1 if failed else 0


def _measured(name: str) -> bool:
    begin = time.monotonic()
    try:
        figures: list[Figure] = list(importlib.import_module(name).measure())
    except Exception as error:  # noqa: BLE001 - whatever it was, the others are still to be measured
        print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
        return False
    for figure in figures:
        verdict = "met" if figure.met else "MISSED"
        print(f"{figure.row:<20} {figure.reached:>10}  goal {figure.goal:<8} {verdict:<7} {figure.what}", flush=True)
    print(f"{'':<20} {time.monotonic() - begin:9.0f} s", flush=True)
    order = [row for about in SCRIPTS.values() for row in about.rows]
    write_table(README, figures, order=order)
    return True


if __name__ == "__main__":
    sys.exit(main())
