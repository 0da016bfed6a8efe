from __future__ import annotations

import re

import pytest
from hypothesis import given
from report.examples import COLORED, EVERY, LARGER, PLAIN, PLANS, SENIOR, SOCIAL, one_edit, plans, text_of, usual_text
from support.fleets import concurrency, declared, desired, desired_agent, fleet_of, record, scope, state

from reconciler.model.desired import Source
from reconciler.model.plan import Action, Plan, PlanOptions
from reconciler.planning import make_plan
from reconciler.report import document_text, plan_text, read_saved_plan, saved_plan
from reconciler.values import replace

_SGR = re.compile(r"\x1b\[[0-9]+m")


@given(plan=plans)
def test_the_last_line_counts_every_action_and_call(plan: Plan) -> None:
    counts = ", ".join(f"{plan.count(action)} {action}" for action in Action)
    calls = len(plan.calls)
    assert f"Plan: {counts}; {calls} call{'' if calls == 1 else 's'}." == text_of(plan).splitlines()[-1]


@given(plan=plans)
def test_only_the_last_line_begins_like_the_last_line(plan: Plan) -> None:
    lines = text_of(plan).splitlines()
    assert [lines[-1]] == [line for line in lines if line.startswith("Plan:")]


@given(plan=plans)
def test_color_adds_nothing_but_color(plan: Plan) -> None:
    assert text_of(plan) == _SGR.sub("", text_of(plan, style=COLORED))


@given(plan=plans)
def test_a_plan_from_a_file_reads_as_it_did_when_it_was_made(plan: Plan) -> None:
    saved = read_saved_plan(document_text(saved_plan(plan, tool_version="1")).encode(), name="plan.json")
    assert text_of(plan) == plan_text(saved.plan, unchanged=saved.unchanged, style=PLAIN)


@pytest.mark.parametrize("name", PLANS)
def test_no_line_of_a_usual_plan_is_too_wide_or_ends_in_blanks(name: str) -> None:
    lines = usual_text(name).splitlines()
    assert [line for line in lines if len(line) > 110 or line != line.rstrip()] == []


@pytest.mark.parametrize("name", PLANS)
def test_no_text_promises_to_know_live_values(name: str) -> None:
    assert "actual" not in usual_text(name)


@pytest.mark.parametrize("name", PLANS)
def test_one_is_singular_and_all_else_is_plural(name: str) -> None:
    text = usual_text(name)
    assert re.findall(r"\b1 (?:more )?(?:agents|calls|records|lines|changes)\b", text) == []
    assert re.findall(r"\b(?!1\b)[0-9]+ (?:more )?(?:agent|call|record|line|change)\b", text) == []


def test_the_dangerous_comes_first() -> None:
    text = usual_text("floor")
    told = ("email 8 → 0", "protected: sms 6 → 2", "forget", "web_chat 8 → 2", "web_chat 8 → 6", "no longer protected")
    assert sorted(told, key=text.index) == list(told)


def test_capacity_comes_before_the_changes_and_the_team_that_loses_most_before_the_others() -> None:
    text = usual_text("floor")
    told = (
        "capacity:",
        "  all teams  total ",
        "  east  ",
        "  night  ",
        "  no team  ",
        "  vip  ",
        "  mail  ",
        "~ agent",
    )
    assert sorted(told, key=text.index) == list(told)
    assert "  night      total       300 →   326  +26 (+8.7 %)\n" in text


def test_a_total_that_binds_is_told_with_what_it_leaves() -> None:
    plan = one_edit(concurrency(8, web_chat=9), concurrency(7, web_chat=9))
    assert "total  8 → 7  −1 (−12.5 %); binds 1 agent, effective 8 → 7" in text_of(plan)


def test_a_plan_that_changes_no_sum_says_so() -> None:
    assert "capacity: no team gains or loses a session; whoever is outside" in usual_text("partial-scope")


def test_a_partial_plan_says_that_the_others_count_as_they_are_recorded() -> None:
    plan = make_plan(
        desired({1001: concurrency(web_chat=1)}),
        state(fleet_of(range(1001, 1004), concurrency(web_chat=3))),
        PlanOptions(scope=scope(agents="1001")),
    )
    head = "capacity: sessions at once, recorded → planned; whoever is outside the selection counts as recorded"
    assert [head, "  east  web_chat  9 → 7  −2 (−22.2 %)"] == text_of(plan).splitlines()[5:7]


def test_many_sums_are_cut_and_counted() -> None:
    teams = {1000 + n: f"team{n:02}" for n in range(40)}
    before, after = concurrency(web_chat=3, sms=2), concurrency(web_chat=4, sms=1)
    plan = make_plan(
        desired({agent: desired_agent(after, team=team) for agent, team in teams.items()}),
        state({agent: record(before, team=team) for agent, team in teams.items()}),
    )
    assert "  and 58 more sums, 29 of them falling; --json has every one" in text_of(plan).splitlines()


def test_a_team_that_changes_without_values_is_a_change_and_not_none() -> None:
    text = usual_text("only-moves")
    assert "No changes" not in text
    assert "> 30 agents  team east → team night\n             1001-1030\n" in text
    assert "30 agents would be recorded in other teams, which the gateway knows nothing of\n" in text


def test_many_moves_are_cut_and_counted() -> None:
    numbers = range(1001, 1031)
    plan = make_plan(
        desired({agent: desired_agent(SENIOR, team=f"new{agent}") for agent in numbers}),
        state(dict.fromkeys(numbers, record(SENIOR))),
    )
    assert "… and 10 more moves of 10 agents" in text_of(plan).splitlines()


