"""The house, held: who may know whom, where third parties live, what is pure, and how large things get.

The code is read with `ast`, never imported, so that an import under `TYPE_CHECKING` or inside a function counts as much
as any other. Each rule is a function from one module to its findings, and the last tests break every one of them. Only
the start-up tests run the command: what a process loads cannot be read from its source.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "reconciler"

_MODEL = {"errors", "values", "model"}
_KEYS = {"credentials"}
_FIRST_FLOOR = {"desired", "planning", "gateway", "state", "report"}

MAY_KNOW: Mapping[str, set[str]] = {
    "": set(_MODEL),  # reconciler/__init__.py
    "errors": set(),
    "values": set(),
    "model": {"errors", "values"},
    "schemas": {"errors"},
    "programs": set(),
    "collector": set(),
    "front_door": set(),
    "git": _MODEL | {"programs"},
    "credentials": _MODEL | {"programs"},
    "desired": _MODEL | {"schemas", "collector"},
    "planning": _MODEL | {"front_door"},
    "gateway": _MODEL | _KEYS,
    "state": _MODEL | _KEYS | {"programs", "collector", "front_door", "git"},
    "report": _MODEL | {"front_door"},
    "revisions": _MODEL | {"git"},
    "simulator": _MODEL,
    "applying": _MODEL | _FIRST_FLOOR | _KEYS | {"collector"},
    "probing": _MODEL | {"planning", "gateway", "state"},
    "review": _MODEL | _FIRST_FLOOR | _KEYS,
    "cli": (
        _MODEL
        | _FIRST_FLOOR
        | _KEYS
        | {"schemas", "collector", "revisions", "simulator", "applying", "probing", "review"}
    ),
    "__main__": {"cli", "collector"},
}
"""Each room, and the rooms it may import. `reconciler` itself holds the version and is open to all above the model."""

NOT_YET_BUILT: Mapping[str, str] = {}
"""Rooms that are drawn and not built. A room leaves this table with its first module."""

HOMES: Mapping[str, str] = {
    "aiohttp": "simulator",
    "click": "cli",
    "cryptography": "probing",
    "deepdiff": "planning",
    "h11": "gateway",
    "httpx": "gateway",
    "jsonschema": "desired",
    "jsonschema_rs": "desired",
    "msgspec": "values",
    "obstore": "state",
    "orjson": "state",
    "redis": "gateway",
    "referencing": "desired",
    "rich": "cli",
    "trustme": "simulator",
    "yaml": "desired",
}
"""Each third party, and the one room that knows it."""

SECOND_HOMES: Mapping[str, tuple[str, ...]] = {"httpx": ("reconciler/state/backends", "reconciler/review")}
"""Folders elsewhere that may know a third party too: what is at home in the gateway is all talk with the gateway."""

OPEN_ROOMS: Mapping[str, str] = {"model": "a shelf of values, each taken from its own module by name"}
"""Rooms that need no front door: everywhere else `__init__` says what is public, and other rooms use nothing more."""

TOO_LARGE_ALLOWED: Mapping[str, str] = {}
"""`path` or `path:function` that may exceed a limit, with the reason. Empty, and meant to stay so."""

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50

_MODEL_IMPURE = frozenset({"os", "io", "pathlib", "time", "random", "socket", "subprocess"})
_IMPURE = _MODEL_IMPURE | {
    *("asyncio", "fcntl", "glob", "http", "multiprocessing", "secrets", "select", "selectors", "shutil", "signal"),
    *("sqlite3", "ssl", "tempfile", "threading", "urllib.request", "uuid", "importlib.resources"),
}
_SPLIT_IN_IMPURE = frozenset(name.partition(".")[0] for name in _IMPURE if "." in name)
_IMPURE_CALLS = frozenset({"open", "input"})
_FILE_CALLS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes"})
_CLOCK_CALLS = frozenset({"now", "utcnow", "today"})
_PURE_ROOMS = frozenset({"model", "planning", "report"})

MAY_READ_THE_PACKAGE: Mapping[str, str] = {
    "reconciler/report/html/assets.py": "the page's stylesheet and script are code of ours in other languages",
}
"""Modules of pure rooms that read files of the package itself, which are as constant as the code beside them."""
_PACKAGE_READING = frozenset({"importlib.resources", "read_text"})

_EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "base", "manager", "core", "misc"})

_MUTABLE_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_MUTABLE_MAKERS = frozenset({"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"})
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*|__[a-z_]+__")

TOP_LEVEL = frozenset(
    {"reconciler", "schemas", "desired", "tests", "benchmarks", "docs", "examples"}
    | {"Makefile", "pyproject.toml", "requirements.lock", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"}
    | {"action.yml", "templates"}  # where GitHub looks for an action, and GitLab for components: nowhere else
)
"""What stands at the top of the tree, beside what is hidden."""


@dataclass(frozen=True)
class Module:
    """One module of the package, as source."""

    path: PurePosixPath
    """Relative to the top of the tree."""
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, str(self.path))

    @property
    def package(self) -> tuple[str, ...]:
        """The dotted name, in parts, of the package this module is in (or is)."""
        return self.path.parent.parts

    @property
    def room(self) -> str:
        parts = self.path.with_suffix("").parts
        return "" if parts == (PACKAGE, "__init__") else parts[1]


@dataclass(frozen=True)
class Finding:
    """A place where a rule is broken. Its text is what the developer gets to see."""

    path: PurePosixPath
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Import:
    """One name imported from somewhere, absolute."""

    line: int
    target: str

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]

    @property
    def room(self) -> str | None:
        """The room of ours it leads to, "" for `reconciler` itself, or None when it is not ours."""
        parts = self.target.split(".")
        return None if parts[0] != PACKAGE else "".join(parts[1:2])

    @property
    def is_third_party(self) -> bool:
        return self.top != PACKAGE and self.top not in sys.stdlib_module_names

    def is_any_of(self, names: Iterable[str]) -> bool:
        return any(self.target == name or self.target.startswith(f"{name}.") for name in names)


Rule = Callable[[Module], Iterator[Finding]]


def imports(module: Module) -> Iterator[Import]:
    """Yield every import of a module: at its top, in functions, under TYPE_CHECKING, by `import_module("…")`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module)
            yield from (Import(node.lineno, _imported(origin, alias.name)) for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"}:
            yield from (Import(node.lineno, target) for each in node.args[:1] if (target := _spelt_out(each)))


def _spelt_out(argument: ast.expr) -> str:
    """Return the text of a constant, or the constant beginning of an f-string."""
    match argument:
        case ast.Constant(value=str() as text) | ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            return text.rstrip(".")
        case _:
            return ""


def _origin(node: ast.ImportFrom, module: Module) -> str:
    if node.level == 0:
        return node.module or ""
    above = module.package[: len(module.package) - node.level + 1]
    return ".".join((*above, *filter(None, [node.module])))


def _imported(origin: str, name: str) -> str:
    """`from a import b` leads to the module `a.b` where there is one and `a` exports no other `b`, else to `a`."""
    folder = ROOT.joinpath(*origin.split("."))
    is_ours = f"{origin}.".startswith(f"{PACKAGE}.") and name not in _exports(folder / "__init__.py")
    is_module = is_ours and ((folder / name).is_dir() or (folder / f"{name}.py").is_file())
    return f"{origin}.{name}" if is_module or origin in _SPLIT_IN_IMPURE else origin


@cache
def _exports(init: Path) -> frozenset[str]:
    """Return the names in a package's `__all__`; none when it has no such list, or is no package."""
    if not init.is_file():
        return frozenset()
    values = _module_level_values(ast.parse(init.read_text(encoding="utf-8")).body)
    return frozenset(str(each) for name, value in values if name == "__all__" for each in ast.literal_eval(value))


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name: `exit` for `sys.exit`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def knows_only_floors_below(module: Module) -> Iterator[Finding]:
    allowed = MAY_KNOW.get(module.room, set()) | {module.room}
    if module.room not in _MODEL | {"schemas"}:
        allowed |= {""}
    for each in imports(module):
        if each.room is not None and each.room not in allowed:
            known = ", ".join(sorted(filter(None, allowed - {module.room}))) or "no other room"
            text = f"{module.room or PACKAGE} imports {each.target}; it may know {known}"
            yield Finding(module.path, each.line, text)


def enters_by_the_front_door(module: Module) -> Iterator[Finding]:
    for each in imports(module):
        if each.room is None or each.room in {module.room, "", *OPEN_ROOMS}:
            continue
        if each.target.count(".") > 1:
            door = f"{PACKAGE}.{each.room}"
            yield Finding(module.path, each.line, f"imports {each.target}; what is public of a room is in {door}")


def meets_third_parties_at_home(module: Module) -> Iterator[Finding]:
    for each in imports(module):
        if any(module.path.is_relative_to(second) for second in SECOND_HOMES.get(each.top, ())):
            continue
        if each.is_third_party and HOMES.get(each.top) != module.room:
            home = f"only {HOMES[each.top]} may know it" if each.top in HOMES else "it has no home in HOMES"
            yield Finding(module.path, each.line, f"imports {each.top}: {home}")


def is_standard_library_only_in_the_model(module: Module) -> Iterator[Finding]:
    for each in imports(module):
        if module.room == "model" and (each.is_third_party or each.is_any_of(_MODEL_IMPURE)):
            yield Finding(module.path, each.line, f"the model imports {each.target}; it holds values and does nothing")


def is_pure_where_it_must_be(module: Module) -> Iterator[Finding]:
    if module.room not in _PURE_ROOMS:
        return
    tolerated = _PACKAGE_READING if str(module.path) in MAY_READ_THE_PACKAGE else frozenset()
    for each in imports(module):
        if each.is_any_of(_IMPURE - tolerated):
            text = f"{module.room} imports {each.target}; it is pure: no I/O, no clock, no chance"
            yield Finding(module.path, each.line, text)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _reaches_outside(node.func) and _name(node.func) not in tolerated:
            text = f"{module.room} calls {ast.unparse(node.func)}(); it is pure: what it needs comes in as an argument"
            yield Finding(module.path, node.lineno, text)


def _reaches_outside(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _IMPURE_CALLS
    return isinstance(function, ast.Attribute) and function.attr in _CLOCK_CALLS | _FILE_CALLS


def leaves_printing_and_exiting_to_the_cli(module: Module) -> Iterator[Finding]:
    if module.room in {"cli", "__main__"}:
        return
    for node in ast.walk(module.tree):
        if _speaks_or_exits(node):
            text = f"`{ast.unparse(node)}`: only the cli prints and exits; return a value or raise an error of ours"
            yield Finding(module.path, getattr(node, "lineno", 0), text)


def _speaks_or_exits(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="print" | "exit" | "quit")):
            return True
        case ast.Attribute(value=ast.Name(id="sys"), attr="exit" | "stdout" | "stderr" | "__stdout__" | "__stderr__"):
            return True
        case ast.Attribute(value=ast.Name(id="os"), attr="_exit" | "abort"):
            return True
        case ast.ImportFrom(module="sys" | "os", names=names):
            return any(alias.name in {"exit", "stdout", "stderr", "_exit", "abort"} for alias in names)
        case ast.Raise(exc=ast.Name(id="SystemExit") | ast.Call(func=ast.Name(id="SystemExit"))):
            return True
        case _:
            return False


def has_a_name_that_says_something(module: Module) -> Iterator[Finding]:
    for part in module.path.with_suffix("").parts:
        if part.strip("_") in _EMPTY_NAMES:
            yield Finding(module.path, 1, f"{part!r} names nothing: name what is done or kept there")


def is_of_a_size_to_be_read(module: Module) -> Iterator[Finding]:
    lines = len(module.source.splitlines())
    if lines > MAX_MODULE_LINES and str(module.path) not in TOO_LARGE_ALLOWED:
        yield Finding(module.path, 1, f"the module has {lines} lines; {MAX_MODULE_LINES} are allowed")
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        if size > MAX_FUNCTION_LINES and f"{module.path}:{node.name}" not in TOO_LARGE_ALLOWED:
            yield Finding(module.path, node.lineno, f"{node.name} has {size} lines; {MAX_FUNCTION_LINES} are allowed")


def keeps_no_state(module: Module) -> Iterator[Finding]:
    for name, value in _module_level_values(module.tree.body):
        if _is_mutable(value) and not _CONSTANT.fullmatch(name):
            text = f"{name} is mutable and belongs to the module; keep it in an object, or name it as a CONSTANT"
            yield Finding(module.path, value.lineno, text)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Global):
            yield Finding(module.path, node.lineno, f"`{ast.unparse(node)}`: a module keeps no state")


