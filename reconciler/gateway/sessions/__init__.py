"""Where the sessions come from: `open_source` gives the source that the site's settings ask for."""

from __future__ import annotations

from reconciler.gateway.sessions.source import SessionSource, open_source

__all__ = ["SessionSource", "open_source"]
