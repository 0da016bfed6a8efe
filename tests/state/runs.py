"""Whole runs against a store, in one line each, for the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from state.records import (
    holder,
)

from reconciler.model.state import State
from reconciler.state import StateStore
from reconciler.state.journal.recorder import Recorder

Work = Callable[[Recorder], Coroutine[Any, Any, None]]


def names(directory: Path) -> list[str]:
    return sorted(found.name for found in directory.iterdir())


def run(kept: StateStore, *works: Work, rescue: Path = Path()) -> State:
    with kept.lock(holder()):
        recorder = kept.begin_run()
        for work in works:
            asyncio.run(work(recorder))
        return recorder.finish(rescue_directory=rescue)


def leave(kept: StateStore, work: Work) -> None:
    """Begin a run that never finishes."""
    with kept.lock(holder()):
        asyncio.run(work(kept.begin_run()))


async def nothing(_: Recorder) -> None:
    pass
