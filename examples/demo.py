"""The whole way once, on this machine: YAML, plan, reviewed plan file, and only the changed calls, over real HTTPS.

One agent is not signed in at first: deferred, listed, and reached by the next run after signing in.

Run it with `make demo`. It works on a copy of desired/demo in a temporary directory and leaves nothing behind.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEMO = Path(__file__).resolve().parent.parent / "desired" / "demo"
RECONCILER = [sys.executable, "-m", "reconciler"]
AGENTS = "1001,1003-1099,2001-2099,3001-3099"
LATE = "1002"
"""Who is not signed in at first."""
DEFERRED = 9
"""The exit code of a run that left nobody in trouble, and somebody for later."""
EDITED = ("agents/east.yaml", "1003: {profile: chat-senior, total: 20}", "1003: {profile: chat-senior, total: 22}")


def main() -> int:
    """Walk the whole way; return 0 when everything went as it should."""
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        work = Path(folder)
        shutil.copytree(DEMO, work / "demo", ignore=shutil.ignore_patterns("*.json", "*.json.*", "ca.pem"))
        say("a rehearsal gateway on this machine, over HTTPS, with its own throw-away CA")
        with rehearsal_gateway(work) as gateway:
            walk(work, gateway)
    say("done; the gateway is stopped and the copy is gone")
    return 0


def walk(work: Path, gateway: Gateway) -> None:
    """Validate, plan, apply the reviewed plan, reach who was not there, edit one agent, apply again."""
    point_at(work / "demo" / "site.yaml", gateway.url)
    say("1. validate: is the YAML right? (no gateway, no secrets)")
    run(work, "validate", "demo")
    say("2. plan: what would change? Saved, so that it can be reviewed and held to")
    run(work, "plan", "demo", "--out", "plan.json")
    say(f"3. apply --plan: exactly what was reviewed, one call for each agent; but {LATE} is not signed in")
    run(work, "apply", "demo", "--plan", "plan.json", code=DEFERRED)
    expect(gateway, json.loads((work / "plan.json").read_text())["summary"]["calls"] - 1)
    say("4. who waits, since when, and why?")
    run(work, "state", "list", "demo", "--pending")
    say(f"5. {LATE} signs in, and the next run makes the one call that is missing")
    gateway.sign_in(LATE)
    run(work, "apply", "demo", "--yes")
    expect(gateway, 1)
    say("6. edit one agent, and apply: one call goes out, and then there is nothing to do")
    edit(work / "demo", *EDITED)
    run(work, "apply", "demo", "--yes")
    expect(gateway, 1)
    run(work, "plan", "demo")


def expect(gateway: Gateway, wanted: int) -> None:
    """Say how many calls went out since the last time; end the demo if it is another number."""
    calls = gateway.new_calls()
    say(f"   the gateway counted {calls} call{'' if calls == 1 else 's'}")
    if calls != wanted:
        sys.exit(f"demo: {wanted} expected")


class Gateway:
    """The rehearsal gateway, as far as the demo asks it."""

    def __init__(self, url: str, ca_file: Path) -> None:
        """Remember where it is and whom to trust."""
        self.url = url
        self._context = ssl.create_default_context(cafile=ca_file)
        self._counted = 0

    def new_calls(self) -> int:
        """Return how many setcallnumsbymediatype calls it has had since this was last asked."""
        before, self._counted = self._counted, int(self._ask("GET", "requests")["total"])
        return self._counted - before

    def sign_in(self, agent: str) -> None:
        """Let somebody sign in, as they would at their desk; the sessions file follows."""
        self._ask("POST", f"sign-in/{agent}")

    def _ask(self, method: str, resource: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/rehearsal/{resource}", method=method)  # noqa: S310 - our own https
        with urllib.request.urlopen(request, context=self._context) as reply:  # noqa: S310 - as above
            answer: dict[str, Any] = json.load(reply)
            return answer


@contextmanager
def rehearsal_gateway(work: Path) -> Iterator[Gateway]:
    """Run `reconciler simulate` with the demo's agents signed in, and stop it at the end."""
    ca_file, sessions = work / "demo" / "ca.pem", work / "demo" / "sessions.json"
    options = ["--port", "0", "--sign-in", AGENTS, "--sessions-out", str(sessions), "--ca-out", str(ca_file)]
    process = subprocess.Popen([*RECONCILER, "simulate", *options, "--control"], stdout=subprocess.PIPE)
    try:
        yield Gateway(announced(process)["url"], ca_file)
    finally:
        process.terminate()
        process.wait(timeout=10)


def announced(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return what the gateway says of itself once it listens."""
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        sys.exit("demo: the rehearsal gateway did not start")
    facts: dict[str, Any] = json.loads(line)
    return facts


def point_at(site: Path, url: str) -> None:
    """Write the gateway's address into site.yaml."""
    lines = site.read_text().splitlines(keepends=True)
    site.write_text("".join(f"  url: {url}\n" if line.startswith("  url:") else line for line in lines))


def edit(environment: Path, name: str, old: str, new: str) -> None:
    """Change one line, as a pull request would."""
    file = environment / name
    text = file.read_text()
    if old not in text:
        sys.exit(f"demo: {name} has no {old}")
    file.write_text(text.replace(old, new, 1))
    print(f"\n    {name}: {old} becomes {new}")


def run(work: Path, *arguments: str, code: int = 0) -> None:
    """Run one command in `work`, show it, and end the demo if it exits with another code."""
    print(f"\n$ reconciler {' '.join(arguments)}", flush=True)
    ended = subprocess.run([*RECONCILER, *arguments], cwd=work, check=False).returncode
    if ended != code:
        sys.exit(f"demo: exit code {ended}, and {code} was expected")


def say(text: str) -> None:
    """Print one step."""
    print(f"\n=== {text}" if not text.startswith("   ") else text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
