"""Closing a session source on every way out of whatever needed it, and before it is too late.

A source may hold something that must not be left behind: agents it has signed in. Rule of this file: it is closed once,
whatever the end is, and gets all the time there is and no more, since an interrupt is followed by a kill.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from reconciler.gateway.sessions.source import SessionSource

LONGEST = 30.0
"""Seconds for closing when nobody is in a hurry."""


@asynccontextmanager
async def closing(
    source: SessionSource, *, too_late: Callable[[], Coroutine[Any, Any, None]], on_bug: Callable[[Exception], None]
) -> AsyncIterator[None]:
    """Close `source` at the end, whatever the end is.

    Args:
        source: asked nothing any more once the block is left.
        too_late: returns when it must be over. It is awaited from the beginning on, so that a time may count from an
            interrupt.
        on_bug: told what `source` raised, if it did; that is not raised here.
    """
    limit = asyncio.create_task(too_late())
    try:
        yield
    finally:
        closed = asyncio.create_task(source.close())
        try:
            await asyncio.wait({closed, limit}, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            limit.cancel()
            _, bug = await asyncio.gather(limit, closed, return_exceptions=True)
            if isinstance(bug, Exception):
                on_bug(bug)
