"""Asking somebody at the terminal what is seen of an agent, while the event loop goes on.

Rule of this file: nothing here blocks. Whoever waits for a line can be told to stop, and a pause ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from reconciler.cli.streams import write
from reconciler.probing import Question, Seen

_ANSWERS = {"kept": Seen.KEPT, "gone": Seen.GONE, "": Seen.UNCLEAR, "unclear": Seen.UNCLEAR}


async def look_at_the_agent(question: Question) -> Seen:
    """Return what somebody at the terminal sees; unclear if nobody says in time."""
    name = question.channel.label
    write(
        sys.stderr,
        f"\n{name} was left out of the last call; before, the agent had {question.number} for it. Look at the agent's "
        f"desktop or Personal Center:\n  kept     {name} still has {question.number}\n  gone     {name} has none\n"
        f"  unclear  anything else, or just Enter (so too after {question.seconds:.0f} s)\n",
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(question.seconds):
            return await _answer()
    return Seen.UNCLEAR


async def _answer() -> Seen:
    while True:
        write(sys.stderr, "what is seen? ")
        said = (await _line()).strip().lower()
        if said in _ANSWERS:
            return _ANSWERS[said]
        write(sys.stderr, "one of kept, gone, unclear\n")


async def _line() -> str:
    """Return the next line of the terminal; empty at its end."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def on_readable() -> None:  # a terminal has a whole line then
        if not line.done():
            line.set_result(sys.stdin.readline())

    handle = sys.stdin.fileno()
    loop.add_reader(handle, on_readable)
    try:
        return await line
    finally:
        loop.remove_reader(handle)
