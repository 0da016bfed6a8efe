"""An environment on disk and the command line run over it, as a user would."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli import main
from support.rehearsal import RehearsalServer

SITE = """\
name: demo
gateway:
  url: {url}
  ca_file: ca.pem
  requests_per_second: 1000
guardrails: {{max_changed_percent: null}}
"""

FLEET = """\
team: east
profiles:
  chat:
    total: 12
    channels: {web_chat: 6, sms: 4}
agents:
  1001: {profile: chat}
  1002: {profile: chat, channels: {whatsapp: 2}}
  1003-1005: {profile: chat, team: night}
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def last_line(self) -> str:
        """The greppable line."""
        return self.out.rstrip("\n").rpartition("\n")[2]


def run_in(directory: Path, *arguments: str) -> Ended:
    """Run `reconciler ARGUMENTS` in `directory`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(directory), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Ended(code, out.getvalue(), err.getvalue())


class Site:
    """A directory with an environment in `demo`, beside which commands run."""

    def __init__(self, work: Path, *, url: str = "https://127.0.0.1:1") -> None:
        """Write a small valid environment."""
        self.work = work
        self.root = work / "demo"
        self.root.mkdir()
        self.write("site.yaml", SITE.format(url=url))
        self.write("fleet.yaml", FLEET)

    def write(self, name: str, text: str) -> Path:
        """Write one file of the environment."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def run(self, *arguments: str) -> Ended:
        """Run `reconciler ARGUMENTS` in the directory above the environment."""
        return run_in(self.work, *arguments)

    @property
    def state(self) -> dict[str, Any]:
        """The state file, parsed."""
        value: dict[str, Any] = json.loads((self.root / "state.json").read_text())
        return value


@contextlib.contextmanager
def live_site(work: Path, server: RehearsalServer) -> Iterator[Site]:
    """Yield an environment whose gateway is `server` and whose sessions file knows everyone signed in there."""
    site = Site(work, url=server.url)
    shutil.copyfile(server.ca_file, site.root / "ca.pem")  # named relatively, as in a real repository
    publish_sessions(site, server)
    yield site


def publish_sessions(site: Site, server: RehearsalServer) -> None:
    """Write the sessions alive at `server` into the sessions file, as a site's own tooling would."""
    sessions = server.call(lambda gateway: [session.document() for session in gateway.sessions()])
    site.write("sessions.json", json.dumps(sessions))
