"""A stand-in for GitHub: a bare repository, runs with their artifacts, and a runner that carries out workflows.

It does what the host's documentation says a runner does with `run:` steps, expressions, outputs and artifacts, and
refuses whatever it does not know. Actions of GitHub's own are played; ours is carried out from `action.yml`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from pipelines.expressions import as_text, evaluate, filled_in
from support.checkout import GIT_ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = "example-org/reconciler@"
REPOSITORY = "example-org/contact-centre"

Document = dict[str, Any]


def workflow(path: Path) -> Document:
    """Return a workflow, an action or a hook as YAML, its key `on` left a word."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    if True in document:  # what YAML 1.1 makes of the word
        document["on"] = document.pop(True)
    return document


@dataclass(slots=True)
class Ran:
    """What became of one job."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass(slots=True)
class GithubHost:
    """The host, kept in a directory, where the program `gh` finds it too."""

    folder: Path
    repository: Path
    secrets: dict[str, str] = field(default_factory=dict)
    _runs: int = 100

    def __post_init__(self) -> None:
        """Make the programs that a runner has."""
        programs = self.folder / "bin"
        programs.mkdir(parents=True)
        python = f'#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then echo "pip $*"; exit 0; fi\nexec "{sys.executable}" "$@"\n'
        gh = f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("gh.py")}" "{self.folder}" "$@"\n'
        # What a comment sends is tried out in tests/review, against the host's own description of its API.
        dry = 'if [ "$1" = comment ]; then set -- "$@" --dry-run; fi'
        ours = f'#!/bin/sh\n{dry}\nexec "{sys.executable}" -m reconciler "$@"\n'
        for name, text in (("python", python), ("gh", gh), ("reconciler", ours)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)

    def answer(self, path: str, value: object) -> None:
        """Let `gh api PATH` answer with `value`."""
        file = self.folder / "api.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, path: value}))

    @property
    def issues(self) -> list[Document]:
        """The issues there are."""
        file = self.folder / "issues.json"
        return [] if not file.exists() else json.loads(file.read_text())

    def artifact(self, run: int, name: str) -> Path:
        """Return the directory of an artifact."""
        return self.folder / "artifacts" / str(run) / name

    def run(
        self, name: str, event: Document, *, event_name: str, sha: str, inputs: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, list[Ran]]]:
        """Carry out `.github/workflows/NAME.yml` as it is at the commit `sha`; return the run's number and its jobs."""
        self._runs += 1
        text = git(self.repository, "show", f"{sha}:.github/workflows/{name}.yml")
        file = self.folder / f"{name}-{self._runs}.yml"
        file.write_text(text)
        github = {
            "event": event,
            "event_name": event_name,
            "sha": sha,
            "repository": REPOSITORY,
            "token": "not-a-token",
            "workflow": name,
        }
        context = {"github": github, "inputs": dict(inputs or {}), "secrets": self.secrets}
        return self._runs, _Run(self, self._runs, workflow(file), context).carry_out()


class _Run:
    """One run of a workflow."""

    def __init__(self, host: GithubHost, number: int, document: Document, context: Document) -> None:
        self._host, self._number, self._document, self._context = host, number, document, context
        self._needs: dict[str, Document] = {}

    def carry_out(self) -> dict[str, list[Ran]]:
        """Carry out the jobs, each after those it needs: they stand in that order."""
        done: dict[str, list[Ran]] = {}
        for name, job in self._document["jobs"].items():
            done[name] = self._job(job)
            results = {each.result for each in done[name]}
            result = "failure" if "failure" in results else "success" if results == {"success"} else "skipped"
            outputs = done[name][0].outputs if done[name] else {}
            self._needs[name] = {"result": result, "outputs": outputs}
        return done

    def _job(self, job: Document) -> list[Ran]:
        asked = job.get("needs", [])
        needs = {name: self._needs[name] for name in ([asked] if isinstance(asked, str) else asked)}
        fine = all(each["result"] == "success" for each in needs.values())
        context = {**self._context, "needs": needs}
        if not _holds(job.get("if"), context, fine=fine):
            return [Ran("skipped")]
        matrix = job.get("strategy", {}).get("matrix", {"include": [{}]})
        if isinstance(matrix, str):
            words = matrix.strip().removeprefix("${{").removesuffix("}}")
            matrix = evaluate(words, _with_functions(context, fine=fine))
        rows = [{**context, "matrix": row} for row in matrix["include"]]
        return [_Job(self._host, self._number, job, row).carry_out() for row in rows]


def _holds(condition: str | None, context: Document, *, fine: bool) -> bool:
    if condition is None:
        return fine
    words = str(condition).strip().removeprefix("${{").removesuffix("}}")
    asks = any(f"{name}()" in words for name in ("always", "failure", "cancelled", "success"))
    return bool(evaluate(words, _with_functions(context, fine=fine))) and (fine or asks)


def _with_functions(context: Document, *, fine: bool) -> Document:
    functions: dict[str, Callable[..., Any]] = {
        "always": lambda: True,
        "success": lambda: fine,
        "failure": lambda: not fine,
        "fromJSON": json.loads,
        "format": lambda text, *words: str(text).format(*map(as_text, words)),
    }
    return {**context, "functions": functions}