def test_a_group_names_the_first_of_its_teams_and_counts_the_others() -> None:
    after = {1001 + n: desired_agent(SOCIAL, team=f"team{n}") for n in range(7)}
    before = {agent: record(SENIOR, team=each.team) for agent, each in after.items()}
    lines = text_of(make_plan(desired(after), state(before))).splitlines()
    assert "            team0, team1, team2, team3, and 3 more teams: 1001-1007" in lines


def test_agents_of_one_profile_are_one_line_with_the_line_that_changed_them() -> None:
    before, after = (
        fleet_of(range(1001, 1413), concurrency(web_chat=3)),
        fleet_of(range(1001, 1413), concurrency(web_chat=4)),
    )
    lines = text_of(make_plan(desired(after), state(before))).splitlines()
    assert "~ 412 agents  web_chat 3 → 4  profiles.yaml:2" in lines
    assert "              east: 1001-1412" in lines


def test_identical_edits_written_at_many_lines_are_still_one_line() -> None:
    def written_at(line: int) -> Source:
        return Source("agents/east.yaml", line)

    value = concurrency(web_chat=4)
    places = {1000 + line: declared(value, web_chat=written_at(line)) for line in range(1, 6)}
    plan = make_plan(
        desired(fleet_of(places, value), places=places), state(fleet_of(range(1001, 1006), concurrency(web_chat=3)))
    )
    head = "~ 5 agents  web_chat 3 → 4  agents/east.yaml:1, agents/east.yaml:2, agents/east.yaml:3, and 2 more lines"
    assert head in text_of(plan).splitlines()


def test_an_agent_alone_is_named_in_the_place_of_the_number() -> None:
    assert "~ agent 1001 (east)  total 40 → 41, email 1 → 2," in text_of(one_edit(EVERY, LARGER))


def test_a_long_list_of_edits_hangs_under_its_first() -> None:
    lines = text_of(one_edit(EVERY, LARGER)).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("~"))
    assert [len(line) - len(line.lstrip()) for line in lines[start + 1 : start + 3]] == [21, 21]


def test_a_closed_channel_is_told_in_the_edit_and_in_a_sentence() -> None:
    text = text_of(one_edit(concurrency(web_chat=3, sms=2), concurrency(web_chat=3)))
    assert "sms 2 → 0 (closed)" in text
    assert "1 agent would lose a channel that is no longer desired: it is sent once as 0" in text


def test_an_omitted_channel_is_told_in_the_edit_and_in_a_sentence() -> None:
    text = usual_text("omitted-channels")
    assert "web_chat 2 → left out" in text
    assert "left out of the call, and whether the gateway" in text


def test_a_plan_says_what_it_leaves_alone() -> None:
    left = "left alone: 2 agents already as desired; nothing else is sent, and nobody is signed in or out"
    assert left in usual_text("every-reason").splitlines()


def test_forgetting_says_that_the_gateway_keeps_what_it_has() -> None:
    text = usual_text("only-forgetting")
    assert "apply would send nothing\n" in text
    assert "1 record would be dropped without a call: the gateway keeps what that agent has" in text


def test_a_refusal_names_each_number_its_limit_the_agents_and_the_flag() -> None:
    lines = usual_text("refused").splitlines()
    assert "guardrail max_changed_agents: 2 agents, limit 1" in lines
    assert "guardrail protected: 1 protected agent, limit 0" in lines
    assert "    agent 1002" in lines
    assert "refused. If all of it is meant, approve exactly this many changes: --allow-changes 2" in lines
    assert any(line.startswith("if approved, apply would send 2 ") for line in lines)


def test_lifted_guardrails_are_still_told_and_refuse_nothing() -> None:
    text = usual_text("ten-thousand-agents-lifted")
    assert "guardrail max_changed_agents: 4,558 agents, limit 100, lifted by --allow-changes 4660" in text
    assert "refused" not in text


def test_a_wrong_approval_alone_is_told_how_to_be_right() -> None:
    text = usual_text("wrong-approval-alone")
    assert "guardrail allow_changes: 1 change planned, 2 approved" in text
    assert "Leave --allow-changes out, or approve this plan: --allow-changes 1" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        pytest.param(0, "0s", id="zero"),
        pytest.param(0.25, "0.25s", id="parts-of-a-second"),
        pytest.param(90.0, "90s", id="seconds"),
        pytest.param(5400, "90m", id="minutes"),
        pytest.param(43_200, "12h", id="hours"),
        pytest.param(86_400 * 1_000_000, "1000000d", id="a-million-days"),
    ],
)
def test_what_was_asked_beyond_the_files_is_told(seconds: float, words: str) -> None:
    options = PlanOptions(reassert_older_than=seconds, at="2026-01-31T09:30:00Z")
    plan = make_plan(desired({1001: SENIOR}), state({1001: SENIOR}), options)
    line = f"asked for: what was acknowledged more than {words} before 2026-01-31T09:30:00Z is sent again"
    assert line in text_of(plan).splitlines()


def test_a_place_too_long_for_the_line_stands_under_it() -> None:
    plan = one_edit(concurrency(web_chat=3), concurrency(web_chat=4))
    (change,) = plan.changes
    long = Source("a" * 100 + ".yaml", 7)
    moved = replace(change, edits=tuple(replace(edit, cause=long) for edit in change.edits))
    text = text_of(replace(plan, changes=(moved,)))
    assert f"\n~ agent 1001 (east)  web_chat 3 → 4\n{' ' * 21}{long}\n" in text
