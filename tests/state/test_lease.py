"""A lock that runs out: never two holders at a time, whatever clocks, networks and answers do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state.memory import Clock, MemoryPlace
from state.records import holder

from reconciler.errors import ExitCode, LockHeldError, LockLostError, StateError, StateUnansweredError
from reconciler.state.backends.lease import LeaseHold, LeaseLock
from reconciler.state.locks.lock import Busy, Hold, LockRecord, Waiting, read_lock, take_when_free, write_lock
from reconciler.values import replace

ALICE, BOB = holder("alice@desk", "run-1"), holder("bob@night", "run-2")


def lock(place: MemoryPlace, clock: Clock, lease: float = 60.0) -> LeaseLock:
    return LeaseLock(place, name="the state", clocks=clock.clocks(), lease=lease)


def held(found: Hold | Busy) -> LeaseHold:
    assert isinstance(found, LeaseHold)
    return found


def busy(found: Hold | Busy) -> Busy:
    assert isinstance(found, Busy)
    return found


def dead_lock(
    place: MemoryPlace, *, lease: float | None = 60.0, heartbeat: str | None = "2026-01-31T09:29:30Z"
) -> None:
    place.save(write_lock(LockRecord(holder=ALICE, heartbeat=heartbeat, lease=lease)), expected=None)


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def test_the_lock_says_who_holds_it_until_it_is_let_go_of() -> None:
    place, clock = MemoryPlace(), Clock()
    hold = held(lock(place, clock).take(replace(ALICE, url="https://ci.example/1")))
    record = read_lock(place.saves[-1])
    assert record is not None
    assert (record.holder, record.lease) == (replace(ALICE, url="https://ci.example/1"), 60.0)
    assert record.heartbeat == clock.now
    assert busy(lock(place, clock).take(BOB)).record == record
    hold.release()
    held(lock(place, clock).take(BOB)).release()


def test_a_lock_that_is_renewed_is_never_taken_over_whatever_the_clocks_say() -> None:
    place, clock = MemoryPlace(), Clock()
    dead_lock(place, heartbeat="2016-01-31T09:30:00Z")  # by its own clock, dead for ten years
    contender = lock(place, clock)
    for beat in range(1, 20):
        assert busy(contender.take(BOB)).certain_in is not None
        clock.seconds += 59
        assert place.stored is not None
        record = LockRecord(holder=ALICE, heartbeat="2016-01-31T09:30:00Z", lease=60.0, beat=beat)
        place.save(write_lock(record), expected=place.stored.version)
    assert isinstance(contender.take(BOB), Busy)


@pytest.mark.parametrize("now", ["2016-01-31T09:30:00Z", "2026-01-31T08:30:00Z", "2036-01-31T09:30:00Z"])
def test_a_lock_unchanged_for_a_lease_under_ones_own_eyes_is_taken_over_and_not_before(now: str) -> None:
    place, clock = MemoryPlace(), Clock(now)
    dead_lock(place)
    contender = lock(place, clock)
    contender.take(BOB)
    clock.seconds += 59.9
    assert isinstance(contender.take(BOB), Busy)
    clock.seconds += 0.1
    hold = held(contender.take(BOB))
    assert hold.taken_over is not None
    assert hold.taken_over.holder == ALICE
    hold.release()


@pytest.mark.parametrize(
    ("now", "looks_dead"),
    [
        pytest.param("2026-01-31T09:30:00Z", False, id="seen-half-a-minute-ago"),
        pytest.param("2026-01-31T09:30:30Z", True, id="seen-a-lease-ago"),
        pytest.param("2026-01-31T08:00:00Z", False, id="seen-in-the-future"),
    ],
)
def test_only_who_looks_dead_is_watched_when_nobody_wants_to_wait(now: str, looks_dead: bool) -> None:
    place, clock = MemoryPlace(), Clock(now)
    dead_lock(place)
    assert (busy(lock(place, clock).take(BOB)).certain_in is not None) is looks_dead


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{", id="half"),
        pytest.param(b'{"id":"x"}', id="fields-missing"),
        pytest.param(b'{"id":1,"who":2,"operation":3,"since":4}', id="not-text"),
        pytest.param(b"\xff" * 40, id="no-text"),
    ],
)
def test_a_lock_that_cannot_be_read_holds_for_a_lease_and_no_longer(data: bytes) -> None:
    place, clock = MemoryPlace(), Clock()
    place.save(data, expected=None)
    contender = lock(place, clock)
    assert busy(contender.take(BOB)).record is None
    clock.seconds += 60
    held(contender.take(BOB)).release()


@pytest.mark.parametrize("lease", [float("inf"), 1e9, -1.0, 0.0, float("nan")])
def test_a_lease_without_end_or_sense_ends_all_the_same(lease: float) -> None:
    place, clock = MemoryPlace(), Clock()
    place.save(write_lock(LockRecord(holder=ALICE, heartbeat=None, lease=lease)), expected=None)
    contender = lock(place, clock)
    assert isinstance(contender.take(BOB), Busy)
    clock.seconds += 3600
    held(contender.take(BOB)).release()


def test_of_two_who_take_it_over_at_once_one_is_refused() -> None:
    place, clock = MemoryPlace(), Clock()
    dead_lock(place)
    contenders = [lock(place, clock) for _ in range(2)]
    for contender in contenders:
        contender.take(BOB)
    clock.seconds += 60
    carol = holder("carol@noon", "run-3")
    winner: list[Hold] = []

    def overtake() -> None:
        place.before_save = lambda: None
        winner.append(held(contenders[1].take(carol)))

    place.before_save = overtake  # just as the first is about to write
    found = busy(contenders[0].take(BOB))
    assert found.record is not None
    assert found.record.holder == carol
    winner[0].release()


def test_a_lock_whose_answer_was_lost_is_ours_all_the_same() -> None:
    place, clock = MemoryPlace(), Clock()
    place.refusals.append(StateUnansweredError("no answer came"))
    held(lock(place, clock).take(ALICE)).release()


def test_a_lock_that_could_not_be_written_is_an_error_not_a_hold() -> None:
    place, clock = MemoryPlace(), Clock()
    place.refusals.append(StateError("no"))
    with pytest.raises(StateError, match=r"^no$"):
        lock(place, clock).take(ALICE)


def test_a_lock_is_renewed_while_its_holder_is_busy() -> None:
    place, clock = MemoryPlace(), Clock()
    hold = held(lock(place, clock, lease=0.2).take(ALICE))
    wait_until(lambda: len(place.saves) >= 5)
    hold.require()
    records = [read_lock(data) for data in place.saves]
    assert [record.beat for record in records if record is not None] == list(range(len(records)))
    hold.release()
    assert not place.saves[-1].strip()
    renewals = len(place.saves)
    time.sleep(0.2)
    assert len(place.saves) == renewals


def test_a_renewal_whose_answer_was_lost_costs_nothing() -> None:
    place, clock = MemoryPlace(), Clock()
    hold = held(lock(place, clock, lease=0.4).take(ALICE))
    place.refusals.append(StateUnansweredError("no answer came"))
    wait_until(lambda: not place.refusals)
    seen = len(place.saves)
    wait_until(lambda: len(place.saves) > seen + 1)
    hold.require()
    hold.release()


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda place, clock: lock(place, clock).unlock("run-1"), id="broken"),
        pytest.param(
            lambda place, _: place.save(
                write_lock(LockRecord(holder=BOB, heartbeat=None, lease=60.0)), expected=place.stored.version
            ),
            id="taken-over",
        ),
    ],
)
def test_a_holder_whose_lock_went_to_another_is_told_and_lets_it_alone(
    happens: Callable[[MemoryPlace, Clock], object],
) -> None:
    place, clock = MemoryPlace(), Clock()
    hold = held(lock(place, clock, lease=0.2).take(ALICE))
    lost: list[LockLostError] = []
    hold.watch(lost.append)
    happens(place, clock)
    wait_until(lambda: lost)
    assert "broken, or taken over by another run; nothing more is sent" in str(lost[0])
    assert lost[0].exit_code is ExitCode.LOCK_HELD
    with pytest.raises(LockLostError):
        hold.require()
    again: list[LockLostError] = []
    hold.watch(again.append)
    assert again == lost
    kept = place.stored
    hold.release()
    assert place.stored == kept


def test_a_holder_who_cannot_renew_gives_up_before_anybody_else_may_begin() -> None:
    place, clock = MemoryPlace(), Clock()
    hold = held(lock(place, clock).take(ALICE))
    contender = lock(place, clock)
    contender.take(BOB)  # sees the lock at the same moment: the earliest it can be certain is a lease from now
    lost = threading.Event()
    hold.watch(lambda _: lost.set())
    clock.seconds += 44.9
    hold.require()
    clock.seconds += 0.2
    with pytest.raises(LockLostError, match="could not be renewed in time"):
        hold.require()
    assert lost.is_set()
    assert isinstance(contender.take(BOB), Busy)
    hold.release()


def test_a_place_that_does_not_answer_is_noticed_without_anybody_asking() -> None:
    place, clock = MemoryPlace(), Clock()
    silent = threading.Event()
    hold = held(
        LeaseLock(place, name="x", clocks=replace(clock.clocks(), steady=time.monotonic), lease=0.4).take(ALICE)
    )

    def hang() -> None:
        silent.wait(20)

    place.before_save = hang
    lost = threading.Event()
    hold.watch(lambda _: lost.set())
    assert lost.wait(20)
    silent.set()
    hold.release()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "release", "wait", "die"])), max_size=40))
def test_whoever_may_send_is_alone(steps: list[tuple[str, str]]) -> None:
    """A model: machines take, let go, die and wait, and at no moment may two of them send."""
    place, clock = MemoryPlace(), Clock()
    locks = {name: lock(place, clock) for name in "abc"}
    holds: dict[str, LeaseHold] = {}
    abandoned: list[LeaseHold] = []
    for name, step in steps:
        match step:
            case "take" if name not in holds:
                found = locks[name].take(holder(name, f"run-{name}-{len(place.saves)}"))
                if isinstance(found, LeaseHold):
                    holds[name] = found
            case "release" if name in holds:
                holds.pop(name).release()
            case "die" if name in holds:
                abandoned.append(holds[name])  # it goes on believing, and renews nothing
            case "wait":
                clock.seconds += 20
        assert sum(may_send(hold) for hold in holds.values()) <= 1
    for hold in (*holds.values(), *abandoned):
        hold.release()


def may_send(hold: LeaseHold) -> bool:
    try:
        hold.require()
    except LockLostError:
        return False
    return True


def waiting(clock: Clock, patience: float, told: list[str]) -> Waiting:
    def sleep(seconds: float) -> None:
        assert seconds > 0
        clock.seconds += seconds

    return Waiting(patience=patience, tell=told.append, steady=lambda: clock.seconds, sleep=sleep)


@pytest.mark.parametrize("patience", [0.0, 30.0])
def test_patience_ends_with_the_name_of_the_holder(patience: float) -> None:
    place, clock = MemoryPlace(), Clock()
    dead_lock(place)
    told: list[str] = []
    with pytest.raises(LockHeldError, match="the state is locked by alice@desk") as caught:
        take_when_free(lock(place, clock), BOB, waiting(clock, patience, told), name="the state")
    assert "last heartbeat 2026-01-31T09:29:30Z" in str(caught.value)
    assert "reconciler state unlock run-1" in caught.value.hint
    assert clock.seconds == 1000 + patience
    assert len(told) == (patience > 0)
    assert all("waiting for up to 30 s (--lock-timeout)" in text for text in told)


def test_a_holder_who_looks_dead_is_watched_for_a_lease_even_without_patience() -> None:
    place, clock = MemoryPlace(), Clock("2026-01-31T12:00:00Z")
    dead_lock(place)
    told: list[str] = []
    hold = take_when_free(lock(place, clock), BOB, waiting(clock, 0, told), name="the state")
    assert clock.seconds == 1060
    assert "watching it for 60 s, to be sure that it has run out (or break it: state unlock)" in told[0]
    assert told[1].startswith("took over the lock on the state of alice@desk (apply, since 2026-01-31T09:30:00Z")
    hold.release()


def test_a_lock_that_comes_alive_while_it_is_broken_is_not_broken() -> None:
    place, clock = MemoryPlace(), Clock()
    dead_lock(place)

    def renew() -> None:
        place.before_save = lambda: None
        assert place.stored is not None
        record = LockRecord(holder=ALICE, heartbeat=None, lease=60.0, beat=1)
        place.save(write_lock(record), expected=place.stored.version)

    place.before_save = renew
    with pytest.raises(LockHeldError, match="is alive: it was renewed by alice@desk"):
        lock(place, clock).unlock("run-1")


def test_who_was_faster_is_the_one_whose_lock_the_advice_names() -> None:
    place, clock = MemoryPlace(), Clock()

    def alice_is_faster() -> None:
        place.before_save = lambda: None
        alice.append(held(lock(place, clock).take(ALICE)))

    alice: list[LeaseHold] = []
    place.before_save = alice_is_faster
    refused = busy(lock(place, clock).take(BOB))
    assert refused.record is not None
    assert refused.record.holder == ALICE
    assert "reconciler state unlock run-1" in refused.advice
    alice[0].release()


def test_the_command_that_breaks_a_lock_names_the_environment_and_is_safe_to_copy() -> None:
    place, clock = MemoryPlace(), Clock()
    place.save(write_lock(LockRecord(holder=replace(ALICE, id="$(reboot)"), heartbeat=None, lease=60.0)), expected=None)
    contender = LeaseLock(place, name="the state", clocks=clock.clocks(), environment="my site")
    assert busy(contender.take(BOB)).advice.endswith("reconciler state unlock '$(reboot)' 'my site'")


def test_waiting_for_a_holder_who_cannot_be_named_is_told_once_and_so_is_taking_over_from_them() -> None:
    place, clock, lines = MemoryPlace(), Clock(), list[str]()
    place.save(b"not for people", expected=None)

    def sleep(seconds: float) -> None:
        clock.seconds += seconds

    waiting = Waiting(patience=300.0, tell=lines.append, steady=lambda: clock.seconds, sleep=sleep)
    take_when_free(lock(place, clock), BOB, waiting, name="the state").release()
    waited, over = lines
    assert waited.startswith("the state is locked by another run; watching it for")
    assert "unlock" not in waited
    assert over == "took over the lock on the state of a holder who cannot be named: it gave no sign of life any more"


def test_a_lock_that_cannot_be_read_is_broken_by_no_id_and_the_way_out_is_named() -> None:
    place, clock = MemoryPlace(), Clock()
    place.save(b"{", expected=None)
    with pytest.raises(LockHeldError, match="the state is locked by another run") as caught:
        lock(place, clock).unlock("run-1")
    assert "--lock-timeout 5m" in caught.value.hint
