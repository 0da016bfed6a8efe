"""The real command as a process of its own, against a rehearsal gateway over TLS: started, and met in its midst."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.processes import wait_until
from support.rehearsal import RehearsalServer
from support.site import Site

AGENTS = range(1001, 1041)
APPLY = (sys.executable, "-m", "reconciler", "apply", "demo", "--yes", "--json")
PATIENCE = 60.0
_BEFORE_THE_CALLS = 0.2


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """An environment of forty agents, the gateway it is applied to, and a dice that falls the same way every time."""

    site: Site
    server: RehearsalServer
    dice: random.Random

    def want(self, total: int) -> None:
        """Let every agent have other values than before."""
        self.site.write("fleet.yaml", f"agents: {{1001-1040: {{total: {total}, channels: {{web_chat: {total}}}}}}}\n")

    def start(self, *before: str) -> subprocess.Popen[str]:
        """Start an apply, beneath the command `before` if there is one."""
        return subprocess.Popen(
            [*before, *APPLY], cwd=self.site.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def start_and_meet(self) -> subprocess.Popen[str]:
        """Start an apply, and return at an instant that the dice chooses: mostly amid its calls, else before them."""
        before, process = self.calls(), self.start()
        wait_until(lambda: hears_signals(process))
        if self.dice.random() < _BEFORE_THE_CALLS:
            time.sleep(self.dice.uniform(0.0, 0.5))
        else:
            wanted = before + self.dice.randrange(len(AGENTS))
            wait_until(lambda: self.calls() >= wanted)
            time.sleep(self.dice.uniform(0.0, 0.02))
        return process

    def calls(self) -> int:
        return int(str(self.server.call(lambda gateway: gateway.requests_document())["total"]))

    def live(self) -> dict[str, Any]:
        document: dict[str, Any] = self.server.call(lambda gateway: gateway.agents_document())
        return document

    def recorded(self) -> dict[str, Any]:
        document: dict[str, Any] = self.site.state["agents"]
        return document

    def strays(self) -> list[str]:
        """Names of files beside the state that no run may leave."""
        return [path.name for path in self.site.root.iterdir() if path.suffix in {".tmp", ".journal"}]

    def finish(self, total: int) -> None:
        """Let the next run come: it calls whom the plan names and nobody else, and then all is quiet."""
        planned = self.site.run("plan", "demo", "--json").document
        before = self.calls()
        ended = self.site.run("apply", "demo", "--yes", "--json")
        assert ended.code == 0, ended.err
        assert self.calls() - before == planned["summary"]["calls"]
        assert {each["total"] for each in self.live().values()} == {total}
        assert {each["total"] for each in self.recorded().values()} == {total}
        assert self.site.run("plan", "demo", "--json").document["changes"] == []
        assert self.strays() == []

    def told_by_the_state(self, acknowledged: set[str], *, total: int) -> None:
        """What the plan made now leaves out as done, the gateway has; and what was told as done, it leaves out."""
        plan = self.site.run("plan", "demo", "--json")
        assert plan.code == 0, plan.err
        due = {change["agent"] for change in plan.document["changes"]}
        live = {agent for agent, each in self.live().items() if each["total"] == total}
        done = {str(agent) for agent in AGENTS} - due
        assert done <= live
        assert not acknowledged & due


def hears_signals(process: subprocess.Popen[str]) -> bool:
    """Tell whether it is past the instants in which Python itself begins, and a signal is Python's affair.

    Only Linux says what a process does with a signal; elsewhere this is a guess.
    """
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        time.sleep(0.2)
        return True
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), "0")
    return process.poll() is not None or bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def outcomes(out: str) -> dict[str, str]:
    """Return what became of each agent, by the one JSON document on stdout."""
    document = json.loads(out)
    return {each["agent"]: each["outcome"] for each in document.get("outcomes", [])}


def traced(strace: str, path: Path, *injections: str) -> Sequence[str]:
    """Return the command beneath which system calls on `path` are tampered with."""
    return (strace, "-f", "-qq", "-o", "/dev/null", "-P", str(path), *(f"--inject={each}" for each in injections))
