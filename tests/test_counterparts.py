"""How the tests come by the real programs they run against: found, installed, or told of as missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.counterparts import REQUIRE, require_program

ROOT = Path(__file__).resolve().parent.parent
CI = ROOT / ".ci"
MISSING = "a-program-nobody-has"


def test_a_program_that_is_there_is_given_by_its_path() -> None:
    assert Path(require_program("sh", package="dash")).is_file()


def test_a_daemon_is_found_though_the_path_of_a_plain_user_does_not_name_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = require_program("haproxy", package="haproxy")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert require_program("haproxy", package="haproxy") == expected


def test_a_missing_program_skips_its_test_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{MISSING} .*make counterparts.* package its-package"):
        require_program(MISSING, package="its-package")


def test_a_missing_program_fails_its_test_where_programs_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match=f"{MISSING} .*make counterparts.*{REQUIRE} is set"):
        require_program(MISSING, package="its-package")


def test_continuous_integration_requires_the_programs_it_has_installed() -> None:
    script = (CI / "run").read_text(encoding="utf-8")
    installed, required = script.index("\n.ci/install-counterparts\n"), script.index(f"\nexport {REQUIRE}=1\n")
    assert installed < required < script.index("\nmake check ")


def test_every_program_a_test_asks_for_is_listed_with_its_package() -> None:
    rows = [line.split() for line in (CI / "counterparts").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    listed = {(program, package) for program, package, *_ in rows}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    asked = {pair for text in sources for pair in re.findall(r'require_program\("(.+?)", package="(.+?)"\)', text)}
    assert asked
    assert asked - listed == set()


# The script that installs them.


@pytest.fixture
def ci(tmp_path: Path) -> Path:
    """A copy of the script beside a list of one program that is there and two that are not."""
    folder = tmp_path / "ci"
    folder.mkdir()
    shutil.copy(CI / "install-counterparts", folder)
    (folder / "counterparts").write_text(f"# a comment\nsh dash the shell\n{MISSING} one x\n{MISSING}-2 two x\n")
    return folder


def _install(ci: Path, *, commands: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script where there are these commands beside the few it needs."""
    path = ci.parent / "bin"
    path.mkdir()
    for name in ("dirname", "env", "grep", "sh"):
        (path / name).symlink_to(require_program(name, package="coreutils"))
    for name, text in commands.items():
        (path / name).write_text(f"#!/bin/sh\n{text}\n")
        (path / name).chmod(0o755)
    script = str(ci / "install-counterparts")
    return subprocess.run(
        ["/bin/sh", script], env={"PATH": str(path)}, capture_output=True, text=True, check=False, timeout=60
    )


ROOT_USER = "echo 0"
APT = 'echo "$@" >>"$(dirname "$0")/log"'


def test_only_what_is_missing_is_installed_by_root_without_sudo(ci: Path) -> None:
    ended = _install(ci, commands={"id": ROOT_USER, "apt-get": APT})
    assert (ended.returncode, ended.stdout) == (0, "")
    (command,) = (ci.parent / "bin" / "log").read_text().splitlines()
    assert command.endswith("install -y --no-install-recommends one two")


def test_anybody_else_installs_through_sudo(ci: Path) -> None:
    sudo = 'shift; echo "sudo $*" >>"$(dirname "$0")/log"'
    assert _install(ci, commands={"id": "echo 1000", "apt-get": "exit 9", "sudo": sudo}).returncode == 0
    checked, installed = (ci.parent / "bin" / "log").read_text().splitlines()
    assert checked == "sudo true"
    assert re.fullmatch(r"sudo env \S+ apt-get .* one two", installed)


def test_the_lists_of_a_fresh_machine_are_fetched_before_a_second_try(ci: Path) -> None:
    apt = f'{APT}; case "$*" in *update) : >"$(dirname "$0")/lists";; *) [ -f "$(dirname "$0")/lists" ];; esac'
    assert _install(ci, commands={"id": ROOT_USER, "apt-get": apt}).returncode == 0
    commands = (ci.parent / "bin" / "log").read_text().splitlines()
    assert [re.findall(" (install|update)", command) for command in commands] == [["install"], ["update"], ["install"]]


def test_nothing_is_asked_for_when_everything_is_there(ci: Path) -> None:
    (ci / "counterparts").write_text("# nothing but the shell\nsh dash the shell\n")
    ended = _install(ci, commands={})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ({"id": ROOT_USER}, "no apt-get"),
        ({"id": "echo 1000", "apt-get": "exit 9", "sudo": "exit 1"}, "needs root"),
        ({"id": ROOT_USER, "apt-get": "exit 100"}, "could not install"),
    ],
    ids=["no-apt-get", "neither-root-nor-sudo", "apt-get-fails"],
)
def test_what_cannot_be_installed_is_named_with_the_way_out(ci: Path, commands: dict[str, str], expected: str) -> None:
    ended = _install(ci, commands=commands)
    assert ended.returncode == 1
    error = ended.stderr[ended.stderr.index("error: ") :].splitlines()
    assert expected in error[0]
    assert error[1].endswith("packages: one two")
    assert "install them" in error[2]
