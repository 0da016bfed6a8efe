"""`--ci github`: what a step leaves behind, in the files and the log that the host reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.test_plan import record
from report.runner import obeyed
from report.test_step_outputs import read_outputs
from support.site import Site, run_in

_MOST = 1024 * 1024


class Step:
    """A step of a workflow: the files that the host has made for it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.output, self.summary = directory / "output", directory / "summary"
        for name, file in (("GITHUB_OUTPUT", self.output), ("GITHUB_STEP_SUMMARY", self.summary)):
            file.write_text("")
            monkeypatch.setenv(name, str(file))

    @property
    def outputs(self) -> dict[str, str]:
        return read_outputs(self.output.read_text())


@pytest.fixture
def step(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Step:
    return Step(tmp_path_factory.mktemp("step"), monkeypatch)


def test_a_plan_leaves_its_numbers_and_its_page(site: Site, step: Step) -> None:
    ended = site.run("plan", "demo", "--out", "plan.json", "--ci", "github")
    saved = json.loads((site.work / "plan.json").read_text())
    assert (step.outputs["changes"], step.outputs["set"], step.outputs["forget"]) == ("5", "5", "0")
    assert (saved["fingerprint"], "plan.json") == (step.outputs["fingerprint"], step.outputs["plan"])
    assert step.summary.read_text().startswith("## Plan for site `demo`")
    assert obeyed(ended.out + ended.err) == []


def test_a_refused_plan_leaves_the_reason(site: Site, step: Step) -> None:
    record(site)
    site.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 1")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 5")
    ended = site.run("plan", "demo", "--ci", "github")
    assert ended.code == 5
    assert "max_changed_agents: 5" in step.outputs["refusal"]
    (command,) = obeyed(ended.err)
    assert (command.name, command.properties["file"]) == ("error", "demo/site.yaml")


def test_files_that_are_wrong_are_annotated(site: Site, step: Step) -> None:
    site.edit("fleet.yaml", "total: 12", "total: twelve")
    ended = site.run("validate", "demo", "--ci", "github")
    (command,) = obeyed(ended.err)
    assert {"file": "demo/fleet.yaml", "line": "4"}.items() <= command.properties.items()
    assert (step.outputs["exit_code"], step.outputs["exit_reason"]) == ("3", "invalid-input")
    assert "total" in step.outputs["refusal"]


def test_no_name_in_the_yaml_is_an_order_to_the_host(site: Site, step: Step) -> None:
    orders = ("::add-mask::demo", "##[add-mask]demo", "\\n::stop-commands::x", "\\nchanges=0", "a,line=1::x", "%0A::x")
    for number, order in enumerate(orders):
        site.write(
            f"::add-mask::{number}##[group]x.yaml", f'team: "{order}"\nagents: {{"{order}": {{"{order}": 1}}}}\n'
        )
    for stdout in ([], ["--json"], ["--report", "markdown=-"], ["--report", "sarif=-"], ["--report", "junit=-"]):
        ended = run_in(site.root, "validate", ".", *stdout, "--ci", "github")
        assert ended.code == 3
        commands = obeyed(ended.out + ended.err)
        assert [command.name for command in commands] == ["error"] * 10
        assert {"file", "line", "col", "title"} >= {name for command in commands for name in command.properties}
        assert "add-mask" in ended.out
        assert {"exit_code", "exit_reason", "refusal"} == set(step.outputs)


def test_commands_of_one_step_add_to_one_another(site: Site, step: Step) -> None:
    site.run("validate", "demo", "--ci", "github")
    site.run("plan", "demo", "--ci", "github")
    titles = [line for line in step.summary.read_text().splitlines() if line.startswith("## ")]
    assert titles == ["## `validate` of `demo`", "## Plan for site `demo`"]


def test_a_summary_takes_no_more_than_the_host_takes_of_a_step(site: Site, step: Step) -> None:
    step.summary.write_text("x" * (_MOST - 3000))
    site.run("plan", "demo", "--ci", "github")
    size = step.summary.stat().st_size
    assert _MOST - 3000 < size <= _MOST
    site.run("plan", "demo", "--ci", "github")
    assert size == step.summary.stat().st_size  # no room for another page, and so none of half a page


def test_a_host_without_summaries_gets_the_rest(site: Site, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert site.run("plan", "demo", "--ci", "github").code == 0
    assert step.outputs["changes"] == "5"


def test_outside_a_workflow_it_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    ended = site.run("plan", "demo", "--ci", "github")
    assert (ended.code, "GITHUB_OUTPUT is not set" in ended.err) == (3, True)


def test_a_file_of_the_host_that_cannot_be_written_is_told_and_the_other_is_written(site: Site, step: Step) -> None:
    step.output.unlink()
    step.output.mkdir()
    ended = site.run("plan", "demo", "--ci", "github")
    assert (ended.code, "cannot be written" in ended.err) == (3, True)
    assert step.summary.read_text().startswith("## Plan")
    assert "Plan: 5 set" in ended.out
