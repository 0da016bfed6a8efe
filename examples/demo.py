"""The whole way once, on this machine: YAML, plan, reviewed plan file, and only the changed calls, over real HTTPS.

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
AGENTS = "1001-1099,2001-2099,3001-3099"
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
    """Validate, plan, apply the reviewed plan, plan again, edit one agent, apply again."""
    point_at(work / "demo" / "site.yaml", gateway.url)
    say("1. validate: is the YAML right? (no gateway, no secrets)")
    run(work, "validate", "demo")
    say("2. plan: what would change? Saved, so that it can be reviewed and held to")
    run(work, "plan", "demo", "--out", "plan.json")
    say("3. apply --plan: exactly what was reviewed, one call for each agent")
    run(work, "apply", "demo", "--plan", "plan.json")
    applied = gateway.calls()
    say(f"   the gateway counted {applied} calls")
    if applied != json.loads((work / "plan.json").read_text())["summary"]["calls"]:
        sys.exit("demo: the plan promised another number")
    say("4. plan again: nothing to do")
    run(work, "plan", "demo")
    expect(gateway.calls() - applied, 0)
    say("5. edit one agent, and apply: one call goes out")
    edit(work / "demo", *EDITED)
    run(work, "apply", "demo", "--yes")
    expect(gateway.calls() - applied, 1)


def expect(calls: int, wanted: int) -> None:
    """Say how many calls went out; end the demo if it is another number."""
    say(f"   the gateway counted {calls} more call{'' if calls == 1 else 's'}")
    if calls != wanted:
        sys.exit(f"demo: {wanted} expected")


class Gateway:
    """The rehearsal gateway, as far as the demo asks it."""

    def __init__(self, url: str, ca_file: Path) -> None:
        """Remember where it is and whom to trust."""
        self.url = url
        self._context = ssl.create_default_context(cafile=ca_file)

    def calls(self) -> int:
        """Return how many setcallnumsbymediatype calls it has had."""
        with urllib.request.urlopen(f"{self.url}/rehearsal/requests", context=self._context) as reply:  # noqa: S310 - our own https
            return int(json.load(reply)["total"])


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


def run(work: Path, *arguments: str) -> None:
    """Run one command in `work`, show it, and end the demo if it fails."""
    print(f"\n$ reconciler {' '.join(arguments)}", flush=True)
    code = subprocess.run([*RECONCILER, *arguments], cwd=work, check=False).returncode
    if code != 0:
        sys.exit(f"demo: exit code {code}, and 0 was expected")


def say(text: str) -> None:
    """Print one step."""
    print(f"\n=== {text}" if not text.startswith("   ") else text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
