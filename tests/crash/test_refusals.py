"""The system refuses an operation, once or from then on: nothing is lost, and nothing sent without a journal."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import product

import pytest
from crash.fleets import EVERYBODY
from crash.laws import check_convergence, check_truth
from crash.runs import Life, Place, live
from crash.scale import REFUSALS, TORTURE
from crash.stories import Told, tell
from crash.world import Refusal, ShortWrite

from reconciler.errors import JournalError, ReconcilerError
from reconciler.model.outcome import Outcome

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.EINTR)
WIRE = frozenset({"connect", "send", "receive"})
STORIES = ("forget-1", "forget-3", "reset-1", "reset-8", "away-1", "away-3") if TORTURE else ("forget-1", "away-3")


def refusals(told: Told) -> Iterator[Refusal]:
    """Yield every refusal there can be; in the sample one for each operation, with the errors in turn."""
    numbers = [number for number, name in enumerate(told.life.world.operations) if name != "fetch"]
    if TORTURE:
        yield from (Refusal(*each) for each in product(numbers, ERRORS, (False, True)))
    else:
        yield from (Refusal(number, ERRORS[number % len(ERRORS)], lasting=number % 2 == 1) for number in numbers)


@pytest.mark.parametrize("name", STORIES)
def test_a_refusal_of_the_system_anywhere_loses_nothing_and_the_next_run_finishes_the_work(name: str) -> None:
    told, tried = tell(name), 0
    for refusal in refusals(told):
        tried += 1
        place = told.story.place.copy()
        life = live(place, told.story.desired, refusal)
        try:
            check_refused(told, life, place)
            check_journal_is_final(life, place, workers=told.story.desired.site.gateway.concurrency)
            check_convergence(place, told.story.desired, certain(life), EVERYBODY)
        except BaseException as error:
            error.add_note(f"{refusal}: {life.world.operations[refusal.at]}")
            raise
    assert tried >= REFUSALS.now // len(STORIES)


def check_refused(told: Told, life: Life, place: Place) -> None:
    """It ended with words for people or as if nothing had been, and left the truth, no lock and no open file."""
    assert life.error is None or life.report is None
    error = life.error or (life.report.error if life.report else None)
    assert error is None or isinstance(error, ReconcilerError), repr(error)
    assert place.disk.open_handles == 0
    book = place.floor.book[life.first_call :]
    check_truth(told.before, life.plan or told.plan, certain(life), book, place.read())
    if life.report is not None and life.report.error is None:
        assert place.read().content == life.report.state.content


def certain(life: Life) -> dict[int, Outcome]:
    """Return what may be relied on: all that was told, unless it was said that the last answers may be missing."""
    error = life.report.error if life.report else None
    return {} if "may be missing" in getattr(error, "hint", "") else dict(life.told)


def check_journal_is_final(life: Life, place: Place, *, workers: int) -> None:
    """Once the journal could not be made durable it is left alone, and no call begins but those it already holds."""
    world, at = life.world, life.world.refused_at
    assert life.sent_unsaid == []
    if at is None or world.touched[at] != place.journal or world.refused not in ("write", "fsync"):
        return
    later = list(zip(world.operations[at + 1 :], world.touched[at + 1 :], strict=True))
    assert ("write", place.journal) not in later
    assert ("fsync", place.journal) not in later
    assert [name for name, _ in later].count("send") <= workers - 1
    if life.report is not None:
        assert life.report.error is not None
        assert any(isinstance(each, JournalError) for each in (life.report.error, life.report.error.__cause__))


@pytest.mark.parametrize("name", ["forget-3", "reset-8"])
def test_no_call_is_begun_or_repeated_once_the_journal_has_failed(name: str) -> None:
    told = tell(name)
    for refusal in refusals_of_the_journal(told):
        place = told.story.place.copy()
        life = live(place, told.story.desired, refusal)
        try:
            check_journal_is_final(life, place, workers=told.story.desired.site.gateway.concurrency)
        except AssertionError as error:
            error.add_note(str(refusal))
            raise


def refusals_of_the_journal(told: Told) -> Iterator[Refusal]:
    operations = zip(told.life.world.operations, told.life.world.touched, strict=True)
    for number, (name, path) in enumerate(operations):
        if name in ("write", "fsync") and path == told.story.place.journal:
            yield Refusal(number, errno.ENOSPC)


@pytest.mark.parametrize("name", ["forget-1", "away-1"])
def test_a_journal_that_cannot_be_closed_is_whole_all_the_same(name: str) -> None:
    told, place = tell(name), tell(name).story.place.copy()
    closing = list(zip(told.life.world.operations, told.life.world.touched, strict=True)).index(
        ("close", place.journal)
    )
    life = live(place, told.story.desired, Refusal(closing, errno.EIO))
    assert life.report is not None
    assert life.report.error is None
    assert place.read().content == told.life.report.state.content  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["forget-1", "reset-8", "away-1"])
@pytest.mark.parametrize("size", [7, 64])
def test_a_disk_that_takes_a_few_bytes_at_a_time_changes_nothing(name: str, size: int) -> None:
    told, place = tell(name), tell(name).story.place.copy()
    life = live(place, told.story.desired, ShortWrite(None, size))
    whole = told.story.place.copy()
    live(whole, told.story.desired)
    assert life.told == told.life.told
    assert place.disk.files() == whole.disk.files()
    assert life.world.operations.count("write") > 2 * told.life.world.operations.count("write")
