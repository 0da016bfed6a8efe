"""Sessions from an environment variable that holds a JSON array.

Rule of this file: the variables are secrets, so they are in no `repr` and no error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.parsing import parse_array
from reconciler.gateway.sessions.source import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.session import Session


class EnvSource(SessionSource):
    """Reads a variable, as a CI system sets it from its own store of secrets."""

    def __init__(self, variable: str, environ: Mapping[str, str]) -> None:
        """Remember which variable of which environment to read."""
        self._variable = variable
        self._environ = environ

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of `agents` that the variable holds."""
        if not agents:
            return {}
        origin = f"environment variable {self._variable}"
        text = self._environ.get(self._variable)
        if text is None:
            raise SessionSourceError(f"{origin} is not set", hint="set it to the JSON array of sessions")
        # Bytes that were not UTF-8 when the variable was set come back as they were, and are refused as such.
        sessions = parse_array(text.encode("utf-8", "surrogateescape"), origin=origin)
        return {agent: sessions[agent] for agent in agents if agent in sessions}
