"""Closing the session source, on every way out of a run and within its patience.

A source may hold something that must not be left behind: agents it has signed in. It is given the time that calls in
flight are given, and a moment more, since it can begin only when they have ended. An interrupt is followed by a kill
after 7.5 s (see `cli.signals`), so there is no more than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.applying.stop import Stop
from reconciler.gateway import SessionSource

LAST_MOMENT = 0.75
"""Seconds for closing after an interrupt's grace is over."""
LONGEST = 30.0
"""Seconds for closing when nobody is in a hurry."""


@asynccontextmanager
async def closing(source: SessionSource, stop: Stop) -> AsyncIterator[None]:
    """Close `source` at the end, whatever the end is; a bug in it becomes a reason to stop and is not raised."""
    patience = asyncio.create_task(_patience_and_a_moment(stop))  # from now on: its grace runs from the interrupt
    try:
        yield
    finally:
        closed = asyncio.create_task(source.close())
        try:
            await asyncio.wait({closed, patience}, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            patience.cancel()
            _, bug = await asyncio.gather(patience, closed, return_exceptions=True)
            if isinstance(bug, Exception):
                stop.request(bug)


async def _patience_and_a_moment(stop: Stop) -> None:
    await stop.patience_over()
    await asyncio.sleep(LAST_MOMENT)
