"""The keys of the sessions alive now, from the environment's own session source, for `--sessions`.

Imported only where sessions are compared: a plan that does not must not load what talks to anybody.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from reconciler.applying import read_session_keys
from reconciler.cli.environment import Environment
from reconciler.errors import UsageError
from reconciler.gateway import open_source
from reconciler.model.agent import AgentId
from reconciler.model.session_settings import MAX_BATCH
from reconciler.planning import SessionKeys


def session_keys_of(opened: Environment, agents: Sequence[AgentId]) -> SessionKeys:
    """Return the keys of those of `agents` who have a session now.

    Raises:
        SessionSourceError: the source failed as a whole.
        UsageError: the source would have to sign them in to know.
    """
    try:
        source = open_source(opened.desired.site.sessions, root=opened.root, environ=os.environ)
    except UsageError as error:
        raise UsageError(str(error), hint="leave --sessions out; a plan saved with it has to be made anew") from None
    batch = opened.desired.site.session_use.batch or MAX_BATCH
    return asyncio.run(read_session_keys(source, agents, batch=batch))
