"""The laws of these tests can be broken: what is done carelessly is found out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from crash.disk import ModelDisk
from crash.fleets import EVERYBODY, NEW
from crash.laws import check_convergence, check_remains, check_truth
from crash.runs import live, live_and_die
from crash.stories import Told, tell

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Result
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.state import Files
from reconciler.state.files import write_all
from reconciler.values import replace


@pytest.fixture
def told() -> Told:
    return tell("forget-1")


def test_a_call_whose_intent_was_not_synced_is_noticed(told: Told) -> None:
    with patch.object(ModelDisk, "fsync", lambda *_: None):
        life = live(told.story.place.copy(), told.story.desired)
    assert set(life.sent_unsaid) >= {call.agent for call in told.plan.calls} - {1017, 1018}


def test_a_name_that_was_not_synced_is_lost_with_the_power(told: Told) -> None:
    place = told.story.place.copy()
    with patch.object(ModelDisk, "sync_directory", lambda *_: None):
        live(place, told.story.desired)
    ended = place.read().content
    assert any(dataclasses.replace(place, disk=disk).read().content != ended for disk in place.disk.power_cuts())


def overwrite(path: Path, data: bytes, *, files: Files, mode: int = 0o600) -> None:
    """What Terraform does to a local state: truncate, write, sync."""
    handle = files.open_fresh(path)
    files.set_mode(handle, mode)
    write_all(files, handle, data)
    files.fsync(handle)
    files.close(handle)


def test_a_state_that_is_overwritten_in_its_place_is_found_empty_after_a_kill(told: Told) -> None:
    with patch("reconciler.state.local.replace_file", overwrite):
        _, remains = live_and_die(told.story.place.copy(), told.story.desired)
    unreadable = [each for each in remains if not _reads(each.place.read)]
    assert {each.operation for each in unreadable} >= {"write", "open_fresh"}


def _reads(read: object) -> bool:
    try:
        read()  # type: ignore[operator]
    except StateError:
        return False
    return True


def wrong_records(told: Told) -> Iterator[tuple[int, AgentRecord | None]]:
    """Yield lies about agents after the whole run: claimed and refused, forgotten and taken, changed and unplanned."""
    state = told.life.report.state.agents  # type: ignore[union-attr]
    claimed = state[AgentId(1011)].amended(status=RecordStatus.ACKNOWLEDGED)
    yield 1012, claimed
    yield 1018, claimed
    yield 1011, None
    yield 1001, told.before.agents[AgentId(1001)]
    yield 1013, None
    yield 1004, told.before.agents[AgentId(1004)]
    yield 1009, state[AgentId(1009)].amended(concurrency=NEW)


def test_a_state_that_lies_about_an_agent_is_noticed(told: Told) -> None:
    assert told.life.report is not None
    state = told.life.report.state
    place = told.story.place.copy()
    live(place, told.story.desired)
    book = place.floor.book[told.life.first_call :]
    check_truth(told.before, told.plan, told.life.told, book, state)
    for agent, record in wrong_records(told):
        records = {**state.agents, AgentId(agent): record}
        lying = replace(state, agents={number: each for number, each in records.items() if each is not None})
        with pytest.raises(AssertionError):
            check_truth(told.before, told.plan, told.life.told, book, lying)


def test_an_agent_who_is_sent_again_though_done_is_noticed(told: Told) -> None:
    remains = told.remains[0]
    done = {agent: outcome for agent, outcome in told.life.told.items() if outcome.result is Result.APPLIED}
    with pytest.raises(AssertionError):
        check_convergence(remains.place.copy(), told.story.desired, done, EVERYBODY)


def test_a_claim_that_death_makes_of_nothing_is_noticed(told: Told) -> None:
    with pytest.raises(AssertionError):
        check_remains(
            told.before,
            told.plan,
            dataclasses.replace(told.remains[0], told=told.life.told),
            since=told.life.first_call,
        )
