"""Where a site's sessions come from, as the `sessions` section of `site.yaml` says: what this machine has itself.

Servers that are asked for them are in `session_servers`, and `session_sources` has all there are. Paths are kept as
written.
"""

from __future__ import annotations

from reconciler.model.bounds import require_positive, require_whole
from reconciler.values import Struct

MAX_BATCH = 1000


class SessionUse(Struct, frozen=True, kw_only=True):
    """How sessions are read and used, whatever their source."""

    max_age: float = 45.0
    """Seconds a session may wait between being read and being used; above 0. A Guid may live for 60."""
    batch: int | None = None
    """For how many agents the source is asked at once, 1 to 1000; `None`: for a few seconds of calling."""

    def __post_init__(self) -> None:
        """Refuse an age or a batch that is none."""
        require_positive("max_age", self.max_age)
        if self.batch is not None:
            require_whole("batch", self.batch, 1, MAX_BATCH)


class FileSessions(Struct, frozen=True, kw_only=True):
    """Sessions from a JSON or CSV file, read anew each time they are needed."""

    path: str
    """Told apart by its ending: `.csv` is CSV, everything else JSON."""


class EnvSessions(Struct, frozen=True, kw_only=True):
    """Sessions from an environment variable that holds the JSON array."""

    variable: str = "RECONCILER_SESSIONS"


class CommandSessions(Struct, frozen=True, kw_only=True):
    """Sessions from a program: agent ids in, sessions out, a JSON line each."""

    command: tuple[str, ...]
    """The program and its arguments; no shell reads them. Run in the environment's directory."""
    timeout: float = 10.0
    """Seconds the program may take for one batch; above 0."""

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        require_positive("timeout", self.timeout)
