"""A site before the cluster: twelve agents, each with numbers of its own, and what became of them.

Rule of this file: only what a site engineer could write and read; the nodes are looked into elsewhere.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cluster.front import Front
from cluster.nodes import Node
from support.site import Ended, Site

AGENTS = range(1001, 1013)

Sessions = Iterable[Mapping[str, object]]


def numbers_of(agent: int) -> dict[str, Any]:
    """Return the numbers an agent is to have, which no other agent has."""
    return {"total": agent - 990, "channels": {"51": agent - 1000, "61": 2}}


def site_before(front: Front, work: Path, *, agents: Iterable[int] = AGENTS, concurrency: int = 4) -> Site:
    """Return an environment whose gateway is the front, with these agents in its fleet and no session known."""
    site = Site(work, url=front.url)
    shutil.copyfile(front.ca_file, site.root / "ca.pem")
    site.edit("site.yaml", "requests_per_second: 1000", f"requests_per_second: 1000\n  concurrency: {concurrency}")
    rows = [
        f"  {agent}: {{total: {agent - 990}, channels: {{web_chat: {agent - 1000}, whatsapp: 2}}}}\n"
        for agent in agents
    ]
    site.write("fleet.yaml", "agents:\n" + "".join(rows))
    return site


def publish(site: Site, sessions: Sessions) -> None:
    """Write the sessions file."""
    site.write("sessions.json", json.dumps(list(sessions)))


def without_cookies(sessions: Sessions) -> list[dict[str, object]]:
    """Return the same sessions as from a source that forgets the cookies."""
    return [{name: value for name, value in session.items() if name != "cookies"} for session in sessions]


def cookies_of_the_node(session: Mapping[str, Any]) -> dict[str, str]:
    """Return a session's cookies without the front's own."""
    return {name: value for name, value in session["cookies"].items() if name != "SERVERID"}


def ended_as(ended: Ended, outcome: str) -> set[int]:
    """Return the agents that ended so."""
    return {int(row["agent"]) for row in ended.document["outcomes"] if row["outcome"] == outcome}


def recorded(site: Site) -> dict[str, Any]:
    """Return what the state says was acknowledged; there is no state before the first time something was."""
    if not (site.root / "state.json").exists():
        return {}
    return {
        agent: {"total": record["total"], "channels": record["channels"]}
        for agent, record in site.state["agents"].items()
        if record["status"] == "acknowledged"
    }


def in_force(nodes: Iterable[Node]) -> dict[str, Any]:
    """Return the numbers in force anywhere; an agent that has numbers at two nodes is a mistake."""
    found: dict[str, Any] = {}
    for node in nodes:
        assert not found.keys() & node.live.keys()
        found |= node.live
    return found
