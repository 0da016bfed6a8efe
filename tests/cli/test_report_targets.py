"""Where reports and saved plans may go: nowhere that something is read from, and a name that is none is no bug."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.site import Site

TOO_LONG = "x" * 300


@pytest.mark.parametrize("flag", ["--out", "--report=text"])
@pytest.mark.parametrize(
    "name",
    ["demo/site.yaml", "demo/new.yml", "demo/state.json", "demo/state.json.journal", "demo/sessions.json"],
)
def test_nothing_is_written_over_what_an_environment_reads(site: Site, flag: str, name: str) -> None:
    before = {file: file.read_bytes() for file in site.root.iterdir()}
    ended = site.run("plan", "demo", *_asking(flag, name))
    assert (ended.code, "which is read" in ended.err) == (3, True)
    assert {file: file.read_bytes() for file in site.root.iterdir()} == before


@pytest.mark.parametrize("flag", ["--out", "--report=text"])
def test_nothing_is_written_over_what_the_site_file_names(site: Site, flag: str) -> None:
    authorities = site.write("ca.pem", "a certificate")
    ended = site.run("plan", "demo", *_asking(flag, "demo/ca.pem"))
    assert (ended.code, "belongs to the environment" in ended.err) == (3, True)
    assert authorities.read_text() == "a certificate"


@pytest.mark.parametrize("flag", ["--out", "--report=text"])
@pytest.mark.parametrize("name", ["errored-state.json", "errored-state-demo-7.json", "rollback-demo-0.json"])
def test_nothing_is_written_over_what_a_run_leaves_for_its_rescue(site: Site, flag: str, name: str) -> None:
    ended = site.run("plan", "demo", *_asking(flag, name))
    assert (ended.code, "its way back" in ended.err) == (3, True)
    assert not (site.work / name).exists()


@pytest.mark.parametrize("flag", ["--out", "--report=text"])
@pytest.mark.parametrize("name", ["loop", TOO_LONG, f"{TOO_LONG}/x", "missing/x", "demo", "pipe", "/dev/full"])
def test_a_name_that_can_be_no_file_is_refused_before_anything_is_read(site: Site, flag: str, name: str) -> None:
    (site.work / "loop").symlink_to("loop")
    os.mkfifo(site.work / "pipe")
    (site.root / "site.yaml").write_text("nonsense: [")
    ended = site.run("plan", "demo", *_asking(flag, name))
    assert ended.code == 3
    assert "see `reconciler plan --help`" in ended.err


@pytest.mark.parametrize("command", ["plan", "validate", "environments"])
def test_an_environment_that_is_a_link_to_itself_is_a_mistake_and_no_bug(site: Site, command: str) -> None:
    (site.work / "loop").symlink_to("loop")
    assert site.run(command, "loop").code == 3


def test_a_report_does_not_take_the_file_from_under_standard_output(site: Site) -> None:
    with (site.work / "told").open("w") as told:
        words = [sys.executable, "-m", "reconciler", "plan", "demo", "--report", "json=told"]
        ended = subprocess.run(words, cwd=site.work, stdout=told, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ended.returncode, b"told is where stdout goes" in ended.stderr) == (3, True)


def test_reports_are_written_from_a_directory_that_is_gone(site: Site) -> None:
    gone = site.work / "gone"
    gone.mkdir()
    script = 'rmdir ../gone && exec "$0" -m reconciler plan "$1" --report "sarif=$2"'
    words = ["sh", "-c", script, sys.executable, str(site.root), str(site.work / "log.sarif")]
    ended = subprocess.run(words, cwd=gone, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, (site.work / "log.sarif").exists()) == (0, True)


def test_a_report_named_from_a_directory_that_is_gone_is_refused(site: Site) -> None:
    gone = site.work / "gone"
    gone.mkdir()
    script = 'rmdir ../gone && exec "$0" -m reconciler plan "$1" --report sarif=log'
    words = ["sh", "-c", script, sys.executable, str(site.root)]
    ended = subprocess.run(words, cwd=gone, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, b"log cannot be written" in ended.stderr) == (3, True)


def test_the_outputs_of_a_step_take_a_plan_whose_name_is_not_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = site.work / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    ended = site.run("plan", "demo", "--ci", "github", "--out", os.fsdecode(b"p\xff\nexit_code=9"))
    assert ended.code == 0
    assert "p\\udcff\nexit_code=9\nend" in outputs.read_text()


@pytest.mark.parametrize("summary", [TOO_LONG, "outputs/below", "loop", "demo"])
def test_a_summary_that_cannot_be_written_costs_neither_the_outputs_nor_the_result(
    site: Site, monkeypatch: pytest.MonkeyPatch, summary: str
) -> None:
    (site.work / "loop").symlink_to("loop")
    monkeypatch.setenv("GITHUB_OUTPUT", str(site.work / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(site.work / summary))
    ended = site.run("plan", "demo", "--ci", "github")
    assert (ended.code, "cannot be written" in ended.err) == (3, True)
    assert ended.last_line.startswith("Plan: 5 set")
    assert "changes<<end" in (site.work / "outputs").read_text()


def test_a_state_at_the_root_of_the_file_system_is_refused_in_words(site: Site) -> None:
    site.edit("site.yaml", "name: demo", "name: demo\nstate: {backend: local, path: /}")
    ended = site.run("plan", "demo")
    assert (ended.code, "must name a file" in ended.err) == (10, True)


def _asking(flag: str, name: str) -> list[str]:
    word, equals, format_ = flag.partition("=")
    return [word, f"{format_}={name}" if equals else name]


def test_a_plan_and_a_report_are_never_one_file(site: Site) -> None:
    (site.work / "other").symlink_to("plan.json")
    ended = site.run("plan", "demo", "--out", "plan.json", "--report", "text=other")
    assert (ended.code, "named twice" in ended.err) == (3, True)
    assert not Path(site.work / "plan.json").exists()


def test_a_report_leaves_alone_what_another_run_prepares_for_the_same_file(site: Site) -> None:
    theirs = site.work / ".plan.md.tmp"
    theirs.write_text("half")
    ended = site.run("plan", "demo", "--report", "markdown=plan.md", "--out", "plan.json")
    assert (ended.code, theirs.read_text()) == (0, "half")
    assert {file.name for file in site.work.iterdir()} == {"demo", "plan.md", ".plan.md.tmp", "plan.json"}


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
@pytest.mark.parametrize("command", [["show"], ["apply", "demo", "--yes", "--plan"]], ids=["show", "apply"])
def test_a_device_is_no_document_and_is_not_read(site: Site, command: list[str], device: str) -> None:
    ended = site.run(*command, device)
    assert (ended.code, f"{device} is a device" in ended.err) == (3, True)
