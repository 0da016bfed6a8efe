"""What people and programs read, byte by byte. After a change of wording run with `UPDATE_GOLDENS=1`, and read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from report.examples import COLORED, DIAGNOSTICS, PLAIN, PLANS, SENIOR, SOCIAL, fates, text_of, usual_text
from support.fleets import NOW, agent_id, concurrency, desired, fleet_of, record, site, state, waiting

from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.outcome import Result
from reconciler.model.state import RecordStatus
from reconciler.planning import compare_plans, make_plan
from reconciler.report import (
    diagnostic_documents,
    diagnostics_text,
    difference_text,
    document_text,
    outcome_entries,
    outcome_summary,
    outcome_text,
    pending_text,
    saved_plan,
    state_list_text,
    state_show_text,
    waiting_agents,
)
from reconciler.values import replace

Golden = Callable[[str, str], None]

NAMES = {
    *(f"plan-{name}.txt" for name in PLANS),
    *(f"outcome-{name}.txt" for name in ("nothing", "one-agent", "sixty-agents", "ten-thousand-agents", "own-words")),
    "plan-every-reason-with-reset.ansi.txt",
    "plan-every-reason.json",
    "plan-nobody.json",
    "plan-sessions-and-waits.json",
    "outcome-sixty-agents.json",
    *(f"page-{name}.html" for name in ("plan", "outcome", "problems")),  # test_html.py makes them
    "diagnostics.json",
    "diagnostics.txt",
    "difference.txt",
    "state-list.txt",
    "state-pending.txt",
    "state-show.txt",
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_reads_as_it_did(name: str, golden: Golden) -> None:
    golden(f"plan-{name}.txt", usual_text(name))


def test_a_plan_is_coloured_as_it_was(golden: Golden) -> None:
    golden("plan-every-reason-with-reset.ansi.txt", text_of(PLANS["every-reason-with-reset"](), style=COLORED))


@pytest.mark.parametrize("name", ["every-reason", "nobody", "sessions-and-waits"])
def test_a_saved_plan_has_the_bytes_it_had(name: str, golden: Golden) -> None:
    golden(f"plan-{name}.json", document_text(saved_plan(PLANS[name](), tool_version="1.2.3")))


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("nothing", "nobody"),
        ("one-agent", "one-agent"),
        ("sixty-agents", "sixty-agents"),
        ("ten-thousand-agents", "ten-thousand-agents-refused"),
    ],
)
def test_an_outcome_reads_as_it_did(name: str, plan: str, golden: Golden) -> None:
    golden(f"outcome-{name}.txt", outcome_text("demo", fates(PLANS[plan]()), style=PLAIN))


def test_an_outcome_in_which_every_agent_is_told_something_else_reads_as_it_did(golden: Golden) -> None:
    outcomes = [
        replace(each, result=Result.FAILED, retcode="100-006", message=f"agent {each.agent} does not exist")
        for each in fates(PLANS["first-plan"]())
    ]
    golden("outcome-own-words.txt", outcome_text("demo", outcomes, style=PLAIN))


def test_an_outcome_has_the_bytes_it_had(golden: Golden) -> None:
    outcomes = fates(PLANS["sixty-agents"]())
    document = {"summary": outcome_summary(outcomes), "outcomes": outcome_entries(outcomes)}
    golden("outcome-sixty-agents.json", document_text(document))


def test_diagnostics_read_as_they_did(golden: Golden) -> None:
    golden("diagnostics.txt", diagnostics_text(DIAGNOSTICS, style=PLAIN))


def test_diagnostics_have_the_bytes_they_had(golden: Golden) -> None:
    golden("diagnostics.json", document_text({"diagnostics": diagnostic_documents(DIAGNOSTICS)}))


def test_a_difference_reads_as_it_did(golden: Golden) -> None:
    before = fleet_of(range(1001, 1061), SENIOR)
    reviewed = make_plan(desired({**fleet_of(range(1001, 1031), SOCIAL), 1040: SENIOR, 1041: SOCIAL}), state(before))
    moved = {**before, 1041: concurrency(24, web_chat=9, sms=6)}
    fresh = make_plan(
        desired(
            {**fleet_of(range(1001, 1011), SENIOR), **fleet_of(range(1011, 1051), SOCIAL), 1070: SENIOR},
            at=site(url="https://other.test:8043", callnums_key=CallnumsKey.LOWER),
        ),
        state({agent: record(value, callnums_key=CallnumsKey.LOWER) for agent, value in moved.items()}),
    )
    found = compare_plans(reviewed, fresh)
    golden(
        "difference.txt",
        difference_text(settings=found.settings, gone=found.gone, come=found.come, altered=found.altered),
    )


@pytest.mark.parametrize("name", ["state-list.txt", "state-show.txt"])
def test_recorded_agents_read_as_they_did(name: str, golden: Golden) -> None:
    recorded = state(
        {
            1001: record(SENIOR),
            1002: record(SOCIAL, status=RecordStatus.IN_DOUBT, acknowledged_at=None, team=None),
            100_003: record(SENIOR, protected=True, session="login-1", team="night shift"),
        },
        pending={1002: waiting(attempts=2), 1003: waiting(since=NOW, retcode=None)},
    )
    both = {
        "state-list.txt": state_list_text(recorded, recorded.agents, recorded.pending, style=PLAIN),
        "state-show.txt": state_show_text(recorded, recorded.agents, recorded.pending, style=PLAIN),
    }
    golden(name, both[name])


def test_those_who_wait_are_listed_as_they_were(golden: Golden) -> None:
    recorded = state(pending={1002: waiting(attempts=2), 1003: waiting(since=NOW, retcode=None), 100_004: waiting()})
    teams = {agent_id(1002): "east", agent_id(1003): "night shift"}
    listed = waiting_agents(recorded.pending, teams)
    text = pending_text(recorded, listed, meaning=lambda code: f"what {code} means", style=PLAIN)
    golden("state-pending.txt", text)


def test_there_is_no_golden_file_without_a_test() -> None:
    assert {file.name for file in (Path(__file__).parent / "golden").iterdir()} == NAMES
