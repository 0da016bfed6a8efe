from __future__ import annotations

from report.examples import PLAIN, SENIOR
from support.fleets import LINEAGE, agent_id, record, state

from reconciler.model.state import RecordStatus, empty_state
from reconciler.report import record_documents, state_list_text, state_show_text, state_summary

RECORDED = state(
    {1001: record(SENIOR), 1002: record(SENIOR, status=RecordStatus.IN_DOUBT, acknowledged_at=None, protected=True)}
)


def test_the_last_line_of_a_list_counts() -> None:
    last = state_list_text(RECORDED, RECORDED.agents, {}, style=PLAIN).splitlines()[-1]
    assert last == "State: site demo, serial 7, 2 agents listed, 1 in doubt, 0 waiting."


def test_one_agent_is_singular() -> None:
    one = {agent_id(1001): RECORDED.agents[agent_id(1001)]}
    for text in (state_list_text(RECORDED, one, {}, style=PLAIN), state_show_text(RECORDED, one, {}, style=PLAIN)):
        assert text.endswith("State: site demo, serial 7, 1 agent listed, 0 in doubt, 0 waiting.\n")


def test_nothing_recorded_is_said_so() -> None:
    assert state_list_text(empty_state("demo"), {}, {}, style=PLAIN) == "State: site demo, nothing is recorded yet.\n"


def test_columns_stand_under_one_another() -> None:
    recorded = state({999: record(SENIOR, team="a"), 100_001: record(SENIOR, team="a long name")})
    first, second, _ = state_list_text(recorded, recorded.agents, {}, style=PLAIN).splitlines()
    assert first.index("total") == second.index("total")
    assert first.index("2025-") == second.index("2025-")


def test_the_summary_and_the_documents_hold_every_field() -> None:
    assert state_summary(RECORDED, RECORDED.agents, {}) == {
        "lineage": LINEAGE,
        "serial": 7,
        "agents": 2,
        "in_doubt": 1,
        "protected": 1,
        "waiting": 0,
    }
    assert record_documents(RECORDED.agents)[1] == {
        "agent": "1002",
        "total": 25,
        "channels": {"51": 9, "52": 6},
        "callnums_key": "callNums",
        "acknowledged_at": None,
        "session": None,
        "team": "east",
        "protected": True,
        "status": "in_doubt",
    }
