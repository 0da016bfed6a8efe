"""Where a site's state is kept, as the `state` section of `site.yaml` says: on this machine, unless it says otherwise.

What keeps it elsewhere is in `states_away`. Paths are kept as written.
"""

from __future__ import annotations

from reconciler.values import Struct


class LocalState(Struct, frozen=True, kw_only=True):
    """The state in a file on this machine."""

    path: str = "state.json"
