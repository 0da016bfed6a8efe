"""Where the sessions come from: `open_source` gives the source that a site asks for, and `closing` closes it.

Rules of this folder: a source gives sessions and keeps none, and no text of it shows a Guid, a cookie or a secret. An
agent without a session is an answer; a source that cannot answer is an error.
"""

from __future__ import annotations

from reconciler.gateway.sessions.closing import closing
from reconciler.gateway.sessions.opening import open_source
from reconciler.gateway.sessions.signin import SignInAccess
from reconciler.gateway.sessions.source import SessionSource

__all__ = ["SessionSource", "SignInAccess", "closing", "open_source"]
