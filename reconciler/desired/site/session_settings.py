"""What the `sessions` section of site.yaml says, in typed values.

Rules of this file: a section is checked for what the schema cannot say, and built only when nothing is wrong with it;
what is not written is the model's own default. What concerns the servers that some sites ask is loaded for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.durations import parse_duration
from reconciler.desired.site.sections import parse_secret_reference, parsed, written
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions, SessionUse

if TYPE_CHECKING:
    from reconciler.model.session_sources import SessionSettings

_DEFAULT = FileSessions(path="sessions.json")
_WITHOUT_SERVER = (None, "file", "env", "command")


def session_checks(value: Any) -> Iterator[tuple[tuple[str, ...], Callable[[str], object]]]:
    """Yield what the schema cannot say of the section `value`: each place, and what its text is read with."""
    for key in ("timeout", "max_age"):
        yield ("sessions", key), parse_duration
    for key in ("password", "token", "credentials"):
        yield ("sessions", key), parse_secret_reference
    if isinstance(value, dict) and value.get("source") not in _WITHOUT_SERVER:
        from reconciler.desired.site.session_servers import server_checks  # noqa: PLC0415 - see the rules of this file

        yield from server_checks(value)


def advise_sessions(document: YamlDocument) -> Iterator[Diagnostic]:
    """Warn of sessions that cross a network for everybody to read.

    Args:
        document: site.yaml, found valid.
    """
    if document.value.get("sessions", {}).get("source") == "redis":
        from reconciler.desired.site.session_servers import advise_redis  # noqa: PLC0415 - see the rules of this file

        yield from advise_redis(document)


def build_session_use(value: dict[str, Any]) -> SessionUse:
    """Return how the section wants sessions to be used, whatever their source."""
    return SessionUse(**written(value, "batch"), **parsed(value, parse_duration, "max_age"))


def build_sessions(value: dict[str, Any]) -> SessionSettings:
    """Return the source that the section describes; an empty one is the default."""
    match value.get("source"):
        case None | "file":
            return FileSessions(path=value["path"]) if "path" in value else _DEFAULT
        case "env":
            return EnvSessions(**written(value, "variable"))
        case "command":
            return CommandSessions(command=tuple(value["command"]), **parsed(value, parse_duration, "timeout"))
        case _:
            from reconciler.desired.site.session_servers import build_server  # noqa: PLC0415 - see the rules of this file

            return build_server(value)
