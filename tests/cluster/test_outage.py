"""Nodes that go down and a front that answers for them with pages of its own: every outcome is true, and the next run
converges.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster.floor import AGENTS, ended_as, in_force, numbers_of, publish, recorded, site_before
from cluster.front import Front, sign_in
from cluster.nodes import Node

CALL = "setcallnumsbymediatype"
WANTED = {str(agent): numbers_of(agent) for agent in AGENTS}

CHECKED_OFTEN = {"inter 2s fall 2 rise 2": "inter 50ms fall 2 rise 2"}
NOT_CHECKED = {" check inter 2s fall 2 rise 2": "", "timeout connect 5s": "timeout connect 5s\n    retries 0"}
IMPATIENT = {"timeout server 30s  ": "timeout server 500ms "}


def test_while_a_node_is_known_to_be_down_its_agents_are_deferred_and_the_next_run_after_its_return_sets_them(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    n1, n2 = nodes
    with Front(tmp_path, nodes, edits=CHECKED_OFTEN) as front:
        site = site_before(front, tmp_path)
        publish(site, sign_in(front, AGENTS))
        there, gone = n1.signed_in, n2.signed_in
        n2.go_down()
        front.wait_for(n2, "DOWN")

        # The front no longer heeds the cookie and asks the other node, which does not know them.
        ended = site.run("apply", "demo", "--yes", "--json")
        assert ended.code == 9
        assert (ended_as(ended, "applied"), ended_as(ended, "deferred")) == (there, gone)
        assert {row["retcode"] for row in ended.document["outcomes"]} == {"0", "100-006"}
        assert recorded(site) == in_force(nodes) == {str(agent): numbers_of(agent) for agent in there}

        n2.come_up()
        front.wait_for(n2, "UP")
        before = len(n1.came)
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED
    assert {call.agent for call in n2.came} == gone
    assert len(n1.came) == before


def test_while_a_dead_node_is_not_noticed_its_agents_are_in_doubt_and_the_next_run_after_its_return_settles_it(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    n1, n2 = nodes
    with Front(tmp_path, nodes, edits=NOT_CHECKED) as front:
        site = site_before(front, tmp_path, concurrency=12)
        publish(site, sign_in(front, AGENTS))
        there, gone = n1.signed_in, n2.signed_in
        n2.go_down()

        ended = site.run("apply", "demo", "--yes", "--json")
        assert ended.code == 8
        assert (ended_as(ended, "applied"), ended_as(ended, "in_doubt")) == (there, gone)
        assert {call.status for call in front.seen(CALL) if call.agent in gone} == {503}
        assert recorded(site) == in_force(nodes) == {str(agent): numbers_of(agent) for agent in there}

        n2.come_up()
        planned = site.run("plan", "demo", "--json")
        assert {(int(row["agent"]), row["action"], row["reason"]) for row in planned.document["changes"]} == {
            (agent, "reassert", "in-doubt") for agent in gone
        }
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED


def test_with_every_node_down_nobody_is_set_and_everybody_is_after_they_are_back(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    with Front(tmp_path, nodes, edits=CHECKED_OFTEN) as front:
        site = site_before(front, tmp_path, concurrency=12)
        publish(site, sign_in(front, AGENTS))
        for node in nodes:
            node.go_down()
            front.wait_for(node, "DOWN")

        ended = site.run("apply", "demo", "--yes", "--json")
        assert (ended.code, ended_as(ended, "applied")) == (8, set())
        assert {(call.node, call.status) for call in front.seen(CALL)} == {("<NOSRV>", 503)}
        assert recorded(site) == {}

        for node in nodes:
            node.come_up()
            front.wait_for(node, "UP")
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == WANTED


TROUBLES = [
    pytest.param("reset-before-commit", "HTTP 502", False, id="502-and-nothing-was-taken"),
    pytest.param("reset-after-commit", "HTTP 502", True, id="502-and-the-numbers-were-taken"),
    pytest.param("http-502", "HTTP 502", False, id="502-of-the-node-itself"),
    pytest.param("http-200-html", "not JSON", False, id="200-with-a-page"),
]


@pytest.mark.parametrize(("fault", "said", "taken"), TROUBLES)
def test_a_page_in_place_of_an_answer_leaves_the_agent_in_doubt_until_the_gateway_acknowledges(
    nodes: tuple[Node, ...], tmp_path: Path, fault: str, said: str, taken: bool
) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, agents=[1001])
        publish(site, sign_in(front, [1001]))
        for node in nodes:
            node.add_faults(f"*={fault}")

        ended = site.run("apply", "demo", "--yes", "--json")
        (outcome,) = ended.document["outcomes"]
        assert (ended.code, outcome["outcome"], outcome["retcode"], outcome["attempts"]) == (8, "in_doubt", None, 4)
        assert said in outcome["message"]
        assert len(front.seen(CALL)) == 4
        assert recorded(site) == {}
        assert in_force(nodes) == ({"1001": numbers_of(1001)} if taken else {})

        for node in nodes:
            node.clear_faults()
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == in_force(nodes) == {"1001": numbers_of(1001)}


def test_answers_that_come_after_the_fronts_patience_leave_the_agent_in_doubt(
    nodes: tuple[Node, ...], tmp_path: Path
) -> None:
    with Front(tmp_path, nodes, edits=IMPATIENT) as front:
        site = site_before(front, tmp_path, agents=[1001])
        publish(site, sign_in(front, [1001]))
        for node in nodes:
            node.add_faults("*=slow:0.9")

        # Every call that is not answered by 504 met the one before it, which the node had not ended: 000-007.
        ended = site.run("apply", "demo", "--yes", "--json")
        assert (ended.code, ended_as(ended, "in_doubt")) == (8, {1001})
        assert front.seen(CALL)[0].status == 504
        assert recorded(site) == {}
        assert in_force(nodes) == {"1001": numbers_of(1001)}

        for node in nodes:
            node.clear_faults()
        assert site.run("apply", "demo", "--yes").code == 0

    assert recorded(site) == {"1001": numbers_of(1001)}


@pytest.mark.parametrize(
    ("edits", "fault", "first"),
    [
        pytest.param({}, "reset-after-commit", 502, id="502"),
        pytest.param(IMPATIENT, "slow:0.9", 504, id="504"),
    ],
)
def test_what_goes_wrong_once_is_got_over_within_the_run(
    nodes: tuple[Node, ...], tmp_path: Path, edits: dict[str, str], fault: str, first: int
) -> None:
    with Front(tmp_path, nodes, edits=edits) as front:
        site = site_before(front, tmp_path, agents=[1001])
        publish(site, sign_in(front, [1001]))
        for node in nodes:
            node.add_faults(f"#1={fault}")

        ended = site.run("apply", "demo", "--yes", "--json")
        (outcome,) = ended.document["outcomes"]
        assert (ended.code, outcome["outcome"]) == (0, "applied")
        statuses = [call.status for call in front.seen(CALL)]
        assert (statuses[0], statuses[-1], len(statuses)) == (first, 200, outcome["attempts"])
        assert outcome["attempts"] > 1

    assert recorded(site) == in_force(nodes) == {"1001": numbers_of(1001)}


def test_the_call_after_a_page_of_the_front_reaches_a_node(nodes: tuple[Node, ...], tmp_path: Path) -> None:
    # HAProxy keeps a connection on which it answered 502, and closes it without a word when the next call comes.
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path, agents=[1001])
        publish(site, sign_in(front, [1001]))
        for node in nodes:
            node.add_faults("*=reset-before-commit")

        ended = site.run("apply", "demo", "--yes", "--json")

    assert sum(len(node.came) for node in nodes) == ended.document["outcomes"][0]["attempts"] == 4
