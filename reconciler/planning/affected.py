"""Whom an edit of the files is about: the agents whose desired values differ between two readings of an environment.

Rules of this file: only what a plan is made of counts. Lines that moved, files renamed, profiles that say the same in
other words affect nobody; a site's setting that changes what every call carries affects everybody.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.site import Site

_SHAPING: tuple[tuple[str, Callable[[Site], object]], ...] = (
    ("name", lambda site: site.name),
    ("gateway.url", lambda site: site.gateway.url),
    ("gateway.callnums_key", lambda site: site.gateway.callnums_key),
    ("on_channel_removal", lambda site: site.on_channel_removal),
    ("on_agent_removal", lambda site: site.on_agent_removal),
    ("reset", lambda site: site.reset),
)
"""The settings of a site that shape calls. Its pace, its guardrails and where its state is kept shape none."""


def affected_agents(desired: Desired, earlier: Desired) -> frozenset[AgentId]:
    """Return the agents desired now or earlier whose values, team or protection differ between the two."""
    return frozenset(
        agent
        for agent in desired.agents.keys() | earlier.agents.keys()
        if _meaning(desired.agents.get(agent)) != _meaning(earlier.agents.get(agent))
    )


def shaping_settings(desired: Desired, earlier: Desired) -> tuple[str, ...]:
    """Return the site's settings that differ and concern every agent, as they are written in site.yaml."""
    return tuple(name for name, read in _SHAPING if read(desired.site) != read(earlier.site))


def _meaning(wanted: DesiredAgent | None) -> object:
    return None if wanted is None else (wanted.concurrency, wanted.team, wanted.protected)
