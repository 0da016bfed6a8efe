"""Where a site's sessions come from, as the `sessions` section of `site.yaml` says: one class per source.

Paths are kept as written; a secret never stands here, only a reference to where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.bounds import require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSessions:
    """Sessions from a JSON or CSV file, read anew each time they are needed."""

    path: str
    """Told apart by its ending: `.csv` is CSV, everything else JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSessions:
    """Sessions from an environment variable that holds the JSON array."""

    variable: str = "RECONCILER_SESSIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSessions:
    """Sessions from a program: agent ids in, sessions out, a JSON line each."""

    command: tuple[str, ...]
    """The program and its arguments; no shell reads them. Run in the environment's directory."""
    timeout: float = 10.0
    """Seconds the program may take for one batch; above 0."""

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        require_positive("timeout", self.timeout)


SessionSettings = FileSessions | EnvSessions | CommandSessions
