"""Sessions live on one node only, and a cookie leads to it: nobody is set by way of another one's node or cookie."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster.floor import (
    AGENTS,
    cookies_of_the_node,
    ended_as,
    in_force,
    numbers_of,
    publish,
    recorded,
    site_before,
    without_cookies,
)
from cluster.front import Front, sign_in
from cluster.nodes import Node

CALL = "setcallnumsbymediatype"
WANTED = {str(agent): numbers_of(agent) for agent in AGENTS}


@pytest.mark.parametrize("concurrency", [1, 8], ids=["one-connection", "eight-at-once"])
def test_with_the_cookie_of_its_session_every_agent_is_set_at_its_own_node(
    nodes: tuple[Node, ...], tmp_path: Path, concurrency: int
) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, concurrency=concurrency)
        publish(site, sign_in(front, AGENTS))
        ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["summary"]["calls"]) == (0, len(AGENTS))
    assert recorded(site) == in_force(nodes) == WANTED
    for node in nodes:
        assert len(node.signed_in) == len(AGENTS) // 2
        assert {call.agent for call in node.came} == node.signed_in


def test_without_the_fronts_cookie_who_meets_the_other_node_is_deferred_and_the_rest_is_set_rightly(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    # The nodes take turns, so these orders of signing in and of applying make half of the agents meet the other node.
    in_turns = [agent for pair in zip(AGENTS[:6], AGENTS[6:], strict=True) for agent in pair]
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, concurrency=1)
        sessions = sign_in(front, in_turns)
        publish(site, [{**session, "cookies": cookies_of_the_node(session)} for session in sessions])
        ended = site.run("apply", "demo", "--yes", "--json")
        applied, deferred = ended_as(ended, "applied"), ended_as(ended, "deferred")

        assert (ended.code, len(applied), len(deferred)) == (9, 6, 6)
        assert {outcome["retcode"] for outcome in ended.document["outcomes"]} == {"0", "100-006"}
        assert recorded(site) == in_force(nodes) == {str(agent): numbers_of(agent) for agent in applied}

        publish(site, sessions)
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED


def test_without_any_cookie_everybody_is_deferred_and_the_next_run_with_them_sets_everybody(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path)
        sessions = sign_in(front, AGENTS)
        publish(site, without_cookies(sessions))
        ended = site.run("apply", "demo", "--yes", "--json")
        assert (ended.code, ended_as(ended, "deferred")) == (9, set(AGENTS))
        assert recorded(site) == in_force(nodes) == {}

        publish(site, sessions)
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED


def test_who_signed_in_again_at_another_node_is_deferred_with_the_old_cookie_and_set_with_the_new_one(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, agents=[1001])
        (first,), (second,) = sign_in(front, [1001]), sign_in(front, [1001])
        assert first["cookies"] != second["cookies"]

        publish(site, [{**second, "cookies": first["cookies"]}])
        ended = site.run("apply", "demo", "--yes", "--json")
        assert (ended.code, ended.document["outcomes"][0]["retcode"]) == (9, "000-003")
        assert recorded(site) == in_force(nodes) == {}

        publish(site, [second])
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == {"1001": numbers_of(1001)}


def test_a_cookie_that_the_front_hands_out_during_a_run_goes_to_nobody(nodes: tuple[Node, ...], tmp_path: Path) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, concurrency=1)
        publish(site, without_cookies(sign_in(front, AGENTS)))
        site.run("apply", "demo", "--yes")
        seen = front.seen(CALL)

    # Without a cookie in the request, each of these answers came with `Set-Cookie: SERVERID=…`.
    assert [call.cookie for call in seen] == ["-"] * len(AGENTS)


def test_each_agents_cookies_go_with_its_own_calls_only(nodes: tuple[Node, ...], tmp_path: Path) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, concurrency=8)
        sessions = sign_in(front, AGENTS)
        for session in sessions[::3]:
            session["cookies"]["route"] = f"r{session['agentId']}"
        publish(site, sessions)
        assert site.run("apply", "demo", "--yes").code == 0
        arrived = {(call.agent, call.cookie) for call in front.seen(CALL)}

    assert arrived == {(int(session["agentId"]), _header(session["cookies"])) for session in sessions}
    # The front takes its own cookie away again, so a node sees the rest.
    passed_on = {(call.agent, call.cookie) for node in nodes for call in node.came}
    assert passed_on == {(int(session["agentId"]), _header(cookies_of_the_node(session))) for session in sessions}


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
