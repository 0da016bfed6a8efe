"""Sessions from a file: CSV when its name ends in `.csv`, else a JSON array.

Rules of this file: read anew at every fetch, off the event loop, and parsed anew when a byte of it has changed; a plain
file of at most 16 MiB. The path is shown as the user wrote it.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.parsing import Sessions, parse_array, parse_csv
from reconciler.gateway.sessions.source import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.session import Session

MAX_FILE = 16 * 1024 * 1024
"""In bytes. 100,000 sessions take about 12 MiB; while it is parsed a file can cost 25 times its size in memory."""


class FileSource(SessionSource):
    """Reads a file that somebody else keeps fresh."""

    def __init__(self, path: Path, *, written: str) -> None:
        """Remember the file: `path` to open it, `written` to speak of it."""
        self._path = path
        self._origin = f"session file {written}"
        self._last: tuple[bytes, Sessions] | None = None

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of `agents` that the file holds now."""
        if not agents:
            return {}
        sessions = await asyncio.to_thread(self._read)
        return {agent: sessions[agent] for agent in agents if agent in sessions}

    def _read(self) -> Sessions:
        content = _read_plain(self._path, self._origin)
        # A run reads it for every batch, and to parse all of it takes the time of many calls.
        if self._last is None or self._last[0] != content:
            parse = parse_csv if self._path.name.lower().endswith(".csv") else parse_array
            self._last = content, parse(content, origin=self._origin)
        return self._last[1]


def _read_plain(path: Path, origin: str) -> bytes:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hold the thread for good.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            plain = stat.S_ISREG(os.fstat(handle).st_mode)
            content = file.read(MAX_FILE + 1) if plain else b""
    except OSError as exc:
        raise SessionSourceError(
            f"{origin} cannot be read: {exc.strerror}",
            hint="sessions.path is relative to the environment's directory; write the file just before applying",
        ) from exc
    if not plain:
        raise SessionSourceError(f"{origin} is not a plain file", hint="for a program's output use source: command")
    if len(content) > MAX_FILE:
        raise SessionSourceError(f"{origin} is larger than {MAX_FILE // 1024 // 1024} MiB")
    return content
