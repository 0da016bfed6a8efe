"""How far an apply has come: a bar on a terminal, a line now and then elsewhere; on stderr only.

Rules of this file: an outcome costs a count and a look at the clock; whatever is shown is shown a few times a second at
most. Nothing is shown before the run is approved: until then the terminal may be asking for that.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from reconciler.cli.streams import shows_progress, write
from reconciler.model.outcome import Outcome, Result
from reconciler.values import Struct

_BAR_EVERY, _LINE_EVERY = 0.2, 30.0
"""Seconds."""
_ENOUGH, _ENOUGH_SECONDS = 20, 3.0
"""Outcomes, or seconds, that tell the pace: the first ones wait for sessions and connections."""
_TROUBLES = (Result.DEFERRED, Result.FAILED, Result.IN_DOUBT)


class Tally(Struct, frozen=True, kw_only=True):
    """How far a run is."""

    done: int
    total: int
    seconds: float
    """Since it began."""
    counts: Mapping[Result, int]

    def __str__(self) -> str:
        """Say how fast it is, how long the rest takes at that, and what did not go well."""
        rate = self.done / self.seconds if self.seconds > 0 else 0.0
        pace = [f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"] if rate else []  # noqa: PLR2004 - two digits are enough
        left = [f"{_span((self.total - self.done) / rate)} left"] if rate and self._settled else []
        troubles = [f"{self.counts[each]} {str(each).replace('_', ' ')}" for each in _TROUBLES if self.counts[each]]
        return ", ".join([*pace, *left, *troubles])

    @property
    def _settled(self) -> bool:
        return self.done >= _ENOUGH or self.seconds >= _ENOUGH_SECONDS


class Progress:
    """Counts the outcomes of a run, and shows a tally every so often."""

    def __init__(self, show: Callable[[Tally], None], *, every: float, monotonic: Callable[[], float]) -> None:
        """Take who shows a tally, how many seconds are between two of them, and a clock."""
        self._show = show
        self._every = every
        self._monotonic = monotonic
        self._counts: Counter[Result] = Counter()
        self._begun: float | None = None
        self._next = self._total = 0.0

    def begin(self, total: int) -> None:
        """Show at once that a run of so many changes is under way."""
        self._total, self._begun = total, self._monotonic()
        self._tell(self._begun)

    def advance(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self._counts[outcome.result] += 1
        now = self._monotonic()
        if now >= self._next and self._begun is not None:
            self._tell(now)

    def _tell(self, now: float) -> None:
        self._next = now + self._every
        seconds = now - (self._begun or now)
        self._show(
            Tally(done=self._counts.total(), total=int(self._total), seconds=seconds, counts=Counter(self._counts))
        )


@contextmanager
def progress_of(monotonic: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Yield what is to be told when the run begins, and every outcome."""
    if shows_progress(sys.stderr, os.environ):
        with _bar() as show:
            yield Progress(show, every=_BAR_EVERY, monotonic=monotonic)
    else:
        yield Progress(_line, every=_LINE_EVERY, monotonic=monotonic)


def _line(tally: Tally) -> None:
    if tally.done:
        write(sys.stderr, f"applying: {tally.done:,} of {tally.total:,}, {tally}\n")


@contextmanager
def _bar() -> Iterator[Callable[[Tally], None]]:
    from rich.console import Console  # noqa: PLC0415 - a pipeline never loads rich
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415 - as above
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    columns = (TextColumn("applying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"))
    # Drawn when there is something new, and by no thread of its own.
    bar = Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    task = bar.add_task("", total=None, words="")

    def show(tally: Tally) -> None:
        bar.start()
        bar.update(task, total=tally.total, completed=tally.done, words=str(tally), refresh=True)

    try:
        yield show
    finally:
        bar.stop()


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
