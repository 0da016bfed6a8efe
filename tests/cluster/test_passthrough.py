"""Where the front passes TLS on, the certificate is a node's, and the caller's address picks the node."""

from __future__ import annotations

from pathlib import Path

from cluster.floor import AGENTS, ended_as, in_force, numbers_of, publish, recorded, site_before
from cluster.front import Front, Layout, sign_in
from cluster.nodes import Node

WANTED = {str(agent): numbers_of(agent) for agent in AGENTS}
CHECKED_OFTEN = {"inter 2s fall 2 rise 2": "inter 50ms fall 2 rise 2"}


def test_who_signed_in_from_where_the_run_calls_from_is_set(nodes: tuple[Node, ...], tmp_path: Path) -> None:
    with Front(tmp_path, nodes, layout=Layout.PASSTHROUGH) as front:
        site = site_before(front, tmp_path)
        publish(site, sign_in(front, AGENTS))
        assert site.run("apply", "demo", "--yes").code == 0

    assert sorted(len(node.signed_in) for node in nodes) == [0, len(AGENTS)]
    assert recorded(site) == in_force(nodes) == WANTED


def test_while_their_node_is_down_everybody_is_deferred_and_the_next_run_after_its_return_sets_them(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    with Front(tmp_path, nodes, layout=Layout.PASSTHROUGH, edits=CHECKED_OFTEN) as front:
        site = site_before(front, tmp_path)
        publish(site, sign_in(front, AGENTS))
        (home,) = [node for node in nodes if node.signed_in]
        home.go_down()
        front.wait_for(home, "DOWN")
        ended = site.run("apply", "demo", "--yes", "--json")
        assert (ended.code, ended_as(ended, "deferred")) == (9, set(AGENTS))
        assert recorded(site) == in_force(nodes) == {}

        home.come_up()
        front.wait_for(home, "UP")
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED
