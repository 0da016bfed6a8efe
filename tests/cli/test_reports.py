"""`--report` and `show --format`: what is written, when, and what is never written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.test_plan import record
from support.site import Site

from reconciler.report import ALL_FORMATS, FILE_FORMATS, MAX_CHARS, RUN_FORMATS, Format


def _flags(formats: tuple[Format, ...]) -> list[str]:
    return [word for each in formats for word in ("--report", f"{each}=report.{each}")]


def _require_same_when_shown(site: Site, formats: tuple[Format, ...]) -> None:
    """What was written as the command ended is what `show` makes of its document, in every format."""
    for each in formats:
        shown = site.run("show", "report.json", "--format", each)
        assert (shown.code, shown.err) == (0, "")
        assert (site.work / f"report.{each}").read_bytes().decode() == shown.out


def test_a_plan_is_reported_in_every_format_as_show_reports_its_document_later(site: Site) -> None:
    record(site)
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 0")
    ended = site.run("plan", "demo", *_flags(ALL_FORMATS))
    assert ended.out == (site.work / "report.text").read_text()
    _require_same_when_shown(site, ALL_FORMATS)


def test_a_refused_plan_is_reported_like_any_other(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 1")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 5")
    assert site.run("plan", "demo", *_flags(ALL_FORMATS)).code == 5
    _require_same_when_shown(site, ALL_FORMATS)
    assert "--allow-changes 5" in (site.work / "report.markdown").read_text()
    assert "::error file=demo/site.yaml" in (site.work / "report.annotations").read_text()


def test_a_saved_plan_is_shown_in_every_format(site: Site) -> None:
    site.run("plan", "demo", "--out", "plan.json")
    saved = (site.work / "plan.json").read_text()
    assert saved == site.run("show", "plan.json", "--format", "json").out
    for each in ALL_FORMATS:
        assert site.run("show", "plan.json", "--format", each).code == 0


@pytest.mark.parametrize("broken", [False, True], ids=["valid", "broken"])
def test_validate_is_reported_in_every_format_for_files(site: Site, broken: bool) -> None:
    if broken:
        site.edit("fleet.yaml", "total: 12", "total: twelve")
    assert site.run("validate", "demo", *_flags(FILE_FORMATS)).code == (3 if broken else 0)
    _require_same_when_shown(site, FILE_FORMATS)


def test_a_run_that_failed_before_the_first_call_is_reported_too(site: Site) -> None:
    site.edit("site.yaml", "  ca_file: ca.pem\n", "")
    site.run("plan", "demo", "--out", "plan.json")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 5")
    ended = site.run("apply", "demo", "--plan", "plan.json", *_flags(RUN_FORMATS))
    assert ended.code == 6
    assert "+" in (site.work / "report.markdown").read_text().partition("```diff")[2]
    _require_same_when_shown(site, RUN_FORMATS)


@pytest.mark.parametrize("command", ["plan", "validate", "apply"])
def test_what_fails_for_a_mistake_in_the_files_leaves_its_report(site: Site, command: str) -> None:
    site.edit("fleet.yaml", "total: 12", "total: twelve")
    yes = ["--yes"] if command == "apply" else []
    assert site.run(command, "demo", *yes, "--report", "json=report.json").code == 3
    assert json.loads((site.work / "report.json").read_text())["diagnostics"][0]["line"] == 4


def test_a_selection_that_names_nobody_leaves_its_report(site: Site) -> None:
    assert site.run("plan", "demo", "--team", "nigth", "--report", "markdown=report.md").code == 3
    assert "did you mean 'night'?" in (site.work / "report.md").read_text()


def test_a_dash_puts_the_report_in_the_place_of_the_text(site: Site) -> None:
    site.edit("fleet.yaml", "total: 12", "total: 3")
    ended = site.run("validate", "demo", "--report", "codequality=-")
    assert {"channel-above-total", "sum-above-total"} == {each["check_name"] for each in json.loads(ended.out)}
    assert "warning" in ended.err  # the problems are nowhere else in words


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        pytest.param(["--report", "markdwon=x"], "did you mean 'markdown'?", id="misspelt"),
        pytest.param(["--report", "terraform=x"], "makes no sense of this command", id="not-of-this-command"),
        pytest.param(["--report", "markdown"], "write markdown=FILE", id="no-file"),
        pytest.param(["--report", "markdown="], "write markdown=FILE", id="empty-file"),
        pytest.param(
            ["--report", "markdown=-", "--report", "sarif=-"], "stdout carries one document", id="two-on-stdout"
        ),
        pytest.param(["--report", "markdown=-", "--json"], "stdout carries one document", id="json-on-stdout"),
        pytest.param(["--report", "markdown=a", "--report", "sarif=./a"], "named twice", id="one-file-twice"),
        pytest.param(["--report", "markdown=none/a"], "no directory", id="no-directory"),
        pytest.param(["--report", "markdown=demo"], "is not a file", id="a-directory"),
        pytest.param(["--report", f"markdown={'x' * 300}"], "File name too long", id="too-long"),
        pytest.param(["--report", "markdown=a", "--max-chars", "1999"], "give at least 2000", id="too-few"),
        pytest.param(["--report", "json=demo/fleet.yaml"], "which is read", id="yaml"),
        pytest.param(["--report", "json=demo/new.yml"], "which is read", id="new-yaml"),
        pytest.param(["--report", "json=demo/sessions.json"], "which is read", id="sessions"),
        pytest.param(["--report", "json=demo/state.json"], "which is read", id="state"),
        pytest.param(["--report", "json=demo/state.json.journal"], "which is read", id="journal"),
        pytest.param(["--report", "json=demo/ca.pem"], "would overwrite ca.pem", id="named-in-site-yaml"),
    ],
)
def test_a_report_that_cannot_be_meant_is_refused_and_nothing_written(site: Site, flags: list[str], words: str) -> None:
    before = {path: path.read_bytes() for path in site.work.rglob("*") if path.is_file()}
    ended = site.run("validate", "demo", *flags)
    assert ended.code == 3
    assert words in " ".join(ended.err.split()) + ended.out
    assert before == {path: path.read_bytes() for path in site.work.rglob("*") if path.is_file()}


def test_a_report_never_overwrites_the_state_whatever_the_site_calls_it(site: Site) -> None:
    site.edit("site.yaml", "name: demo", "name: demo\nstate: {backend: local, path: ../kept.json}")
    ended = site.run("plan", "demo", "--report", "json=kept.json")
    assert (ended.code, "would overwrite kept.json" in ended.err) == (3, True)
    assert not (site.work / "kept.json").exists()


def test_a_report_and_the_saved_plan_are_two_files(site: Site) -> None:
    ended = site.run("plan", "demo", "--out", "plan.json", "--report", "json=plan.json")
    assert (ended.code, "named twice" in ended.err) == (3, True)


def test_a_report_that_cannot_be_written_decides_the_exit_code_and_hides_no_result(site: Site) -> None:
    name = "x" * 252  # with what its new content is called at first, too long
    ended = site.run("plan", "demo", "--report", f"markdown={name}", "--report", "json=after.json")
    assert ended.code == 3
    assert "Plan: 5 set" in ended.out
    assert name[:20] in ended.err
    assert json.loads((site.work / "after.json").read_text())["exit_code"] == 0  # of the plan, which went well


def test_a_report_that_cannot_be_written_hides_no_graver_exit_code(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 1")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 5")
    assert site.run("plan", "demo", "--report", f"markdown={'x' * 252}").code == 5


def test_show_refuses_a_format_that_says_nothing_of_what_is_in_the_file(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "  ca_file: ca.pem\n", "")
    site.run("apply", "demo", "--yes", "--report", "json=outcome.json")  # nothing to do, and nobody is called
    assert "Apply:" in site.run("show", "outcome.json").out
    ended = site.run("show", "outcome.json", "--report", "terraform=t.json", "--report", "markdown=m.md")
    assert (ended.code, "makes no sense of the outcome of apply" in ended.err) == (3, True)
    assert not (site.work / "m.md").exists()


def test_markdown_takes_no_more_than_it_is_allowed(site: Site) -> None:
    site.write(
        "many.yaml",
        "agents:\n" + "".join(f"  {n}: {{total: {n % 59 + 1}, channels: {{sms: 1}}}}\n" for n in range(2000, 4000)),
    )
    site.run("plan", "demo", "--report", "markdown=short.md", "--max-chars", "2500")
    site.run("plan", "demo", "--report", "markdown=usual.md")
    short, usual = ((site.work / name).read_bytes() for name in ("short.md", "usual.md"))
    assert len(short) <= 2500 < len(usual) <= MAX_CHARS
    assert b"Shortened to fit" in short


def test_paths_are_those_of_the_repository_wherever_the_command_runs(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.edit("fleet.yaml", "total: 12", "total: twelve")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path.parent))
    site.run("validate", "demo", "--report", "annotations=a.txt")
    assert f"file={tmp_path.name}/demo/fleet.yaml,line=4" in (site.work / "a.txt").read_text()
