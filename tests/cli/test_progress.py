"""What a person sees of a run under way, and how little it costs."""

from __future__ import annotations

import pytest

from reconciler.cli.progress import Progress, Tally, progress_of
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action


class Clock:
    """A clock that is moved by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def outcome(result: Result = Result.APPLIED) -> Outcome:
    return Outcome(agent=AgentId(1001), action=Action.SET, result=result)


def test_a_run_is_seen_at_once_and_then_every_so_often() -> None:
    clock, seen = Clock(), list[Tally]()
    progress = Progress(seen.append, every=0.2, monotonic=clock)
    progress.begin(10_000)
    for _ in range(10_000):  # at 1,000 a second
        clock.seconds += 0.001
        progress.advance(outcome())

    assert seen[0].done == 0
    assert len(seen) == pytest.approx(1 + 10 / 0.2, abs=2)
    assert seen[-1].done > 9_700


def test_nothing_is_shown_before_the_run_is_approved() -> None:
    seen = list[Tally]()
    Progress(seen.append, every=0.2, monotonic=Clock()).advance(outcome())

    assert seen == []


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        pytest.param(Tally(done=0, total=5, seconds=0.0, counts={}), "", id="nothing-yet"),
        pytest.param(
            Tally(done=1900, total=10_000, seconds=100.0, counts=dict.fromkeys(Result, 0)),
            "19/s, 7 min 06 s left",
            id="minutes",
        ),
        pytest.param(
            Tally(done=10, total=100, seconds=5.0, counts=dict.fromkeys(Result, 0) | {Result.IN_DOUBT: 2}),
            "2.0/s, 45 s left, 2 in doubt",
            id="slow-with-doubts",
        ),
        pytest.param(
            Tally(done=1000, total=100_000, seconds=100.0, counts=dict.fromkeys(Result, 0)),
            "10/s, 2 h 45 min left",
            id="hours",
        ),
        pytest.param(
            Tally(done=1, total=2400, seconds=0.5, counts=dict.fromkeys(Result, 0)), "2.0/s", id="too-early-to-tell"
        ),
    ],
)
def test_a_tally_tells_the_rate_the_time_left_and_the_troubles(tally: Tally, words: str) -> None:
    counts = {**dict.fromkeys(Result, 0), **tally.counts}

    assert str(Tally(done=tally.done, total=tally.total, seconds=tally.seconds, counts=counts)) == words


def test_a_pipeline_gets_a_line_twice_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with progress_of(clock) as progress:
        progress.begin(1200)
        for _ in range(1200):  # at ten a second
            clock.seconds += 0.1
            progress.advance(outcome())

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) in (3, 4)
    assert err.startswith("applying: 30")
    assert "of 1,200, 10/s, 1 min 30 s left\n" in err
