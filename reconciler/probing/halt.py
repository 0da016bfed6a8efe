"""Being told to stop: all waiting of the experiment ends at once, and what remains is to restore the agent.

Rule of this file: whoever restores does not ask here; it has a deadline instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class Halt:
    """The switch. Once thrown it stays thrown. For one event loop."""

    def __init__(self) -> None:
        """Begin with nobody having asked."""
        self._thrown = asyncio.Event()
        self.error: BaseException | None = None

    def request(self, error: BaseException) -> None:
        """Ask for the end, and say why; the first reason counts."""
        self.error = self.error or error
        self._thrown.set()

    @property
    def requested(self) -> bool:
        """Tell whether somebody asked."""
        return self._thrown.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._thrown.wait(), seconds)

    async def thrown_since(self, seconds: float) -> None:
        """Return so many seconds after somebody asked: never, while nobody does."""
        await self._thrown.wait()
        await asyncio.sleep(seconds)

    async def race(self, work: Coroutine[Any, Any, _T], *, grace: float = 0.0) -> _T | None:
        """Return what `work` returns, or `None` when somebody asked and `grace` seconds later it is not done.

        It is cancelled then. Whatever it raises is raised here.
        """
        working, thrown = asyncio.ensure_future(work), asyncio.ensure_future(self._thrown.wait())
        try:
            await asyncio.wait({working, thrown}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=grace)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            thrown.cancel()
            await asyncio.gather(working, thrown, return_exceptions=True)
