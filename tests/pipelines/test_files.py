"""The pipelines as files: valid for their hosts, pinned, with the least rights, and without a way in for a script."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipelines.github import workflow
from pipelines.gitlab import component
from support.counterparts import require_program

ROOT = Path(__file__).resolve().parent.parent.parent
ACTION = ROOT / "action.yml"
EXAMPLE = ROOT / "examples" / "gitops"
WORKFLOWS = sorted((EXAMPLE / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"(actions/[a-z-]+|example-org/reconciler)@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+")
BY_NAME = [pytest.param(path, id=path.stem) for path in WORKFLOWS]


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step of the action and of the workflows, with where it is."""
    for step in workflow(ACTION)["runs"]["steps"]:
        yield "action", step
    for path in WORKFLOWS:
        for name, job in workflow(path)["jobs"].items():
            yield from ((f"{path.stem}-{name}", step) for step in job["steps"])


def scripts() -> Iterator[Any]:
    """Yield every script of every host."""
    for number, (where, step) in enumerate(steps()):
        if "run" in step:
            yield pytest.param(step["run"], id=f"github-{where}-{number}")
    jobs = component()
    before = jobs[".reconciler"]["before_script"]
    for name, job in jobs.items():
        if "script" in job:
            yield pytest.param("\n".join([*before, *job["script"]]), id=f"gitlab-{name.partition(':')[2]}")


SCRIPTS = list(scripts())


def check(schema: str, *files: Path) -> None:
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files))
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_workflows_keep_to_githubs_schema() -> None:
    check("github-workflows", *WORKFLOWS)


def test_the_action_keeps_to_githubs_schema() -> None:
    check("github-actions", ACTION)


def test_the_component_and_the_example_keep_to_gitlabs_schema(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.yml"
    jobs.write_text(yaml.safe_dump(component()))
    check("gitlab-ci", jobs, EXAMPLE / ".gitlab-ci.yml")


def test_every_input_of_the_component_is_used_and_known() -> None:
    header, body = (ROOT / "templates" / "reconciler.yml").read_text().split("\n---\n")
    assert set(yaml.safe_load(header)["spec"]["inputs"]) == set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", body))


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    program = require_program("shellcheck", package="shellcheck")
    command = (program, "--shell", "bash", "--exclude", "SC2016", "-")  # what $'…' would expand is for jq and Python
    ended = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_has_anything_put_into_it_by_the_host(script: str) -> None:
    assert "${{" not in script
    assert "$[[" not in script


def test_every_foreign_action_is_githubs_own_and_pinned_by_commit_with_its_version_beside_it() -> None:
    for path in (ACTION, *WORKFLOWS):
        used = re.findall(r"uses: (.*)", path.read_text())
        assert used
        for line in used:
            assert PINNED.fullmatch(line), line


@pytest.mark.parametrize("path", BY_NAME)
def test_a_workflow_has_no_rights_but_those_a_job_asks_for(path: Path) -> None:
    document = workflow(path)
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        assert "write-all" not in str(job["permissions"]), name
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", BY_NAME)
def test_no_workflow_runs_a_strangers_change_with_our_rights(path: Path) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow(path)["on"])


def test_a_pull_request_is_planned_without_a_secret_or_a_right_to_write() -> None:
    path = EXAMPLE / ".github" / "workflows" / "plan.yml"
    assert "secrets." not in path.read_text()
    jobs = workflow(path)["jobs"]
    assert [jobs[name]["permissions"] for name in ("touched", "plan")] == [{"contents": "read"}] * 2
    writing = [step.get("uses", "") for step in jobs["comment"]["steps"]]
    assert not any(used.startswith("actions/checkout") for used in writing), "what may write never sees the YAML"


def test_secrets_are_handed_out_only_behind_an_environment() -> None:
    for path in WORKFLOWS:
        for job in workflow(path)["jobs"].values():
            assert ("secrets." in str(job)) <= ("environment" in job)


def test_the_job_of_a_merge_request_names_no_token() -> None:
    jobs = component()
    assert "TOKEN" not in str(jobs["reconciler:plan"])
    (rule,) = jobs["reconciler:plan"]["rules"]
    assert rule == {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}


def test_the_action_installs_itself_with_the_versions_of_the_lock(tmp_path: Path) -> None:
    (install,) = (step["run"] for where, step in steps() if step.get("name") == "Install reconciler")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncat "$PIP_CONSTRAINT"\necho "$@"\n')
    python.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ACTION_PATH": str(ROOT)}
    command = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", install)
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=30).stdout

    *constraints, words = said.splitlines()
    locked = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?(==\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert constraints == [f"{name}{version}" for name, version in locked]
    assert words == f"-m pip --quiet --disable-pip-version-check install {ROOT}"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (ROOT / "docs" / "pipelines.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_guide_shows_the_example_as_it_is() -> None:
    site, gitlab, action = blocks("yaml")
    assert site == f"# desired/north/site.yaml\n{(EXAMPLE / 'desired' / 'north' / 'site.yaml').read_text()}"
    assert gitlab == (EXAMPLE / ".gitlab-ci.yml").read_text()
    ((step,), known) = yaml.safe_load(action), workflow(ACTION)["inputs"]
    assert step["with"].keys() <= known.keys()
    assert PINNED.fullmatch(action.splitlines()[0].removeprefix("- uses: "))


def test_the_guide_names_every_input_and_output_of_the_action_and_the_component() -> None:
    guide = (ROOT / "docs" / "pipelines.md").read_text()
    action = workflow(ACTION)
    component_inputs = yaml.safe_load((ROOT / "templates" / "reconciler.yml").read_text().split("\n---\n")[0])["spec"][
        "inputs"
    ]
    names = [*action["inputs"], *action["outputs"], *component_inputs]
    assert [name for name in names if f"`{name}`" not in guide and f"{name}:" not in guide] == []


def test_the_hook_says_all_that_pre_commit_needs() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files"} <= hook.keys()
    assert hook["language"] == "python"
    used = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {each["id"] for each in used} == {hook["id"]}
