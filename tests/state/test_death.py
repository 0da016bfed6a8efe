"""Killed at any call to the disk, a run leaves the truth behind.

Each agent's record goes through stages, one per thing told to the recorder. Whatever a method returned for is durable,
and nothing is known that was not told: the record found afterwards is that of a stage between the last one that was
promised and the last one that was begun. A stage is a record (or none) and how often the agent was deferred by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from state.disk import Died, Disk, Moment
from state.records import (
    EARLIER,
    NOW,
    WEB_CHAT_4,
    apply_one,
    holder,
    in_doubt,
    intend,
    pending,
    record,
    state,
    store,
)

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, State
from reconciler.state import encode
from reconciler.state.journal.recorder import Recorder

OLD = record()
UNSURE = in_doubt(at=EARLIER)
SENT = in_doubt(WEB_CHAT_4, at=EARLIER)
NEW_SENT = in_doubt(WEB_CHAT_4)
DONE = DONE_NEW = record(WEB_CHAT_4, at=NOW)
Stage = tuple[AgentRecord | None, int]
STAGES: dict[int, list[Stage]] = {
    1001: [(OLD, 0), (SENT, 0), (DONE, 0)],
    1002: [(None, 0), (NEW_SENT, 0), (None, 0)],
    1003: [(OLD, 0), (None, 0)],
    1004: [(OLD, 0), (SENT, 0), (None, 0)],
    1005: [(OLD, 0), (OLD.amended(team="west", protected=True), 0)],
    1006: [(None, 0), (NEW_SENT, 0)],
    1007: [(UNSURE, 0), (SENT, 0), (UNSURE, 0)],
    1008: [(SENT, 0), (SENT, 0), (DONE, 0)],
    1009: [(record(at=NOW), 0)],
    1010: [(None, 0), (None, 1)],
    1011: [(OLD, 1), (SENT, 1), (OLD, 2)],
    1012: [(None, 1), (NEW_SENT, 1), (DONE_NEW, 0)],
    1013: [(OLD, 1), (OLD, 0)],
    1014: [(OLD, 1), (None, 0)],
    1015: [(None, 1), (None, 2)],
}
"""1008, 1009 and 1015 are what an earlier run, killed as well, has left in its journal; 1010 and later wait."""


@dataclass
class Progress:
    """How far each agent came: stages begun, and stages promised to be durable."""

    begun: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    promised: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    async def step(self, agent: int, told: Awaitable[None]) -> None:
        self.begun[agent] += 1
        await told
        self.promised[agent] = self.begun[agent]

    def allows(self, agent: int, found: State) -> bool:
        wait = found.pending.get(AgentId(agent))
        stage = found.agents.get(AgentId(agent)), wait.attempts if wait else 0
        return stage in STAGES[agent][self.promised[agent] : self.begun[agent] + 1]


async def work(recorder: Recorder, progress: Progress) -> None:
    for agent in (1001, 1002, 1004, 1006, 1007, 1008, 1011, 1012):
        await progress.step(agent, intend(recorder, agent, WEB_CHAT_4))
    for agent in (1010, 1011, 1015):
        await progress.step(agent, recorder.deferred(AgentId(agent), at=NOW, retcode="100-006"))
    for agent in (1001, 1008, 1012):
        await progress.step(agent, recorder.acknowledged(AgentId(agent), at=NOW))
    for agent in (1002, 1007):
        await progress.step(agent, recorder.not_applied(AgentId(agent)))
    await recorder.in_doubt(AgentId(1006))
    for agent in (1003, 1014):
        await progress.step(agent, recorder.forget(AgentId(agent)))
    await progress.step(1013, recorder.not_due(AgentId(1013)))
    await progress.step(1004, recorder.acknowledged(AgentId(1004), at=NOW, keep=False))
    await progress.step(1005, recorder.note(AgentId(1005), team="west", protected=True))


def prepare(path: Path) -> None:
    """Make a state, and a journal beside it that an earlier run has left."""
    records = dict.fromkeys((1001, 1003, 1004, 1005, 1008, 1011, 1013, 1014), OLD) | {1007: UNSURE}
    path.write_bytes(encode(state(records, waiting=dict.fromkeys((1011, 1012, 1013, 1014), pending()))))
    earlier = store(path)

    async def begin(recorder: Recorder) -> None:
        await intend(recorder, 1008, WEB_CHAT_4)
        await apply_one(recorder, 1009)
        await recorder.deferred(AgentId(1015), at=EARLIER)

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
    assert all(progress.allows(agent, store(path).read()) for agent in STAGES)
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
    found = store(path).read()
    for agent in STAGES:
        assert progress.allows(agent, found), (when, agent)
    next_run = store(path)
    with next_run.lock(holder()):
        assert next_run.begin_run().state.content == found.content, when
    assert next_run.read().content == found.content, when


def test_what_is_promised_is_synced_before_it_is_promised(tmp_path: Path) -> None:
    prepare(tmp_path / "state.json")
    calls = calls_of_a_life(tmp_path / "state.json")
    writes = [number for number, name in enumerate(calls) if name == "write"][1:]  # the first names the lock's holder
    assert all(calls[number + 1] == "fsync" for number in writes)
    assert all(
        calls[number - 2 : number] == ["fsync", "close"] or calls[number - 1] == "sizes_in"  # into the history
        for number, name in enumerate(calls)
        if name == "replace"
    )
    assert all(
        calls[number + 1] == "sync_directory" for number, name in enumerate(calls) if name in {"replace", "unlink"}
    )
