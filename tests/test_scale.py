"""What does not grow with the number of agents: counted, for 10, 1,000 and 100,000 of them."""

from __future__ import annotations

import os
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deepdiff
import pytest
from desired.environments import SITE, write

from reconciler.cli.writing import write_file
from reconciler.desired import load
from reconciler.desired.validation import Validator
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, State
from reconciler.planning import make_plan
from reconciler.report import document_pieces, saved_plan
from reconciler.state import OsFiles, decode, encode, replace_file

PROFILES = "profiles:\n  chat: {total: 12, channels: {web_chat: 6, sms: 4}}\n"
FEW, FILES = 10, 4
"""Calls that a fleet of any size may take; files of each environment here."""
AN_ENTRY, SOME_LINES = 80, 2**20
"""Bytes: a place in a list or a dictionary that is copied; what may be in hand of the lines of a state."""


def environment(folder: Path, agents: int) -> Path:
    """Write a fleet of `agents` in two files, each agent a line: by a profile, and by the same numbers of its own."""
    halves = (range(100_001, 100_001 + agents, 2), range(100_002, 100_001 + agents, 2))
    says = ("{profile: chat}", "{total: 12, channels: {web_chat: 6, sms: 4}}")
    texts = [
        "agents:\n" + "".join(f"  {agent}: {what}\n" for agent in half) for half, what in zip(halves, says, strict=True)
    ]
    return write(folder, {"site.yaml": SITE, "profiles.yaml": PROFILES, "a.yaml": texts[0], "b.yaml": texts[1]})


def recorded(agents: int) -> dict[AgentId, AgentRecord]:
    """Return records of the same agents, each of which has another channel."""
    values = Concurrency.of(12, {Channel.EMAIL: 6})
    record = AgentRecord.of(
        concurrency=values, callnums_key=CallnumsKey.CAMEL, acknowledged_at="2026-01-31T09:30:00Z", session=None
    )
    return {AgentId(100_001 + number): record for number in range(agents)}


@pytest.mark.parametrize("agents", [10, 1_000, 100_000])
def test_reading_and_planning_ask_others_no_more_often_for_more_agents(
    agents: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def counted(name: str, real: Any) -> Any:
        def counting(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return real(*arguments, **options)

        return counting

    root = environment(tmp_path, agents)
    monkeypatch.setattr(os, "open", counted("file", os.open))
    monkeypatch.setattr(Validator, "accepts", counted("validation", Validator.accepts))
    monkeypatch.setattr(deepdiff, "DeepDiff", counted("difference", deepdiff.DeepDiff))
    desired = load(root).desired
    assert desired is not None
    plan = make_plan(desired, State(lineage=None, serial=0, site=desired.site.name, agents=recorded(agents)))
    assert agents == len(plan.changes)
    assert {name: calls[name] for name in ("file", "difference")} == {"file": FILES, "difference": 1}
    assert calls["validation"] <= FEW


class CountingFiles(OsFiles):
    """The disk, counting what is made durable."""

    def __init__(self) -> None:
        self.syncs = 0

    def fsync(self, handle: int) -> None:
        self.syncs += 1
        super().fsync(handle)


@pytest.mark.parametrize("agents", [10, 1_000, 100_000])
def test_a_state_of_any_size_is_made_durable_in_as_many_steps(agents: int, tmp_path: Path) -> None:
    data, files = encode(State(lineage=None, serial=0, site="demo", agents=recorded(agents))), CountingFiles()
    replace_file(tmp_path / "state.json", data, files=files)
    assert (agents, 1) == (len(decode((tmp_path / "state.json").read_bytes(), site="demo").agents), files.syncs)


def beside(work: Callable[[], object]) -> int:
    """Return the most bytes that `work` holds besides what it returns."""
    tracemalloc.start()
    try:
        kept = work()
        at_last, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept
    return most - at_last


@pytest.mark.parametrize("agents", [10, 1_000, 20_000])
def test_reading_and_writing_a_state_never_hold_all_its_lines_besides_it(agents: int) -> None:
    written = State(lineage=None, serial=0, site="demo", agents=recorded(agents))
    document = encode(written)
    assert beside(lambda: decode(document, site="demo")) < agents * AN_ENTRY + SOME_LINES
    assert beside(lambda: encode(written)) < len(document) // 8 + agents * AN_ENTRY + SOME_LINES  # room to grow


@pytest.mark.parametrize("agents", [10, 20_000])
def test_a_saved_plan_is_written_a_mebibyte_at_a_time_and_never_held_as_a_whole(
    agents: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desired = load(environment(tmp_path / "demo", agents)).desired
    assert desired is not None
    plan = make_plan(desired, State(lineage=None, serial=0, site=desired.site.name, agents=recorded(agents)))
    out, sizes, write = tmp_path / "plan.json", list[int](), os.write

    def counting(handle: int, data: bytes) -> int:
        sizes.append(len(data))
        return write(handle, data)

    def save() -> Path:
        write_file(out, document_pieces(saved_plan(plan, tool_version="0.0.0")))
        return out

    monkeypatch.setattr(os, "write", counting)
    held, size = beside(save), out.stat().st_size
    assert len(sizes) <= size // 2**20 + 1
    assert held < size // 4 + 4 * SOME_LINES
