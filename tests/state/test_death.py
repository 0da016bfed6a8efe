"""Killed at any call to the disk, a run leaves the truth behind.

Each agent's record goes through stages, one per thing told to the recorder. Whatever a method returned for is durable,
and nothing is known that was not told: the record found afterwards is that of a stage between the last one that was
promised and the last one that was begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from state.disk import Died, Disk, Moment
from state.records import EARLIER, NOW, WEB_CHAT_4, apply_one, holder, in_doubt, intend, record, state, store

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord
from reconciler.state import encode
from reconciler.state.recorder import Recorder

OLD = record()
UNSURE = in_doubt(at=EARLIER)
SENT = in_doubt(WEB_CHAT_4, at=EARLIER)
NEW_SENT = in_doubt(WEB_CHAT_4)
DONE = record(WEB_CHAT_4, at=NOW)
STAGES: dict[int, list[AgentRecord | None]] = {
    1001: [OLD, SENT, DONE],
    1002: [None, NEW_SENT, None],
    1003: [OLD, None],
    1004: [OLD, SENT, None],
    1005: [OLD, replace(OLD, team="west", protected=True)],
    1006: [None, NEW_SENT],
    1007: [UNSURE, SENT, UNSURE],
    1008: [SENT, SENT, DONE],
    1009: [record(at=NOW)],
}
"""1008 and 1009 are what an earlier run, killed as well, has left in its journal."""


@dataclass
class Progress:
    """How far each agent came: stages begun, and stages promised to be durable."""

    begun: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    promised: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    async def step(self, agent: int, told: Awaitable[None]) -> None:
        self.begun[agent] += 1
        await told
        self.promised[agent] = self.begun[agent]

    def allows(self, agent: int, found: AgentRecord | None) -> bool:
        return found in STAGES[agent][self.promised[agent] : self.begun[agent] + 1]


async def work(recorder: Recorder, progress: Progress) -> None:
    for agent in (1001, 1002, 1004, 1006, 1007, 1008):
        await progress.step(agent, intend(recorder, agent, WEB_CHAT_4))
    for agent in (1001, 1008):
        await progress.step(agent, recorder.acknowledged(AgentId(agent), at=NOW))
    for agent in (1002, 1007):
        await progress.step(agent, recorder.not_applied(AgentId(agent)))
    await recorder.in_doubt(AgentId(1006))
    await progress.step(1003, recorder.forget(AgentId(1003)))
    await progress.step(1004, recorder.acknowledged(AgentId(1004), at=NOW, keep=False))
    await progress.step(1005, recorder.note(AgentId(1005), team="west", protected=True))


def prepare(path: Path) -> None:
    """Make a state, and a journal beside it that an earlier run has left."""
    records = dict.fromkeys((1001, 1003, 1004, 1005, 1008), OLD) | {1007: UNSURE}
    path.write_bytes(encode(state(records)))
    earlier = store(path)

    async def begin(recorder: Recorder) -> None:
        await intend(recorder, 1008, WEB_CHAT_4)
        await apply_one(recorder, 1009)

    with earlier.lock(holder()):
        asyncio.run(begin(earlier.begin_run()))


def live(path: Path, disk: Disk, progress: Progress) -> None:
    kept = store(path, files=disk)
    with kept.lock(holder()):
        recorder = kept.begin_run()
        asyncio.run(work(recorder, progress))
        recorder.finish()


def calls_of_a_life(path: Path) -> list[str]:
    disk, progress = Disk(), Progress()
    live(path, disk, progress)
    assert progress.promised == {agent: len(stages) - 1 for agent, stages in STAGES.items()}
    assert all(progress.allows(agent, store(path).read().agents.get(AgentId(agent))) for agent in STAGES)
    return disk.calls


@pytest.mark.parametrize("moment", ["before", "halfway", "after"])
def test_a_run_killed_at_any_call_leaves_the_truth(tmp_path: Path, moment: Moment) -> None:
    (tmp_path / "alive").mkdir()
    prepare(tmp_path / "alive" / "state.json")
    calls = calls_of_a_life(tmp_path / "alive" / "state.json")
    assert len(calls) > 60
    for number, name in enumerate(calls):
        if moment == "halfway" and name != "write":
            continue
        directory = tmp_path / str(number)
        directory.mkdir()
        die_and_look(directory / "state.json", Disk(die_at=number, moment=moment), f"{moment} call {number}: {name}")


def die_and_look(path: Path, disk: Disk, when: str) -> None:
    prepare(path)
    progress = Progress()
    with pytest.raises(Died):
        live(path, disk, progress)
    found = store(path).read().agents
    for agent in STAGES:
        assert progress.allows(agent, found.get(AgentId(agent))), (when, agent)
    next_run = store(path)
    with next_run.lock(holder()):
        assert next_run.begin_run().state.agents == found, when
    assert next_run.read().agents == found, when


def test_what_is_promised_is_synced_before_it_is_promised(tmp_path: Path) -> None:
    prepare(tmp_path / "state.json")
    calls = calls_of_a_life(tmp_path / "state.json")
    writes = [number for number, name in enumerate(calls) if name == "write"][1:]  # the first names the lock's holder
    assert all(calls[number + 1] == "fsync" for number in writes)
    assert all(
        calls[number - 2 : number] == ["fsync", "close"] for number, name in enumerate(calls) if name == "replace"
    )
    assert all(
        calls[number + 1] == "sync_directory" for number, name in enumerate(calls) if name in {"replace", "unlink"}
    )
