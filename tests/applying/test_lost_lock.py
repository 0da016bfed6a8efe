"""An apply whose lock went to another: it sends nothing more, says so, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest
from applying.rehearsed import Office
from state.memory import MemoryBackend
from support.fleets import NOW

from reconciler.errors import ExitCode, LockLostError, StateConflictError
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.outcome import Outcome, Result
from reconciler.state import Setting, StateStore
from reconciler.state.opening_away import open_away_store

VALUES = Concurrency.of(8, {Channel.WEB_CHAT: 4})
FLEET = range(1001, 1021)


def store(backend: MemoryBackend, root: Path) -> StateStore:
    around = Setting(
        root=root,
        site="demo",
        environ={},
        resolve=lambda _reference, _what: "",
        clock=lambda: NOW,
        new_lineage=lambda: "11111111-2222-4333-8444-555555555555",
        environment="demo",
    )
    return open_away_store(backend, journal=".reconciler", around=around)


def test_a_run_whose_lock_is_broken_stops_and_tells_every_outcome(office: Office) -> None:
    backend = MemoryBackend(lease=0.2)
    office.sign_in(*FLEET)
    lost = Event()
    kept = store(backend, office.directory)

    def break_it(_: Outcome) -> None:
        if not lost.is_set():
            backend.lock().unlock("run-1")
            kept.watch_lock(lambda _: lost.set())
            assert lost.wait(20)

    gateway = office.gateway(concurrency=1)
    report = office.apply(
        office.desired(dict.fromkeys(FLEET, VALUES), gateway=gateway), on_outcome=break_it, around={"store": kept}
    )

    assert isinstance(report.error, LockLostError)
    assert report.error.exit_code is ExitCode.LOCK_HELD
    results = [outcome.result for outcome in report.outcomes]
    assert len(results) == len(FLEET)
    assert results.count(Result.APPLIED) == office.calls() < len(FLEET)
    assert results.count(Result.APPLIED) + results.count(Result.SKIPPED) == len(FLEET)
    assert kept.read().agents == report.state.agents  # nobody else has written, so the truth could be


@pytest.mark.parametrize(
    ("fault", "result"),
    [("retcode:000-007", Result.FAILED), ("reset-after-commit", Result.IN_DOUBT)],
    ids=["failed-for-now", "without-an-answer"],
)
def test_a_holder_whose_lease_has_run_out_does_not_even_try_again(office: Office, fault: str, result: Result) -> None:
    backend = MemoryBackend()
    office.sign_in(1001)
    office.server.add_faults(f"1001#1={fault}")

    def long_ago() -> float:  # asked for between two attempts: the lease runs out before anybody could tell the run
        backend.clock.seconds += backend.lease
        return 0.0

    report = office.apply(
        office.desired({1001: VALUES}), around={"store": store(backend, office.directory), "chance": long_ago}
    )

    assert office.calls() == 1
    assert isinstance(report.error, LockLostError)
    assert [(each.result, each.attempts) for each in report.outcomes] == [(result, 1)]


def test_a_run_that_was_overtaken_leaves_the_state_of_the_other(office: Office) -> None:
    backend = MemoryBackend()
    office.sign_in(*FLEET)
    (office.directory / "other").mkdir()

    def run_elsewhere() -> None:
        if backend.lock().unlock("run-1") is not None:
            other = store(backend, office.directory / "other")
            office.apply(office.desired({1001: VALUES}), around={"store": other})

    def overtake(_: Outcome) -> None:
        thread = Thread(target=run_elsewhere)  # a run of its own needs a loop of its own
        thread.start()
        thread.join()

    report = office.apply(
        office.desired({1001: VALUES, 1002: VALUES}),
        on_outcome=overtake,
        around={"store": store(backend, office.directory)},
    )

    assert isinstance(report.error, StateConflictError)
    assert "the next apply sends them again" in report.error.hint
    found = store(backend, office.directory / "third").read()
    assert found.open_run is None
    assert sorted(found.agents) == [1001]
