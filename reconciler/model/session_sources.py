"""Every source that a site's sessions can come from: a closed family, and whoever handles it ends with `assert_never`.

A site uses one of them, so whoever only reads the settings of a site does not load this.
"""

from __future__ import annotations

from reconciler.model.session_servers import HttpSessions, RedisSessions
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions
from reconciler.model.sign_in_settings import SignInSessions

SessionSettings = FileSessions | EnvSessions | CommandSessions | RedisSessions | HttpSessions | SignInSessions