def _module_level_values(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((_name(target) or ast.unparse(target), value) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield _name(target), value
            case ast.If(body=inner, orelse=other):
                yield from _module_level_values([*inner, *other])
            case ast.Try(body=inner, handlers=handlers, orelse=other):
                caught = (statement for handler in handlers for statement in handler.body)
                yield from _module_level_values([*inner, *caught, *other])


def _is_mutable(value: ast.expr) -> bool:
    made = isinstance(value, ast.Call) and _name(value.func) in _MUTABLE_MAKERS
    return made or isinstance(value, _MUTABLE_DISPLAYS)


def states_its_rules_first(module: Module) -> Iterator[Finding]:
    if not ast.get_docstring(module.tree):
        yield Finding(module.path, 1, "no header docstring: say what lives here and what it must not know")


def says_what_it_exports(module: Module) -> Iterator[Finding]:
    if module.path.parts != (PACKAGE, module.room, "__init__.py") or module.room in OPEN_ROOMS:
        return
    if not any(name == "__all__" for name, _ in _module_level_values(module.tree.body)):
        yield Finding(module.path, 1, "a room exports through its __init__: no __all__ here")


def the_package() -> tuple[Module, ...]:
    """Return every module of the package, as source."""
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    return tuple(Module(PurePosixPath(p.relative_to(ROOT).as_posix()), p.read_text(encoding="utf-8")) for p in paths)


def must_hold(rule: Rule) -> None:
    """Fail with every place where the package breaks a rule."""
    findings = [str(finding) for module in the_package() for finding in rule(module)]
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_imports_go_only_to_floors_below() -> None:
    must_hold(knows_only_floors_below)


def test_no_module_needs_a_module_that_needs_it() -> None:
    modules = {".".join(module.path.with_suffix("").parts): module for module in the_package()}
    needs = {name: {each.target for each in imports(module)} & modules.keys() for name, module in modules.items()}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as circle:
        pytest.fail(f"these import each other in a circle: {' <- '.join(circle.args[1])}", pytrace=False)


def test_rooms_use_of_each_other_only_what_init_exports() -> None:
    must_hold(enters_by_the_front_door)


def test_each_third_party_is_known_in_its_home_alone() -> None:
    must_hold(meets_third_parties_at_home)


def test_the_model_is_standard_library_only_and_does_no_io() -> None:
    must_hold(is_standard_library_only_in_the_model)


def test_model_planning_and_report_are_pure() -> None:
    must_hold(is_pure_where_it_must_be)


def test_nobody_below_the_cli_prints_or_exits() -> None:
    must_hold(leaves_printing_and_exiting_to_the_cli)


def test_no_module_has_a_name_that_says_nothing() -> None:
    must_hold(has_a_name_that_says_something)


def test_modules_and_functions_stay_small() -> None:
    must_hold(is_of_a_size_to_be_read)


def test_no_module_keeps_mutable_state() -> None:
    must_hold(keeps_no_state)


def test_every_module_states_its_rules_first() -> None:
    must_hold(states_its_rules_first)


def test_every_room_exports_through_its_init() -> None:
    must_hold(says_what_it_exports)
    missing = [str(folder) for folder in _folders_with_code() if not (folder / "__init__.py").is_file()]
    assert missing == [], f"folders without an __init__.py: {missing}"


def _folders_with_code() -> list[Path]:
    return sorted({path.parent for path in (ROOT / PACKAGE).rglob("*.py")})


def test_the_house_has_exactly_the_rooms_of_its_plan() -> None:
    rooms = {module.room for module in the_package()}
    assert rooms == MAY_KNOW.keys() - NOT_YET_BUILT, (
        "a room was built or left: change MAY_KNOW, and the drawing in CONTRIBUTING.md"
    )


def test_the_top_of_the_tree_is_as_drawn() -> None:
    found = {name for name in _top_level_names() if not name.startswith(".")}
    assert found == TOP_LEVEL, "change TOP_LEVEL, and the drawing in CONTRIBUTING.md"


def test_the_house_is_drawn_with_its_rooms_its_folders_and_what_is_at_home_where() -> None:
    lines = re.search(r"```\n(reconciler/\n.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert lines
    drawn = {line.split()[0].strip("/"): line for line in lines[1].splitlines()}
    rooms = {name.removesuffix(".py"): line for name, line in drawn.items() if line.startswith("  ")}
    top = {name.split("/")[0] for name, line in drawn.items() if not line.startswith(" ")}

    assert rooms.keys() == MAY_KNOW.keys() - {""}
    assert top <= TOP_LEVEL
    assert {name for name in TOP_LEVEL if (ROOT / name).is_dir()} <= top
    told = {(name, room) for room, line in rooms.items() for name in HOMES if name.replace("_", "-") in _words(line)}
    assert set(HOMES.items()) <= told, "the drawing says of each room which third parties are at home there"


def _words(line: str) -> list[str]:
    return re.findall(r"[\w-]+", line)


def _top_level_names() -> set[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what belongs to the tree is known to Git alone")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {path.split("/")[0] for path in output.split("\0") if path and (ROOT / path).exists()}


def test_every_dependency_has_a_home_that_uses_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=~!;\[ ]", line)[0].replace("-", "_") for line in project["dependencies"]}
    assert set(HOMES) == {"yaml" if name == "pyyaml" else name for name in declared}
    used = {(each.top, module.room) for module in the_package() for each in imports(module)}
    assert [f"{name}: {room}" for name, room in HOMES.items() if (name, room) not in used] == [], "unused at home"


def test_every_tolerated_size_is_still_needed() -> None:
    places = {place for module in the_package() for place in _oversized(module)}
    assert [place for place in TOO_LARGE_ALLOWED if place not in places] == []


def _oversized(module: Module) -> Iterator[str]:
    if len(module.source.splitlines()) > MAX_MODULE_LINES:
        yield str(module.path)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > MAX_FUNCTION_LINES:
                yield f"{module.path}:{node.name}"


# What a process loads, run for real.

_PROBE = """
import json, sys
from reconciler.cli import main
try:
    code = main(sys.argv[2:])
except SystemExit as leaving:
    code = leaving.code
with open(sys.argv[1], "w", encoding="utf-8") as result:
    json.dump({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}, result)
"""


def test_help_loads_next_to_nothing(tmp_path: Path) -> None:
    loaded = _loaded_by(["--help"], tmp_path)
    heavy = {"yaml", "jsonschema", "jsonschema_rs", "deepdiff", "orjson", "httpx", "aiohttp", "redis", "asyncio"}
    assert loaded & heavy == set(), "`reconciler --help` loads these; import them where a command needs them"


def test_plan_loads_nothing_that_talks_or_draws(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "desired", tmp_path / "desired", ignore=shutil.ignore_patterns("*.json*", "*.pem"))
    loaded = _loaded_by(["plan", "desired/demo", "--json"], tmp_path)
    # Not ssl: deepdiff's cache imports asyncio, and asyncio imports ssl.
    clients = {"httpx", "aiohttp", "trustme", "redis", "rich"}
    assert loaded & clients == set(), "`plan` needs no gateway, so it loads no client"


def _loaded_by(arguments: list[str], folder: Path) -> set[str]:
    """Run the command, which must succeed, in a process of its own; return the top-level modules it loaded."""
    # Measuring coverage there would load modules too, so this process is not measured.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = folder / "loaded.json"
    run = subprocess.run(
        [sys.executable, "-c", _PROBE, str(result), *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(result.read_text(encoding="utf-8"))
    assert found["code"] == 0, run.stdout + run.stderr
    return set(found["modules"])


# The rules, broken: a rule that finds nothing in these would find nothing anywhere.

_HEADER = '"""Header."""\n'
_LONG_FUNCTION = "def long() -> None:\n" + "    pass\n" * MAX_FUNCTION_LINES

_VIOLATIONS: tuple[tuple[str, Rule, str, str], ...] = (
    ("upward", knows_only_floors_below, "model/a.py", "from reconciler.planning import make_plan"),
    ("sideways", knows_only_floors_below, "state/a.py", "import reconciler.gateway"),
    ("by-package", knows_only_floors_below, "planning/a.py", "from reconciler import cli"),
    ("relative", knows_only_floors_below, "planning/a.py", "from ..gateway import lookup"),
    ("relative-from-init", knows_only_floors_below, "planning/__init__.py", "from .. import state"),
    ("for-types", knows_only_floors_below, "report/a.py", "if True:\n    from reconciler.state import load"),
    ("in-a-function", knows_only_floors_below, "gateway/a.py", "def f():\n    import reconciler.report"),
    ("by-string", knows_only_floors_below, "applying/a.py", "import_module('reconciler.simulator')"),
    ("by-f-string", knows_only_floors_below, "state/a.py", "import_module(f'reconciler.cli.{name}')"),
    ("simulator", knows_only_floors_below, "review/a.py", "from reconciler.simulator import serve"),
    ("schemas", knows_only_floors_below, "applying/a.py", "from reconciler.schemas import schema_text"),
    ("version", knows_only_floors_below, "model/a.py", "from reconciler import __version__"),
    ("inner-module", enters_by_the_front_door, "cli/a.py", "from reconciler.gateway.client import GatewayClient"),
    ("inner-name", enters_by_the_front_door, "cli/a.py", "from reconciler.planning import planner"),
    ("away-from-home", meets_third_parties_at_home, "report/a.py", "import httpx"),
    ("beside-second-home", meets_third_parties_at_home, "state/a.py", "import httpx"),
    ("no-home", meets_third_parties_at_home, "cli/a.py", "from requests.adapters import HTTPAdapter"),
    ("model-third-party", is_standard_library_only_in_the_model, "model/a.py", "import attrs"),
    ("model-io", is_standard_library_only_in_the_model, "model/a.py", "from pathlib import Path"),
    ("pure-import", is_pure_where_it_must_be, "planning/a.py", "import os.path"),
    ("pure-submodule", is_pure_where_it_must_be, "report/a.py", "from urllib import request"),
    ("pure-clock", is_pure_where_it_must_be, "report/a.py", "datetime.now(UTC)"),
    ("pure-resource", is_pure_where_it_must_be, "report/a.py", "from importlib import resources"),
    ("pure-read", is_pure_where_it_must_be, "report/a.py", "file.read_text()"),
    ("pure-open", is_pure_where_it_must_be, "model/a.py", "open('file')"),
    ("print", leaves_printing_and_exiting_to_the_cli, "desired/a.py", "print('hello')"),
    ("sys-exit", leaves_printing_and_exiting_to_the_cli, "state/a.py", "sys.exit(1)"),
    ("system-exit", leaves_printing_and_exiting_to_the_cli, "state/a.py", "raise SystemExit(1)"),
    ("stderr", leaves_printing_and_exiting_to_the_cli, "gateway/a.py", "sys.stderr.write('hello')"),
    ("from-sys", leaves_printing_and_exiting_to_the_cli, "gateway/a.py", "from sys import exit as leave"),
    ("empty-name", has_a_name_that_says_something, "state/_utils.py", ""),
    ("empty-folder-name", has_a_name_that_says_something, "state/common/a.py", ""),
    ("long-module", is_of_a_size_to_be_read, "state/a.py", "\n" * MAX_MODULE_LINES),
    ("long-function", is_of_a_size_to_be_read, "state/a.py", _LONG_FUNCTION),
    ("mutable-display", keeps_no_state, "state/a.py", "cache = {}"),
    ("mutable-annotated", keeps_no_state, "state/a.py", "seen: set[str] = set()"),
    ("mutable-guarded", keeps_no_state, "state/a.py", "try:\n    x = 1\nexcept E:\n    found = []"),
    ("global", keeps_no_state, "state/a.py", "def f():\n    global count"),
    ("no-exports", says_what_it_exports, "state/__init__.py", "x = 1"),
)


@pytest.mark.parametrize(
    ("rule", "path", "source"), [row[1:] for row in _VIOLATIONS], ids=[row[0] for row in _VIOLATIONS]
)
def test_a_rule_finds_what_breaks_it(rule: Rule, path: str, source: str) -> None:
    module = Module(PurePosixPath(PACKAGE, path), _HEADER + source)
    texts = [str(finding) for finding in rule(module)]
    assert len(texts) == 1, texts
    assert re.match(rf"reconciler/{re.escape(path)}:\d+: .+", texts[0])


def test_a_missing_header_is_found() -> None:
    (finding,) = states_its_rules_first(Module(PurePosixPath("reconciler/state/a.py"), "x = 1\n"))
    assert str(finding).startswith("reconciler/state/a.py:1: ")


_RULES: tuple[Rule, ...] = (*{row[1]: None for row in _VIOLATIONS}, states_its_rules_first)


@pytest.mark.parametrize("rule", _RULES, ids=[rule.__name__ for rule in _RULES])
def test_a_rule_accepts_what_is_right(rule: Rule) -> None:
    source = '''"""Header."""
from reconciler import __version__
from reconciler.gateway import lookup
from reconciler.model.agent import AgentId
from reconciler.applying import Stop
import click

NAMES = ["a"]
_TABLE: dict[str, int] = {}
__all__ = ["main"]
frozen = ("a", "b")

def main() -> None:
    found = []
    print(found)
    sys.exit(0)
'''
    assert list(rule(Module(PurePosixPath("reconciler/cli/start.py"), source))) == []
