"""Whatever happens ends in one exit code of the table, and with --json in one document."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from support.site import Site

from reconciler.cli.group import cli
from reconciler.errors import ExitCode

SECRET = "guid-which-nobody-may-see"


def test_without_a_command_the_help_goes_to_stderr_and_it_exits_3(site: Site) -> None:
    ended = site.run()

    assert (ended.code, ended.out) == (3, "")
    assert "Commands:" in ended.err


@pytest.mark.parametrize("arguments", [("--help",), ("plan", "--help"), ("state", "list", "--help")], ids=" ".join)
def test_help_goes_to_stdout_and_exits_0(
    site: Site, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ended = site.run(*arguments)

    assert ended.code == 0
    assert "Usage: reconciler" in ended.out + capsys.readouterr().out


@pytest.mark.parametrize("group", [(), ("state",)], ids=["reconciler", "state"])
def test_help_tells_of_every_command_in_a_whole_sentence(
    site: Site, group: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    told = site.run(*group, "--help").out + capsys.readouterr().out

    assert "..." not in told.partition("Commands:")[2]


def test_a_command_that_fails_is_called_what_it_is_called_when_it_does_not(site: Site) -> None:
    named = [site.run("state", "list", place, "--json").document["command"] for place in ("demo", "nowhere")]

    assert named == ["state list", "state list"]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("plna",), "did you mean 'plan'?"),
        (("plan", "--jsn"), "--json"),
        (("plan", "--agent", "12"), "101 to 999999"),
        (("plan", "--at", "yesterday"), "2026-01-31T09:30:00Z"),
        (("plan", "--at", "2026-01-31T09:30:00"), "time zone"),
        (("plan", "--reassert-older-than", "soon"), "12h"),
        (("plan", "--channel", "whatsap"), "whatsapp"),
        (("plan", "--allow-changes", "-1"), "--allow-changes"),
        (("plan", "demo", "--team", "eats"), "did you mean 'east'?"),
        (("plan", "demo", "--agent", "9001"), "9001"),
        (("schema", "flet"), "fleet"),
        (("apply", "demo", "--allow-shrink", "--yes"), "--plan FILE"),
        (("apply", "demo", "--plan", "p.json", "--team", "east"), "--plan has its own selection"),
        (("plan", "nowhere"), "nowhere"),
        (("plan", "demmo"), "did you mean demo?"),
        (("validate",), "did you mean demo?"),
        (("plan", "demo/fleet.yaml"), "name the directory it stands in"),
        (("diff", "demo"), "did you mean 'plan'?"),
        (("apply", "demo", "--auto-approve"), "--yes approves without asking"),
        (("apply", "demo", "--dry-run"), "`reconciler plan` shows what apply would do"),
        (("rollback", "f.json", "demo", "--dry-run"), "--preview shows what rollback would do"),
        (("plan", "demo", "--agent", "1001", "1002"), "--agent 1001,1003-1050"),
        (("plan", "demo", "--team", "east,west"), "--team once for each team"),
        (("apply", "demo", "--plan"), "see `reconciler apply --help`"),
        (("state", "lst"), "no command 'lst'; did you mean 'list'?"),
        (("rollback", "nowhere.json", "demo"), "nowhere.json cannot be read"),
        (("plan", "demo", "--report", "html=/dev/full"), "or to standard output with -"),
        (("simulate", "--fault", "nonsense"), "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_command_line_exits_3_and_says_what_is_right(
    site: Site, arguments: tuple[str, ...], advice: str
) -> None:
    ended = site.run(*arguments)

    assert (ended.code, ended.out) == (3, "")
    assert advice in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("version",),
        ("validate", "demo"),
        ("validate", "nowhere"),
        ("plan", "demo"),
        ("plan", "nowhere"),
        ("plan", "demo", "--mistyped"),
        ("nonsense",),
        ("apply", "demo"),
        ("apply", "demo", "--yes"),
        ("apply", "demo", "--plan", "nowhere.json"),
        ("show", "nowhere.json"),
        ("state", "list", "demo"),
        ("state", "show", "demo", "--team", "nobody"),
        ("schema",),
        ("schema", "fleet"),
        ("schema", "nonsense"),
    ],
    ids=" ".join,
)
def test_with_json_stdout_is_exactly_one_document_whatever_happens(site: Site, arguments: tuple[str, ...]) -> None:
    ended = site.run(*arguments, "--json")

    document = ended.document
    assert document.get("exit_code", ended.code) == ended.code
    if ended.code != 0:
        assert document["diagnostics"], "a failure says why"


def test_an_error_in_the_document_carries_the_exit_code_in_words(site: Site) -> None:
    document = site.run("show", "nowhere.json", "--json").document

    assert (document["exit_code"], document["exit_reason"]) == (3, "invalid-input")
    assert document["diagnostics"][0]["severity"] == "error"


def test_a_bug_of_ours_exits_1_with_a_trace_of_places_and_without_the_words_of_the_exception(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode() -> str:
        raise KeyError(SECRET)

    monkeypatch.setattr("platform.python_version", explode)

    ended = site.run("version", "--json")

    assert ended.code == ended.document["exit_code"] == ExitCode.BUG
    assert SECRET not in ended.err + ended.out
    assert "test_border.py" in ended.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["interrupt", "abort"])
def test_an_interrupt_exits_130(site: Site, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def interrupt() -> str:
        raise error

    monkeypatch.setattr("platform.python_version", interrupt)

    ended = site.run("version", "--json")

    assert ended.code == ended.document["exit_code"] == ExitCode.INTERRUPTED


def test_an_interrupt_while_the_command_is_loaded_leaves_a_document_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = importlib.import_module

    def interrupt(name: str) -> ModuleType:  # nobody else's: other threads of the test's process load modules too
        if name == "reconciler.cli.commands.version":
            raise KeyboardInterrupt
        return load(name)

    monkeypatch.delitem(sys.modules, "reconciler.cli.commands.version", raising=False)
    monkeypatch.setattr("importlib.import_module", interrupt)

    ended = site.run("version", "--json")

    assert ended.code == ended.document["exit_code"] == ExitCode.INTERRUPTED


def test_another_complaint_of_the_parser_exits_3(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def complain() -> str:
        raise click.FileError("plan.json", "no such thing")

    monkeypatch.setattr("platform.python_version", complain)

    assert site.run("version").code == ExitCode.INVALID_INPUT


def test_a_reader_who_goes_away_is_no_error(site: Site) -> None:
    command = f"{sys.executable} -m reconciler schema fleet"
    process = subprocess.Popen(command.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=site.work)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, b"")


def test_the_version_flag_and_the_version_command_agree(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    flag = site.run("--version")
    shown = flag.out or capsys.readouterr().out

    assert shown.split()[:2] == site.run("version").out.split()[:2]


def test_the_module_is_the_command(site: Site) -> None:
    arguments = [sys.executable, "-m", "reconciler", "validate", "demo"]
    ended = subprocess.run(arguments, cwd=site.work, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 0
    assert ended.stdout.startswith("Valid: site demo, 5 agents in 2 teams")


def test_simulate_prints_one_line_of_json_and_ends_at_sigterm(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "reconciler", "simulate", "--port", "0", "--sign-in", "1001-1003"]
    process = subprocess.Popen(
        [*arguments, "--ca-out", "ca.pem", "--sessions-out", "sessions.json"], stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)

    assert (process.returncode, rest) == (0, b"")
    assert facts["url"] == f"https://127.0.0.1:{facts['port']}"
    assert len(json.loads((tmp_path / "sessions.json").read_text())) == 3


def test_the_help_lists_every_command_that_can_be_run() -> None:
    context = click.Context(cli)

    assert cli.list_commands(context)
    assert all(cli.get_command(context, name) is not None for name in cli.list_commands(context))
    assert cli.get_command(context, "nonsense") is None


def test_a_file_that_is_far_too_large_is_not_read_as_a_plan(site: Site) -> None:
    with (site.work / "huge.json").open("wb") as file:
        file.truncate((1 << 30) + 1)  # sparse: it takes no room on the disk

    ended = site.run("show", "huge.json")

    assert ended.code == 3
    assert "1 GiB" in ended.err
    assert "name the plan or outcome file" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [("plan", "demo", "--out", "--json"), ("plan", "demo", "--", "--json")],
    ids=["a-value", "behind-dashes"],
)
def test_json_as_a_value_is_no_flag(site: Site, arguments: tuple[str, ...]) -> None:
    assert not site.run(*arguments).out.startswith("{")


def test_a_result_that_cannot_be_written_exits_3_without_a_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "reconciler", "version"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=30)

    assert ended.returncode == 3
    assert "cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sigterm_ends_a_command_as_an_interrupt_does(site: Site) -> None:
    os.mkfifo(site.work / "plan.json")
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "show", "plan.json", "--json"],
        cwd=site.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (site.work / "plan.json").open("wb"):  # opens once the command has opened it, which now waits for bytes
        process.terminate()
        out, _ = process.communicate(timeout=30)

    assert process.returncode == json.loads(out)["exit_code"] == 130


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [(0, "apply demo", 3), (1, "plan demo", 0), (2, "plan demo", 0), (2, "plan nowhere", 3)],
    ids=["stdin", "stdout", "stderr", "stderr-of-a-failure"],
)
def test_a_stream_closed_from_the_start_is_no_bug(site: Site, closed: int, arguments: str, code: int) -> None:
    command = f"exec {sys.executable} -m reconciler {arguments} {closed}{'<' if closed == 0 else '>'}&-"
    ended = subprocess.run(["/bin/sh", "-c", command], cwd=site.work, capture_output=True, check=False, timeout=30)

    assert ended.returncode == code


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300], ids=["path-too-long", "name-too-long"])
def test_an_environment_whose_name_no_system_takes_exits_3(site: Site, name: str) -> None:
    assert site.run("plan", name).code == 3


def test_a_directory_that_is_gone_exits_3(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; exec {sys.executable} -m reconciler plan ."
    ended = subprocess.run(["/bin/sh", "-c", command], cwd=gone, capture_output=True, check=False, timeout=30)

    assert ended.returncode == 3


def test_a_plan_is_never_saved_over_something_that_is_no_file(site: Site) -> None:
    os.mkfifo(site.work / "pipe")

    ended = site.run("plan", "demo", "--out", "pipe")

    assert ended.code == 3
    assert "is not a file" in ended.err
    assert (site.work / "pipe").is_fifo()