class _Job:
    """One job, with a workspace of its own."""

    def __init__(self, host: GithubHost, number: int, job: Document, context: Document) -> None:
        self._host, self._number, self._job = host, number, job
        self._context = {**context, "steps": {}}
        self._files = Path(host.folder) / f"job-{number}-{len(list(host.folder.glob(f'job-{number}-*')))}"
        self._workspace = self._files / "workspace"
        self._workspace.mkdir(parents=True)
        self._ran = Ran("success")

    def carry_out(self) -> Ran:
        """Carry out the steps, and return what became of them."""
        self._steps(self._job["steps"], self._context, extra={})
        context = _with_functions(self._context, fine=self._ran.result == "success")
        declared = self._job.get("outputs", {})
        self._ran.outputs = {name: filled_in(value, context) for name, value in declared.items()}
        return self._ran

    def _steps(self, steps: list[Document], context: Document, *, extra: Mapping[str, str]) -> None:
        for step in steps:
            fine = self._ran.result == "success"
            if not _holds(step.get("if"), context, fine=fine):
                continue
            known = _with_functions(context, fine=fine)
            environ = {**extra, **{name: filled_in(str(value), known) for name, value in step.get("env", {}).items()}}
            outputs = self._step(step, known, environ)
            if "id" in step:
                context["steps"][step["id"]] = {"outputs": outputs}

    def _step(self, step: Document, context: Document, environ: Mapping[str, str]) -> dict[str, str]:
        if "run" in step:
            return self._script(filled_in(step["run"], context), environ)
        given = {name: filled_in(str(value), context) for name, value in step.get("with", {}).items()}
        action = step["uses"].partition("@")[0]
        if step["uses"].startswith(OURS):
            return self._ours(given, environ)
        played = {
            "actions/checkout": self._checkout,
            "actions/setup-python": lambda _given: None,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
        }[action]
        played(given)
        return {}

    def _ours(self, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
        action = workflow(ROOT / "action.yml")
        unknown = given.keys() - action["inputs"].keys()
        assert not unknown, f"the action has no input {unknown}"
        inputs = {name: given.get(name, str(each.get("default", ""))) for name, each in action["inputs"].items()}
        github = {**self._context["github"], "action_path": str(ROOT)}
        context = {"inputs": inputs, "github": github, "steps": {}}
        self._steps(action["runs"]["steps"], context, extra=environ)
        return {name: filled_in(each["value"], context) for name, each in action["outputs"].items()}

    def _script(self, script: str, environ: Mapping[str, str]) -> dict[str, str]:
        number = len(list(self._files.glob("*.sh")))
        file, output = self._files / f"{number}.sh", self._files / f"{number}.output"
        summary = self._files / f"{number}.summary"
        file.write_text(script)
        output.touch()
        event, event_file = self._context["github"], self._files / "event.json"
        event_file.write_text(json.dumps(event["event"]))
        around = {
            **GIT_ENVIRONMENT,
            "PATH": f"{self._host.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(self._workspace),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": event["event_name"],
            "GITHUB_EVENT_PATH": str(event_file),
            "GITHUB_API_URL": "https://api.github.example",
            "GITHUB_SHA": event["sha"],
            **environ,
        }
        command = ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(file))
        ended = subprocess.run(
            command, cwd=self._workspace, env=around, capture_output=True, text=True, check=False, timeout=120
        )
        self._ran.log += f"{ended.stdout}{ended.stderr}[exit code {ended.returncode}]\n"
        self._ran.summary += summary.read_text() if summary.exists() else ""
        if ended.returncode != 0:
            self._ran.result = "failure"
        return outputs_in(output.read_text())

    def _checkout(self, given: Mapping[str, str]) -> None:
        depth, sha = given.get("fetch-depth", "1"), self._context["github"]["sha"]
        git(self._workspace, "init", "--quiet")
        git(self._workspace, "remote", "add", "origin", self._host.repository.as_uri())
        shallow = () if depth == "0" else ("--depth", depth)
        git(self._workspace, "fetch", "--quiet", *shallow, "origin", sha)
        git(self._workspace, "checkout", "--quiet", "--detach", sha)

    def _upload(self, given: Mapping[str, str]) -> None:
        aim = self._host.artifact(self._number, given["name"])
        for pattern in given["path"].split():
            for file in self._workspace.glob(pattern):
                aim.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, aim / file.name)

    def _download(self, given: Mapping[str, str]) -> None:
        run = int(given.get("run-id", self._number))
        aim = self._workspace / given.get("path", ".")
        if "pattern" in given:
            for found in self._host.artifact(run, "x").parent.glob(given["pattern"]):
                shutil.copytree(found, aim / found.name)
            return
        found = self._host.artifact(run, given["name"])
        if found.is_dir():
            shutil.copytree(found, aim, dirs_exist_ok=True)
        else:
            self._ran.result = "failure"
            self._ran.log += f"no artifact {given['name']}\n"


def outputs_in(text: str) -> dict[str, str]:
    """Return the outputs in a step's output file."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark, value = line.partition("=")
        if "<<" in name or not mark:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(takewhile(delimiter.__ne__, lines))
        found[name] = value
    return found


def git(cwd: Path, *arguments: str) -> str:
    """Run Git as the host does."""
    ended = subprocess.run(
        ("git", *arguments), cwd=cwd, env=GIT_ENVIRONMENT, capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()
