"""What is shipped and how it is set up: the wheel, the lock file, the Makefile, and what must not be in the tree."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
SCHEMAS = {path.name for path in (ROOT / "schemas").iterdir()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    run = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=240
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def _names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def _metadata(wheel: Path, file: str) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(f".dist-info/{file}"))
        return HeaderParser().parsestr(archive.read(name).decode())


def test_the_wheel_carries_every_schema_and_the_type_marker(wheel: Path) -> None:
    assert {"site.schema.json", "cc-gateway.openapi.yaml"} < SCHEMAS
    assert {f"reconciler/_schemas/{name}" for name in SCHEMAS} | {"reconciler/py.typed"} <= _names(wheel)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in _names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"reconciler"}
    modules = {name for name in _names(wheel) if name.endswith(".py")}
    assert modules == {path.relative_to(ROOT).as_posix() for path in (ROOT / "reconciler").rglob("*.py")}


def test_the_wheel_carries_what_the_page_of_a_report_is_made_of(wheel: Path) -> None:
    folder = ROOT / "reconciler" / "report" / "html"
    assets = {path.relative_to(ROOT).as_posix() for path in folder.iterdir() if path.suffix in {".css", ".js"}}
    assert len(assets) == 2
    assert assets <= _names(wheel)


def test_the_wheel_names_its_licence_its_python_and_its_command(wheel: Path) -> None:
    metadata = _metadata(wheel, "METADATA")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in _names(wheel))
    with ZipFile(wheel) as archive:
        (entry_points,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        assert "reconciler = reconciler.__main__:main" in archive.read(entry_points).decode()


def test_the_wheel_has_the_version_the_package_says(wheel: Path) -> None:
    source = (ROOT / "reconciler" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{_metadata(wheel, "METADATA")["Version"]}"' in source


def test_an_installed_wheel_finds_what_it_carries_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    code = (
        "import json, reconciler; from reconciler.schemas import schema_text;"
        "from reconciler.report.html.assets import stylesheet;"
        "print(json.dumps([reconciler.__file__, json.loads(schema_text('fleet')), stylesheet().text]))"
    )
    place, schema, style = json.loads(_run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target)))
    assert Path(place).is_relative_to(target)
    assert schema == json.loads((ROOT / "schemas" / "fleet.schema.json").read_text(encoding="utf-8"))
    assert style.lstrip() == (ROOT / "reconciler" / "report" / "html" / "report.css").read_text(encoding="utf-8")


# The lock file.


def _locked() -> Iterator[tuple[Requirement, int]]:
    """Yield each requirement of the lock file with the number of its hashes."""
    for block in re.split(r"\n(?=\S)", _without_comments(LOCK.read_text(encoding="utf-8"))):
        line = block.partition("\n")[0].removesuffix("\\").strip()
        yield Requirement(line), len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block))


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line and not line.lstrip().startswith("#"))


def _declared() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    lines = [*project["dependencies"], *settings["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        lines += extra
    return {str(Requirement(line)) for line in lines}


def test_every_dependency_is_declared_with_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert len(lists) == 2
    assert [line for each in lists for line in each.splitlines() if not re.search(r'",\s+# \w', line)] == []


def test_what_the_tests_import_is_declared_and_not_there_by_chance() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    brought_by = packages_distributions()

    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    brought = {top: brought_by[top] for top in (name.partition(".")[0] for name in names) if top in brought_by}
    assert {top for top, by in brought.items() if declared.isdisjoint(map(canonicalize_name, by))} <= {"reconciler"}


def test_the_lock_pins_every_dependency_that_is_declared() -> None:
    pins = {canonicalize_name(requirement.name): requirement.specifier for requirement, _ in _locked()}
    for declared in map(Requirement, _declared()):
        pin = pins.get(canonicalize_name(declared.name))
        assert pin is not None, f"{declared.name} is not locked: run `make lock`"
        (version,) = pin
        assert declared.specifier.contains(version.version), f"{declared} is locked as {pin}: run `make lock`"


def test_every_pin_is_exact_and_covered_by_published_hashes() -> None:
    locked = list(_locked())
    assert len(locked) > 40
    assert [str(each) for each, _ in locked if [clause.operator for clause in each.specifier] != ["=="]] == []
    # One hash only would be one file of one machine's own making: published projects have a wheel and a source.
    assert [each.name for each, hashes in locked if hashes < 2] == []


def test_the_lock_holds_names_versions_and_hashes_alone() -> None:
    text = LOCK.read_text(encoding="utf-8")
    options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", _without_comments(text)))
    assert options == {"--hash"}
    assert re.findall(r"\S*(?:://|file:|@ )\S*", text) == []


# The Makefile, and what CONTRIBUTING.md says of it.

TARGETS = {
    *("help", "demo", "test", "check", "lint", "types", "format"),
    *("torture", "fuzz", "azurite", "coverage", "counterparts", "bench", "lock", "clean", "screenshots"),
}


def test_make_help_says_a_sentence_about_every_target() -> None:
    printed = _run("make", "--no-print-directory", "help").splitlines()
    rows = [re.fullmatch(r"  make ([a-z]+) +([A-Z].*\.)", line) for line in printed]
    assert {row[1] for row in rows if row} == TARGETS
    assert all(rows), printed
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_make_alone_prints_the_help() -> None:
    assert _run("make", "--no-print-directory") == _run("make", "--no-print-directory", "help")


def test_make_names_what_is_needed_when_there_is_no_python(tmp_path: Path) -> None:
    command = ("make", "--no-print-directory", "lint", f"VENV={tmp_path / 'venv'}", "PYTHON=a-python-that-is-not-there")
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert "needed is Python 3.11 or newer" in run.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md"])
def test_documents_name_only_targets_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)(?:\$ )?make ([a-z]+)\b", text, re.MULTILINE))
    assert named - TARGETS == set()


@pytest.mark.parametrize("name", ["run", "install-counterparts"])
def test_ci_is_made_of_scripts_that_can_be_run(name: str) -> None:
    script = ROOT / ".ci" / name
    assert os.access(script, os.X_OK)
    _run("bash", "-n", str(script))


# What belongs to one machine only.

# A letter in brackets keeps a pattern from finding itself here.
_MACHINE_PATHS = r"(?<![\w.:}])/(?:home|Users|root|work|opt|mnt|srv)/[\w.]+"
_REGISTRIES = r"\b(?:[p]ypi\.(?:org|io)|[p]ythonhosted\.org|registry\.[n]pmjs\.org|[a]rtifactory|[d]evpi)\b"
_INSTALLER_OPTIONS = r"--(?:extra-)?[i]ndex-url|--[f]ind-links"
NOT_OURS = re.compile(f"{_MACHINE_PATHS}|{_REGISTRIES}|{_INSTALLER_OPTIONS}")


def _files_of_the_tree() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what belongs to the tree is known to Git alone")
    listed = _run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    return [ROOT / name for name in sorted(set(filter(None, listed))) if (ROOT / name).is_file()]


def test_no_file_names_a_machine_path_or_a_registry() -> None:
    found = []
    for path in _files_of_the_tree():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if match := NOT_OURS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "home/jo/project",
        "-r '/" + "Users/jo/x'",
        "-" + "-index-url x",
        "-" + "-extra-index-url x",
        "from py" + "pi.org",
        "files.python" + "hosted.org",
    ],
)
def test_what_belongs_to_one_machine_is_recognised(line: str) -> None:
    assert NOT_OURS.search(line)


@pytest.mark.parametrize(
    "line", ["https://gateway/opt/in", "reconciler/state/document/codec.py", "docs/work/flow", "/usr/bin/env"]
)
def test_what_belongs_to_everybody_is_left_alone(line: str) -> None:
    assert not NOT_OURS.search(line)
