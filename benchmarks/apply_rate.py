"""A durable apply against a gateway that answers after 20 ms, beside `wrk`; and what durability costs it."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distant_gateway import gateway, wrk_rate
from environments import scratch
from fleet import first_agent, write_fleet
from measuring import ROUNDS, Figure, at_least, ratio

AT_ONCE = {16: 3_000, 64: 9_000}
"""Calls at a time, and agents to be called: four seconds each."""
_WRK_SECONDS = 4
_OURS, _BARE, _WRK = "durable apply", "apply without durability", "wrk"


def measure() -> Iterator[Figure]:
    """Measure at 16 and at 64 calls at a time: ours, ours on a disk that does not sync, and wrk, in turn."""
    with scratch() as work, gateway(work) as url:
        for concurrency, agents in AT_ONCE.items():
            root = _fleet(work, url, agents, concurrency)
            yield from _figures(root, url, concurrency)


def _fleet(work: Path, url: str, agents: int, concurrency: int) -> Path:
    root = work / f"fleet-{concurrency}"
    write_fleet(root, agents, url=url, concurrency=concurrency)
    shutil.copy(work / "ca.pem", root)
    sessions = [_session(first_agent(agents) + number, number) for number in range(agents)]
    (root / "sessions.json").write_text(json.dumps(sessions))
    return root


def _session(agent: int, number: int) -> Mapping[str, str]:
    return {
        "agentId": str(agent),
        "guid": f"{number * 2_654_435_761:048x}.AgentGateway0",
        "session": f"login-{1_700_000_000 + number}",
    }


def _figures(root: Path, url: str, concurrency: int) -> Iterator[Figure]:
    runs: list[Mapping[str, Any]] = []
    raw: dict[str, list[float]] = {_OURS: [], _BARE: [], _WRK: []}
    for _ in range(ROUNDS):
        runs.append(_applied(root))
        raw[_OURS].append(_rate(runs[-1]))
        raw[_BARE].append(_rate(_applied(root, "--without-durability")))
        raw[_WRK].append(wrk_rate(url, concurrency=concurrency, seconds=_WRK_SECONDS))
    place = f"at {concurrency} at a time, 20 ms away"
    told = {f"{name}, calls/s": rates for name, rates in raw.items()}
    told["processor, µs a call"] = [round(run["cpu"] / run["agents"] * 1e6) for run in runs]
    reached = ratio(raw[_OURS], raw[_WRK])
    yield at_least(f"apply-{concurrency}", f"durable `apply` {place}, v. wrk", goal=0.85, reached=reached, raw=told)
    kept = ratio(raw[_OURS], raw[_BARE])
    what = f"durable `apply` {place}, v. the same without a sync"
    yield at_least(f"durability-{concurrency}", what, goal=0.9, reached=kept, raw={})
    for row, words, goal, unit in (
        ("syncs", "syncs of the journal", 0.2, "syncs"),
        ("bytes", "bytes of the journal", 100, "B"),
    ):
        yield _each_agent(
            f"{row}-{concurrency}", f"{words} an agent, {place}", goal, unit, [r[row] / r["agents"] for r in runs]
        )


def _each_agent(row: str, what: str, goal: float, unit: str, each: list[float]) -> Figure:
    median = statistics.median(each)
    raw = {f"{unit} an agent": [round(one, 3) for one in each]}
    return Figure(
        row=row, what=what, goal=f"≤ {goal:g} {unit}", reached=f"{median:.3g} {unit}", met=median <= goal, raw=raw
    )


def _applied(root: Path, *flags: str) -> Mapping[str, Any]:
    for left in root.glob("state.json*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    words = [sys.executable, str(Path(__file__).with_name("applied.py")), str(root), *flags]
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    if ended.returncode != 0:
        raise RuntimeError(f"apply did not end well:\n{ended.stderr[-2000:]}")
    figures: Mapping[str, Any] = json.loads(ended.stdout)
    return figures


def _rate(run: Mapping[str, Any]) -> float:
    return round(float(run["agents"]) / float(run["seconds"]), 1)
