"""A stand-in for GitLab: its API over HTTP, as far as our component asks it, and a runner for the component's jobs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from pipelines.github import git
from support.checkout import GIT_ENVIRONMENT

COMPONENT = Path(__file__).resolve().parent.parent.parent / "templates" / "reconciler.yml"
PREFIX = "/api/v4/projects/42/"
_INPUT = re.compile(r"\$\[\[ inputs\.(\w+) \]\]")

Document = dict[str, Any]


def component(given: Mapping[str, str] | None = None) -> Document:
    """Return the component's jobs, its inputs put in."""
    header, body = COMPONENT.read_text().split("\n---\n")
    inputs = yaml.safe_load(header)["spec"]["inputs"]
    values = {**{name: each["default"] for name, each in inputs.items()}, **(given or {})}
    jobs: Document = yaml.safe_load(_INPUT.sub(lambda match: values[match[1]], body))
    return jobs


@dataclass(slots=True)
class GitlabHost:
    """The host: what its API answers, and what it has been told."""

    folder: Path
    repository: Path
    url: str = ""
    answers: dict[str, object] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def job(self, name: str, *, sha: str, variables: Mapping[str, str]) -> tuple[int, str, Path]:
        """Carry out a job at a commit; return its exit code, its log and its workspace."""
        jobs = component()
        hidden, job = jobs[".reconciler"], jobs[name]
        assert job["extends"] == ".reconciler"
        workspace = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        workspace.mkdir(parents=True)
        git(workspace, "init", "--quiet")
        git(workspace, "remote", "add", "origin", self.repository.as_uri())
        git(workspace, "fetch", "--quiet", "origin", sha)
        git(workspace, "checkout", "--quiet", "--detach", sha)
        environ = {
            **GIT_ENVIRONMENT,
            "PATH": f"{self._programs()}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(workspace),
            "CI_PROJECT_ID": "42",
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_COMMIT_SHA": sha,
            "CI_DEFAULT_BRANCH": "main",
            **{key: str(value) for key, value in hidden["variables"].items()},
            **variables,
        }
        script = "\n".join([*hidden["before_script"], *job["script"]])
        ended = subprocess.run(
            ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
            cwd=workspace,
            env=environ,
            input=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return ended.returncode, f"{ended.stdout}{ended.stderr}", workspace

    def _programs(self) -> Path:
        programs = self.folder / "bin"
        if not programs.exists():
            programs.mkdir()
            pip = f'#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then exit 0; fi\nexec "{sys.executable}" "$@"\n'
            ours = f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n'
            for name, text in (("python", pip), ("reconciler", ours)):
                (programs / name).write_text(text)
                (programs / name).chmod(0o755)
        return programs


def zipped(folder: Path, name: str) -> bytes:
    """Return a directory of a workspace as the archive of a job's artifacts."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for file in sorted((folder / name).iterdir()):
            archive.write(file, f"{name}/{file.name}")
    return data.getvalue()


@contextmanager
def served(host: GitlabHost) -> Iterator[GitlabHost]:
    """Serve the host's API on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            host.tokens.add(self.headers["PRIVATE-TOKEN"])
            if path.path == f"{PREFIX}issues":
                assert parse_qs(path.query)["state"] == ["opened"]
                self._say(json.dumps([each for each in host.issues if each["open"]]).encode())
                return
            answer = host.answers.get(self.path.removeprefix(PREFIX))
            if answer is None:
                self.send_error(404)
            else:
                self._say(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def do_POST(self) -> None:
            host.issues.append({"iid": len(host.issues) + 1, "open": True, **self._form()})
            self._say(b"{}")

        def do_PUT(self) -> None:
            (issue,) = (each for each in host.issues if self.path == f"{PREFIX}issues/{each['iid']}")
            form = self._form()
            issue["open"] = form.pop("state_event", "") != "close"
            issue.update(form)
            self._say(b"{}")

        def _form(self) -> dict[str, str]:
            data = self.rfile.read(int(self.headers["Content-Length"])).decode()
            return {name: values[0] for name, values in parse_qs(data).items()}

        def _say(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join(10)
