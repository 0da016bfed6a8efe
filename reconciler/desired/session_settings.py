"""What the `sessions` section of site.yaml says, in typed values.

Rule of this file: it is given a section that nothing is wrong with; what is not written is the model's own default.
"""

from __future__ import annotations

from typing import Any

from reconciler.desired.durations import parse_duration
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions, SessionSettings

_DEFAULT = FileSessions(path="sessions.json")


def build_sessions(value: dict[str, Any]) -> SessionSettings:
    """Return the source that the section describes; an empty one is the default."""
    match value.get("source"):
        case "env":
            return EnvSessions(variable=value["variable"]) if "variable" in value else EnvSessions()
        case "command":
            timeout = {"timeout": parse_duration(value["timeout"])} if "timeout" in value else {}
            return CommandSessions(command=tuple(value["command"]), **timeout)
    return FileSessions(path=value["path"]) if "path" in value else _DEFAULT
