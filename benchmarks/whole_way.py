"""The whole way with a large fleet: `python benchmarks/whole_way.py 10000`.

Generates the fleet, starts the rehearsal gateway, and times validate, plan, apply of the saved plan and a second plan
as whole processes. Ends with an error unless every agent was applied and the second plan reports no change.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fleet import first_agent, write_fleet
from measuring import RECONCILER


def main() -> int:
    """Take the number of agents from the command line and walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agents", type=int, nargs="?", default=10_000)
    agents: int = parser.parse_args().agents
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        work = Path(folder)
        with gateway(work, agents) as url:
            write_fleet(work, agents, url=url)
            walk(work, agents)
    return 0


def walk(work: Path, agents: int) -> None:
    """Run the four commands and hold each to what it must report."""
    expect(timed(work, "validate", "."), f"{agents} agents")
    expect(timed(work, "plan", ".", "--out", "plan.json"), f"Plan: {agents} set")
    expect(timed(work, "apply", ".", "--plan", "plan.json"), f"Apply: {agents} applied")
    expect(timed(work, "plan", "."), f"{agents} unchanged")


def timed(work: Path, *arguments: str) -> str:
    """Run one command, print how long it took, and return its last line."""
    begin = time.perf_counter()
    ended = subprocess.run([*RECONCILER, *arguments], cwd=work, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    print(f"{arguments[0]:<9} {seconds:7.2f} s  exit {ended.returncode}", flush=True)
    if ended.returncode != 0:
        sys.exit(ended.stderr)
    return ended.stdout.rstrip("\n").rpartition("\n")[2]


def expect(line: str, words: str) -> None:
    """End with an error unless the line says so."""
    print(f"          {line}")
    if words not in line:
        sys.exit(f"expected: {words}")


@contextmanager
def gateway(work: Path, agents: int) -> Iterator[str]:
    """Serve all agents signed in; yield the url."""
    first = first_agent(agents)
    everybody = f"{first}-{first + agents - 1}"
    files: Sequence[str] = ("--sessions-out", str(work / "sessions.json"), "--ca-out", str(work / "ca.pem"))
    command = [*RECONCILER, "simulate", "--port", "0", "--sign-in", everybody, *files]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline() if process.stdout else "{}")["url"]
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
