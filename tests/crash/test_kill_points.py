"""Killed at any operation on the world, a run leaves the truth, and the next one finishes its work unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from crash.disk import ModelDisk
from crash.fleets import EVERYBODY
from crash.laws import check_convergence, check_remains, check_truth
from crash.runs import ROOT, Remains, live, live_and_die, plan_of
from crash.scale import PAIRS, POINTS, amount, sample
from crash.stories import NAMES, Told, tell
from crash.world import Death

EVENTFUL = {"write", "fsync", "replace", "sync_directory", "close", "connect", "send", "receive", "fetch"}
HERE, ELSEWHERE = {"open_lock", "lock"}, {"load", "save", "load_lock", "save_lock", "unlink", "make_directory"}
BY_NAME = pytest.mark.parametrize("name", NAMES)


@BY_NAME
def test_everything_that_can_happen_to_an_agent_happens_in_the_run_that_is_killed(name: str) -> None:
    told = tell(name)
    assert {agent: outcome.result for agent, outcome in told.life.told.items()} == told.story.results
    assert set(told.life.world.operations) >= EVENTFUL | (ELSEWHERE if name.startswith("away") else HERE)
    assert told.life.sent_unsaid == []


@BY_NAME
def test_a_run_killed_at_any_operation_leaves_the_truth_and_the_next_run_finishes_it(name: str) -> None:
    told = tell(name)
    finished: set[object] = set()
    for remains in told.remains:
        with naming(remains):
            check_remains(told.before, told.plan, remains, since=told.life.first_call)
            if remains.place.traces not in finished:
                finished.add(remains.place.traces)
                check_convergence(remains.place.copy(), told.story.desired, remains.told, EVERYBODY)
    assert len(told.remains) >= POINTS.now // len(NAMES)
    assert len(finished) > len(told.plan.calls)


@BY_NAME
def test_a_process_that_dies_leaves_what_is_there_at_that_point_and_no_more(name: str) -> None:
    told = tell(name)
    for remains in sample(told.remains, amount(20, 1000), seed=1):
        place = told.story.place.copy()
        life = live(place, told.story.desired, remains.death)
        assert life.world.dead
        assert place.traces == remains.place.traces, str(remains)
        assert life.told == remains.told, str(remains)


@BY_NAME
def test_a_run_killed_while_it_recovers_from_a_kill_leaves_the_truth_as_well(name: str) -> None:
    told, pairs = tell(name), 0
    firsts = sample(distinct(told), amount(4, 1000), seed=2)
    for number, first in enumerate(firsts):
        for second in recoveries(told, first, amount(5, 60), seed=number):
            pairs += 1
            with naming(first), naming(second):
                check_second(told, first, second)
    assert pairs >= PAIRS.now // len(NAMES)


def recoveries(told: Told, first: Remains, size: int, *, seed: int) -> list[Remains]:
    """Return what deaths at so many operations of the recovery from `first` leave, as far as it differs."""
    place = first.place.copy()
    place.floor.heal(EVERYBODY)
    length = len(live(place.copy(), told.story.desired).world.operations)
    _, remains = live_and_die(place, told.story.desired, at=sample(range(length), size, seed=seed))
    return list({each.place.traces: each for each in remains}.values())


def check_second(told: Told, first: Remains, second: Remains) -> None:
    found, healed = first.place.read(), first.place.copy()
    healed.floor.heal(EVERYBODY)
    check_remains(found, plan_of(healed, told.story.desired), second, since=len(first.place.floor.book))
    check_convergence(second.place.copy(), told.story.desired, {**first.told, **second.told}, EVERYBODY)


def distinct(told: Told) -> list[Remains]:
    """Return one death for each thing that can be left."""
    return list({remains.place.traces: remains for remains in told.remains}.values())


@pytest.mark.parametrize("name", ["forget-3", "away-3"])
def test_a_run_that_syncs_in_a_thread_of_its_own_dies_no_worse(name: str) -> None:
    told = tell(name)
    for at in sample(range(len(told.life.world.operations)), amount(25, 1000), seed=3):
        place = told.story.place.copy()
        life = live(place, told.story.desired, Death(at, "after"), threaded=True)
        book = place.floor.book[life.first_call :]
        assert life.sent_unsaid == []
        check_truth(told.before, life.plan or told.plan, life.told, book, place.read())
        check_convergence(place, told.story.desired, life.told, EVERYBODY)


@pytest.mark.parametrize("name", ["away-1", "away-3"])
def test_whoever_a_machine_may_have_called_that_is_gone_for_good_is_in_doubt_elsewhere(name: str) -> None:
    told = tell(name)
    finished: set[object] = set()
    for remains in told.remains:
        place, bare = remains.place.copy(), ModelDisk(ROOT)
        bare.remote = place.disk.remote
        place = replace(place, disk=bare)
        if place.traces not in finished:
            finished.add(place.traces)
            with naming(remains):
                book = place.floor.book[told.life.first_call :]
                check_truth(told.before, told.plan, {}, book, place.read())
                check_convergence(place, told.story.desired, {}, EVERYBODY)


class naming:  # noqa: N801 - read as a word where it stands
    """Adds to a failure at which death it was."""

    def __init__(self, remains: Remains) -> None:
        self._remains = remains

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            error.add_note(f"killed {self._remains}")


# TODO
