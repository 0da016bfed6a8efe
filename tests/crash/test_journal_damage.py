"""The journal of a whole run, cut at every byte and damaged at every byte: recovered, or refused with the place."""

from __future__ import annotations

import re

import pytest
from crash.fleets import EVERYBODY
from crash.floor import Arrived
from crash.laws import check_convergence, check_truth
from crash.runs import Place
from crash.scale import DAMAGES, TORTURE
from crash.stories import NAMES, Told, tell

from reconciler.errors import JournalError
from reconciler.model.state import State

CUT, CHANGED = (NAMES, NAMES) if TORTURE else (("forget-3", "away-1"), ("reset-8",))
MASKS = tuple(1 << bit for bit in range(8)) if TORTURE else (0x04,)
BYTES = DAMAGES.now // (len(CUT) + len(CHANGED) * len(MASKS))


def last_moment(told: Told) -> tuple[Place, bytes]:
    """Return what is left when the process dies just before its journal is closed, and that journal."""
    world, path = told.life.world, told.story.place.journal
    closing = list(zip(world.operations, world.touched, strict=True)).index(("close", path))
    place = next(each.place for each in told.remains if each.death.at == closing)
    return place.copy(), place.disk.read(path)


def read_with(place: Place, journal: bytes) -> State:
    """Return what is recorded in `place` if that is the journal."""
    place.disk.put(place.journal, journal)
    return place.read()


def records(journal: bytes) -> list[int]:
    """Return where each record begins, and where the last one ends."""
    return [0, *(match.end() for match in re.finditer(b"\n", journal))]


def states_by_record(place: Place, journal: bytes) -> list[State]:
    """Return what is recorded after each number of whole records."""
    return [read_with(place, journal[:end]) for end in records(journal)]


@pytest.mark.parametrize("name", NAMES)
def test_the_journal_of_a_whole_run_tells_of_waits_as_well(name: str) -> None:
    _, journal = last_moment(tell(name))
    kinds = {kind.decode() for kind in re.findall(rb'"kind":"(\w+)"', journal)}
    assert kinds >= {"run", "intent", "acknowledged", "not_applied", "deferred", "not_due", "noted"}


@pytest.mark.parametrize("name", CUT)
def test_a_journal_cut_at_any_byte_tells_of_every_whole_record_and_the_next_run_finishes(name: str) -> None:
    told = tell(name)
    place, journal = last_moment(told)
    ends, states = records(journal), states_by_record(place, journal)
    assert len(journal) >= BYTES
    for cut in range(len(journal)):
        found = read_with(place, journal[:cut])
        whole = sum(end <= cut + 1 for end in ends) - 1  # all of a record but its line's end is as good as written
        assert found == states[whole], cut
    for end in ends[:: 1 if TORTURE else 6]:
        cut_place = place.copy()
        cut_place.disk.put(place.journal, journal[: end + 9])
        # The outcomes behind the cut were never promised; whoever they were about is in doubt and sent again.
        check_truth(told.before, told.plan, {}, sent_before(told, cut_place), cut_place.read())
        check_convergence(cut_place, told.story.desired, {}, EVERYBODY)


def sent_before(told: Told, place: Place) -> list[Arrived]:
    """Return the calls of those whose intent is in the journal that is left: the others were never sent by then."""
    said = place.disk.read(place.journal)
    intended = {int(each) for each in re.findall(rb'"agent":"(\d+)","total"', said)}
    for shared in re.findall(rb'"kind":"intents".*"agents":{([^}]+)}', said):
        intended |= {int(each) for each in re.findall(rb'"(\d+)":', shared)}
    return [each for each in place.floor.book[told.life.first_call :] if each.agent in intended]


@pytest.mark.parametrize("mask", MASKS, ids=hex)
@pytest.mark.parametrize("name", CHANGED)
def test_a_journal_with_any_byte_changed_is_refused_with_the_record_it_is_in(name: str, mask: int) -> None:
    told = tell(name)
    place, journal = last_moment(told)
    ends = records(journal)
    assert len(journal) >= BYTES
    for at in range(len(journal)):
        damaged = bytearray(journal)
        damaged[at] ^= mask
        with pytest.raises(JournalError) as caught:
            read_with(place, bytes(damaged))
        offset = int(re.search(r"journal:(\d+): ", str(caught.value))[1])  # type: ignore[index]
        assert offset == max(end for end in ends if end <= at), at
