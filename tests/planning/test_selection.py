from __future__ import annotations

import pytest
from support.fleets import concurrency, desired, desired_agent, record, scope, state

from reconciler.model.plan import PlanOptions, Scope
from reconciler.planning import make_plan

WANTED = desired(
    {
        1001: desired_agent(concurrency(25, web_chat=9), team="east"),
        1002: desired_agent(concurrency(25, sms=6), team="night"),
        1003: desired_agent(concurrency(25, five_g=6), team=None),
    }
)
RECORDED = state(
    {
        1002: record(concurrency(25, whatsapp=4), team="east"),
        1004: record(concurrency(25, web_chat=9), team="night"),
        1005: record(concurrency(25, sms=0), team=None),
    }
)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param(Scope(), [1001, 1002, 1003, 1004, 1005], id="everyone"),
        pytest.param(scope(agents="1001"), [1001], id="one-agent"),
        pytest.param(scope(agents="1001,1003-1004"), [1001, 1003, 1004], id="agents-of-any-range"),
        pytest.param(scope(agents="2001"), [], id="nobody"),
        pytest.param(scope(excluded="1002-1004"), [1001, 1005], id="excluded"),
        pytest.param(scope(agents="1001-1003", excluded="1002"), [1001, 1003], id="excluded-from-a-range"),
        pytest.param(scope(teams=["night"]), [1002, 1004], id="team-desired-or-recorded"),
        pytest.param(scope(teams=["east"]), [1001, 1002], id="team-left-behind"),
        pytest.param(scope(teams=["east", "night"]), [1001, 1002, 1004], id="any-of-two-teams"),
        pytest.param(scope(channels=["whatsapp"]), [1002], id="channel-only-recorded"),
        pytest.param(scope(channels=["5g"]), [1003], id="channel-only-desired"),
        pytest.param(scope(channels=["sms"]), [1002, 1005], id="channel-at-zero"),
        pytest.param(scope(channels=["5g", "whatsapp"]), [1002, 1003], id="any-of-two-channels"),
        pytest.param(scope(teams=["east"], channels=["sms"]), [1002], id="team-and-channel"),
        pytest.param(scope(teams=["east"], agents="1003-1005"), [], id="team-and-agents"),
    ],
)
def test_a_scope_selects(chosen: Scope, expected: list[int]) -> None:
    plan = make_plan(WANTED, RECORDED, PlanOptions(scope=chosen))
    assert expected == sorted([*(change.agent for change in plan.changes), *plan.unchanged])


def test_an_agent_selected_by_one_channel_is_planned_with_all_of_them() -> None:
    wanted = desired({1001: concurrency(25, web_chat=9, sms=6)})
    (change,) = make_plan(wanted, state(), PlanOptions(scope=scope(channels=["sms"]))).changes
    assert concurrency(25, web_chat=9, sms=6) == change.after
