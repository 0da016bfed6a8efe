"""What starting costs, counted in modules: seconds depend on the machine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = str(Path(__file__).parent.parent / "desired" / "demo")
_PROBE = """
import sys
from reconciler.cli import main
try:
    main(sys.argv[2:])
finally:
    with open(sys.argv[1], "w", encoding="utf-8") as result:
        result.write(" ".join(sorted(sys.modules)))
"""


def loaded_by(arguments: list[str], folder: Path) -> set[str]:
    """Return the modules that a process of its own has loaded at the end of a command."""
    # Measuring coverage there would load modules too, so this process is not measured.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = folder / "modules"
    command = [sys.executable, "-c", _PROBE, str(result), *arguments]
    subprocess.run(command, env=environ, capture_output=True, check=True, timeout=60)
    return set(result.read_text(encoding="utf-8").split())


def ours(modules: set[str]) -> list[str]:
    return sorted(name for name in modules if name.startswith("reconciler."))


@pytest.mark.parametrize(
    ("arguments", "most_of_ours", "most_in_all"),
    [(["--help"], 14, 155), (["version"], 20, 155), (["validate", DEMO], 82, 270), (["plan", DEMO], 149, 350)],
    ids=["help", "version", "validate", "plan"],
)
def test_a_command_loads_no_more_modules_than_it_needs(
    arguments: list[str], most_of_ours: int, most_in_all: int, tmp_path: Path
) -> None:
    modules = loaded_by(arguments, tmp_path)
    assert len(ours(modules)) <= most_of_ours, ours(modules)
    assert len(modules) <= most_in_all


def test_a_look_at_files_loads_nothing_of_plans_and_states(tmp_path: Path) -> None:
    modules = loaded_by(["validate", DEMO], tmp_path)
    rooms = ("planning.", "state.", "gateway.", "applying.", "model.plan", "model.outcome", "report.markdown")
    assert [name for name in ours(modules) if name.removeprefix("reconciler.").startswith(rooms)] == []
    assert {"jsonschema", "deepdiff", "orjson", "obstore", "httpx", "asyncio", "rich"} & modules == set()


def test_a_small_environment_loads_nothing_for_problems_large_fleets_servers_or_secrets(tmp_path: Path) -> None:
    modules = loaded_by(["validate", DEMO], tmp_path)
    homes = ("desired.fleet.quick_fleet", "desired.site.session_servers", "desired.site.states_away")
    for_others = {f"reconciler.{name}" for name in (*homes, "model.secret_reference")}
    assert all(importlib.util.find_spec(name) for name in for_others)  # or nothing would be held here
    assert modules.isdisjoint(for_others)
    assert modules.isdisjoint({"difflib", "json", "shlex", "fractions", "hashlib"})


def test_a_plan_without_structural_changes_loads_neither_deepdiff_nor_asyncio(tmp_path: Path) -> None:
    assert {"jsonschema", "deepdiff", "pydantic", "obstore", "httpx", "asyncio", "rich"} & loaded_by(
        ["plan", DEMO], tmp_path
    ) == set()


_COLLECTIONS = """
import gc, sys
whole = []
def note(phase, info):
    if info["generation"] == 2 or gc.get_count()[0] > 10_000:  # how many are new, and are walked over
        whole.append(phase)
gc.callbacks.append(note)
from reconciler.__main__ import main
main()
sys.stderr.write(f"{len(whole)} {gc.isenabled()} {gc.get_freeze_count() > 10_000}")
gc.callbacks.clear()
"""


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_nothing_walks_over_all_that_was_loaded_to_look_for_garbage_also_not_at_the_end(command: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _COLLECTIONS, command, DEMO], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stderr.split()[-3:] == ["0", "True", "True"]
