"""What a source of sessions is, and which one the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, assert_never

from reconciler.gateway.sessions.command import CommandSource
from reconciler.gateway.sessions.file import FileSource
from reconciler.gateway.sessions.variable import EnvSource
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions, SessionSettings


class SessionSource(Protocol):
    """Knows who is signed in."""

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of those of `agents` that have one; the others are simply absent.

        Asked anew each time, just before the sessions are used: a Guid is good for a minute or two.

        Raises:
            SessionSourceError: the source as a whole cannot be had or cannot be trusted.
        """
        ...


def open_source(settings: SessionSettings, *, root: Path, environ: Mapping[str, str]) -> SessionSource:
    """Return the source that `settings` describe; nothing is read or started yet.

    Args:
        settings: the site's `sessions`.
        root: the environment's directory, to which paths are relative and in which a command runs.
        environ: the environment variables a source may read, or hand to its command.
    """
    match settings:
        case FileSessions():
            return FileSource(root / settings.path, written=settings.path)
        case EnvSessions():
            return EnvSource(settings.variable, environ)
        case CommandSessions():
            return CommandSource(settings, root=root, environ=environ)
        case _:
            assert_never(settings)
