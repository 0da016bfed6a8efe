from __future__ import annotations

from report.examples import PLAIN
from support.fleets import EARLIER, LINEAGE, NOW, agent_id, state, waiting

from reconciler.model.state import State
from reconciler.report import pending_documents, pending_summary, pending_text, waiting_agents

STATE = state(pending={1001: waiting(since=NOW), 1002: waiting(attempts=3), 1003: waiting(retcode=None)})
TEAMS = {agent_id(1002): "night shift", agent_id(1003): None}


def meaning(retcode: str | None) -> str:
    return f"what {retcode} means"


def text_of(recorded: State, *numbers: int) -> list[str]:
    chosen = {agent: wait for agent, wait in recorded.pending.items() if agent in numbers}
    return pending_text(recorded, waiting_agents(chosen, TEAMS), meaning=meaning, style=PLAIN).splitlines()


def test_who_has_waited_longest_comes_first_and_equals_come_by_agent() -> None:
    assert [each.agent for each in waiting_agents(STATE.pending, TEAMS)] == [1002, 1003, 1001]


def test_a_line_says_who_since_when_how_often_and_why_in_words() -> None:
    first, second, third, _ = text_of(STATE, 1001, 1002, 1003)
    assert first == f"1002    night shift  waiting since {EARLIER}  3 runs  100-006  what 100-006 means"
    assert second == f"1003    -            waiting since {EARLIER}  1 run   -        what None means"
    assert third.startswith(f"1001    -            waiting since {NOW}")


def test_the_last_line_counts_those_listed_of_those_who_wait() -> None:
    since = f"the longest since {NOW}"
    assert text_of(STATE, 1001)[-1] == f"State: site demo, serial 7, 1 of 3 waiting agents listed, {since}."
    assert text_of(STATE) == ["State: site demo, serial 7, 0 of 3 waiting agents listed."]


def test_nobody_waiting_is_said_so() -> None:
    assert text_of(state()) == ["State: site demo, nobody is waiting."]


def test_the_documents_hold_every_field_in_the_order_of_the_text() -> None:
    listed = waiting_agents(STATE.pending, TEAMS)
    first, second, third = pending_documents(listed, meaning)
    assert first == {
        "agent": "1002",
        "team": "night shift",
        "first_deferred_at": EARLIER,
        "last_deferred_at": EARLIER,
        "attempts": 3,
        "retcode": "100-006",
        "meaning": "what 100-006 means",
    }
    assert (second["agent"], second["retcode"], third["agent"]) == ("1003", None, "1001")


def test_the_summary_counts_and_names_the_longest_wait() -> None:
    listed = waiting_agents(STATE.pending, TEAMS)
    expected = {"lineage": LINEAGE, "serial": 7, "listed": 3, "waiting": 3, "since": EARLIER}
    assert pending_summary(STATE, listed) == expected
    assert pending_summary(STATE, []) == {**expected, "listed": 0, "since": None}
