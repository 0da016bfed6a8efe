"""The progress bar of an apply: on a terminal only, on stderr only."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.streams import shows_progress
from reconciler.model.outcome import Outcome, Result


@contextmanager
def progress_of(total: Callable[[], int]) -> Iterator[Callable[[Outcome], None]]:
    """Yield what is to be told every outcome; where a bar makes no sense it does nothing.

    Args:
        total: gives the number of outcomes to come, asked at the first of them.
    """
    if not shows_progress(sys.stderr, os.environ):
        yield lambda _: None
        return
    with _bar(total) as advance:
        yield advance


@contextmanager
def _bar(total: Callable[[], int]) -> Iterator[Callable[[Outcome], None]]:
    from rich.console import Console  # noqa: PLC0415 - a pipeline never loads rich
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("applying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[troubles]}"),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task("", total=None, troubles="")
    counts: Counter[Result] = Counter()

    def advance(outcome: Outcome) -> None:
        progress.start()  # not before: until the first outcome the terminal may be asking for approval
        counts[outcome.result] += 1
        progress.update(task, total=total(), advance=1, troubles=_troubles(counts))

    try:
        yield advance
    finally:
        progress.stop()


def _troubles(counts: Counter[Result]) -> str:
    wanted = (Result.DEFERRED, Result.FAILED, Result.IN_DOUBT)
    return ", ".join(f"{counts[result]} {str(result).replace('_', ' ')}" for result in wanted if counts[result])
