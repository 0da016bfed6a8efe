"""The example repository on a stand-in host, with a rehearsal gateway behind its environment `north`."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.github import GithubHost
from support.checkout import Checkout
from support.rehearsal import RehearsalServer

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "gitops"
NORTH = range(1001, 1021)


@dataclass(slots=True)
class Repository:
    """The example, cloned from a bare repository, which is all the host has of it."""

    checkout: Checkout
    bare: Path
    sessions: Path
    server: RehearsalServer
    _number: int = 0

    def edit(self, old: str, new: str, *, name: str = "desired/north/fleet.yaml") -> None:
        """Change a text of the work tree that must be there."""
        file = self.checkout.top / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def publish_sessions(self) -> None:
        """Let the sessions alive now be known."""
        sessions = self.server.call(lambda gateway: [session.document() for session in gateway.sessions()])
        self.sessions.write_text(json.dumps(sessions))

    def propose(self, message: str = "Change something") -> tuple[str, str]:
        """Push the work tree as a pull request; return its head, and the merge that the host makes to try it."""
        self._number += 1
        branch = f"change-{self._number}"
        self.checkout.git("checkout", "--quiet", "-b", branch)
        head = self.checkout.commit(message)
        self.checkout.git("checkout", "--quiet", "--detach", "main")
        self.checkout.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        merge = self.checkout.git("rev-parse", "HEAD")
        pull = f"refs/pull/{self._number}"
        self.checkout.git("push", "--quiet", "origin", f"{head}:{pull}/head", f"{merge}:{pull}/merge")
        self.checkout.git("checkout", "--quiet", "main")
        return head, merge

    def merge(self, head: str) -> tuple[str, str]:
        """Merge a pull request as one commit, its own and no more; return main before and after."""
        before = self.checkout.git("rev-parse", "main")
        self.checkout.git("merge", "--quiet", "--squash", head)
        after = self.checkout.commit("Merge what was proposed")
        self.push()
        return before, after

    def push(self) -> None:
        """Push main."""
        self.checkout.git("push", "--quiet", "origin", "main")

    @property
    def calls(self) -> int:
        """How many calls the gateway has had."""
        count = self.server.call(lambda gateway: gateway.requests_document())["total"]
        assert isinstance(count, int)
        return count

    def values(self, agent: int) -> dict[str, object]:
        """Return what the gateway has of an agent."""
        document = self.server.call(lambda gateway: dict(gateway.agents_document()))
        found: dict[str, object] = document[str(agent)]
        return found


def repository(folder: Path, server: RehearsalServer) -> Repository:
    """Return the example, its gateway `north` the rehearsal one, everybody of it recorded as desired."""
    bare, top = folder / "host.git", folder / "clone"
    shutil.copytree(EXAMPLE, top)
    checkout = Checkout(top)
    checkout.git("init", "--quiet", "--bare", str(bare))
    checkout.git("--git-dir", str(bare), "config", "uploadpack.allowAnySHA1InWant", "true")
    checkout.git("remote", "add", "origin", bare.as_uri())
    made = Repository(checkout, bare, folder / "sessions.json", server)
    shutil.copy(server.ca_file, top / "ca.pem")
    site = top / "desired" / "north" / "site.yaml"
    lines = [line for line in site.read_text().splitlines() if not line.startswith("sessions:")]
    text = "\n".join(lines).replace("https://cc-gateway.north.example:8043", server.url)
    site.write_text(f"{text}\nsessions: {{source: file, path: {json.dumps(str(made.sessions))}}}\n")
    made.publish_sessions()
    checkout.commit("Begin")
    made.push()
    return made


def github(folder: Path, made: Repository) -> GithubHost:
    """Return the host that has the repository."""
    return GithubHost(folder / "github", made.bare)
