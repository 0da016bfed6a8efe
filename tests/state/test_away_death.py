"""Killed at any call to its disk or to the place of the state, a run far from its state leaves the truth behind.

Two may come after it: a run on the same machine, which finds the journal, and one on another machine, which finds only
the state. The first knows what `test_death` says. The second must never take for recorded what was not acknowledged,
nor for untouched whom the dead run may have called: whoever was intended is in doubt, with the values that were sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from state.disk import Died, Disk, Moment
from state.memory import MemoryBackend, MemoryPlace
from state.records import (
    EARLIER,
    LINEAGE,
    NOW,
    WEB_CHAT_4,
    WEB_CHAT_9,
    holder,
    in_doubt,
    intend,
    planned,
    record,
    state,
)

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, State
from reconciler.state import OS_FILES, Files, Setting, StateStore, encode
from reconciler.state.backend import Stored
from reconciler.state.journal.recorder import Recorder
from reconciler.state.opening_away import open_away_store

OLD = record(WEB_CHAT_9)
SENT, NEW_SENT = in_doubt(WEB_CHAT_4, at=EARLIER), in_doubt(WEB_CHAT_4)
DONE = record(WEB_CHAT_4, at=NOW)
STAGES: dict[int, list[AgentRecord | None]] = {
    1001: [OLD, SENT, DONE],
    1002: [None, NEW_SENT, None],
    1003: [OLD, None],
    1004: [OLD, SENT, None],
    1006: [None, NEW_SENT],
    1007: [None, NEW_SENT, DONE],
    1008: [OLD],
}
CALLED = (1001, 1002, 1004, 1006, 1007)


class WatchedBackend(MemoryBackend):
    """A backend each call to which is one more at which the process may die."""

    def __init__(self, kept: MemoryPlace, disk: Disk) -> None:
        super().__init__()
        self.state = kept
        self._disk = disk

    def load(self) -> Stored | None:
        return self._disk._do("load", super().load)

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        return self._disk._do("save", lambda: self.state.save(data, expected=expected, note=note))


@dataclass
class Progress:
    begun: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    promised: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    async def step(self, agent: int, told: Awaitable[None]) -> None:
        self.begun[agent] += 1
        await told
        self.promised[agent] = self.begun[agent]

    def told_here(self, agent: int) -> list[AgentRecord | None]:
        return STAGES[agent][self.promised[agent] : self.begun[agent] + 1]

    def told_elsewhere(self, agent: int) -> list[AgentRecord | None]:
        """What may be known where only the state is: what is known here, the doubt, and what nobody was told yet."""
        doubt = [STAGES[agent][1]] if agent in CALLED else []
        untold = STAGES[agent][: 1 if agent not in CALLED or not self.promised[agent] else 0]
        return [*self.told_here(agent), *doubt, *untold]


async def work(recorder: Recorder, progress: Progress) -> None:
    for agent in CALLED:
        await progress.step(agent, intend(recorder, agent, WEB_CHAT_4))
    for agent in (1001, 1007):
        await progress.step(agent, recorder.acknowledged(AgentId(agent), at=NOW))
    await progress.step(1002, recorder.not_applied(AgentId(1002)))
    await progress.step(1003, recorder.forget(AgentId(1003)))
    await progress.step(1004, recorder.acknowledged(AgentId(1004), at=NOW, keep=False))


def store(kept: MemoryPlace, machine: Path, files: Files = OS_FILES) -> StateStore:
    machine.mkdir(exist_ok=True)
    around = Setting(
        root=machine,
        site="demo",
        environ={},
        resolve=lambda _reference, _what: "",
        clock=lambda: NOW,
        new_lineage=lambda: LINEAGE,
        environment="demo",
    )
    backend = WatchedBackend(kept, files) if isinstance(files, Disk) else MemoryBackend()
    backend.state = kept
    return open_away_store(backend, journal=".reconciler", around=around, files=files)


def begin() -> MemoryPlace:
    kept = MemoryPlace()
    kept.save(encode(state(dict.fromkeys((1001, 1003, 1004, 1008), OLD))), expected=None)
    return kept


def leave_unfinished(kept: MemoryPlace, machine: Path) -> None:
    """Let an earlier run on the machine have been cut short, after calling 1008 without an answer."""
    earlier = store(kept, machine)
    with earlier.lock(holder(run="run-0")):
        recorder = earlier.begin_run(planned(1001, concurrency=WEB_CHAT_4))
        asyncio.run(intend(recorder, 1001, WEB_CHAT_9))
        asyncio.run(recorder.not_applied(AgentId(1001)))


def live(kept: MemoryPlace, machine: Path, disk: Disk, progress: Progress) -> None:
    running = store(kept, machine, disk)
    with running.lock(holder()):
        recorder = running.begin_run(planned(*CALLED, concurrency=WEB_CHAT_4))
        asyncio.run(work(recorder, progress))
        recorder.finish(rescue_directory=machine)


def settle(kept: MemoryPlace, machine: Path) -> State:
    running = store(kept, machine)
    with running.lock(holder("bob@night", "run-2")):
        return running.begin_run().finish()


@pytest.mark.parametrize("moment", ["before", "halfway", "after"])
@pytest.mark.parametrize("earlier", [False, True], ids=["fresh", "after-an-unfinished-run"])
def test_a_run_killed_at_any_call_leaves_the_truth_here_and_elsewhere(
    tmp_path: Path, moment: Moment, earlier: bool
) -> None:
    (tmp_path / "alive").mkdir()
    kept, disk = begin(), Disk()
    if earlier:
        leave_unfinished(kept, tmp_path / "alive")
    live(kept, tmp_path / "alive", disk, Progress())
    assert disk.count("save") == 2 + earlier
    assert len(disk.calls) > 40
    for number, name in enumerate(disk.calls):
        if moment == "halfway" and name != "write":
            continue
        machine = tmp_path / str(number)
        machine.mkdir()
        die_and_look(machine, Disk(die_at=number, moment=moment), f"{moment} call {number}: {name}", earlier=earlier)


def die_and_look(machine: Path, disk: Disk, when: str, *, earlier: bool) -> None:
    kept, progress = begin(), Progress()
    if earlier:
        leave_unfinished(kept, machine)
    with pytest.raises(Died):
        live(kept, machine, disk, progress)
    elsewhere = store(kept, machine / "elsewhere").read().agents
    here = store(kept, machine).read().agents
    for agent in STAGES:
        assert here.get(AgentId(agent)) in progress.told_here(agent), (when, agent)
        assert elsewhere.get(AgentId(agent)) in progress.told_elsewhere(agent), (when, agent)
    copy = MemoryPlace()
    assert kept.stored is not None
    copy.save(kept.stored.data, expected=None)
    after = settle(copy, machine / "elsewhere")
    assert (after.agents, after.open_run) == (elsewhere, None), when
    assert store(copy, machine).read() == after, when  # a journal that was overtaken counts for nothing
    after = settle(kept, machine)
    assert (after.agents, after.open_run) == (here, None), when
    assert store(kept, machine / "elsewhere").read() == after, when


def test_the_state_says_that_the_run_is_open_before_any_intent_is_durable(tmp_path: Path) -> None:
    kept, disk = begin(), Disk()
    live(kept, tmp_path, disk, Progress())
    first_save = disk.calls.index("save")
    journal = disk.calls.index("open_append")
    assert journal < first_save  # the journal that knows better is there first
    assert disk.calls.index("fsync", first_save) > first_save  # intents come after


def test_what_a_run_leaves_on_its_machine_is_not_for_a_repository(tmp_path: Path) -> None:
    live(begin(), tmp_path, Disk(), Progress())
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {".reconciler/demo/.gitignore", ".reconciler/demo/history/00000001-ended.journal"}
    assert (tmp_path / ".reconciler/demo/.gitignore").read_text().splitlines()[-1] == "*"
