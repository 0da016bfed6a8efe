"""A room that opens its door on demand exports what it says, from where it says."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.front_door import open_on_demand

ROOT = Path(__file__).parent.parent
DOORS = sorted(
    path
    for path in (ROOT / "reconciler").glob("*/__init__.py")
    if "open_on_demand(" in path.read_text(encoding="utf-8")
)


def name_of(door: Path) -> str:
    return f"reconciler.{door.parent.name}"


def homes_for_readers(door: Path) -> dict[str, str]:
    """Return where the imports for type checkers say each name is from."""
    imports = (
        node for node in ast.walk(ast.parse(door.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    )
    within = [node for node in imports if (node.module or "").startswith(f"{name_of(door)}.")]
    return {alias.name: str(node.module) for node in within for alias in node.names}


@pytest.mark.parametrize("door", DOORS, ids=name_of)
def test_a_door_opens_to_what_its_imports_say(door: Path) -> None:
    room, homes = importlib.import_module(name_of(door)), homes_for_readers(door)
    assert sorted(homes) == sorted(room.__all__)
    for name, home in homes.items():
        assert getattr(room, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        _ = room.nobody


@pytest.mark.parametrize("door", DOORS, ids=name_of)
def test_a_door_that_nobody_went_through_has_loaded_nothing(door: Path) -> None:
    code = f"import sys, {name_of(door)}; sys.exit(any(name.startswith('{name_of(door)}.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_function_is_not_hidden_by_the_module_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_room").mkdir()
    (tmp_path / "a_room" / "__init__.py").write_text("")
    (tmp_path / "a_room" / "sum_up.py").write_text("def sum_up(): return 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    room = importlib.import_module("a_room")
    open_on_demand("a_room", {"sum_up": ("sum_up",)})
    importlib.import_module("a_room.sum_up")
    assert room.sum_up() == 3
