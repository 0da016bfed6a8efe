from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from report.examples import outcome, plans
from support.fleets import POOL, concurrency, desired, fleet_of, state

from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, Plan, Reason
from reconciler.planning import make_plan
from reconciler.report.grouping import (
    RESULT_ORDER,
    ChangeGroup,
    Danger,
    group_changes,
    group_outcomes,
    group_plan,
    group_standing,
)
from reconciler.values import replace

outcomes = st.dictionaries(
    st.sampled_from(POOL),
    st.tuples(
        st.sampled_from(Result), st.sampled_from(list(Action)[:4]), st.sampled_from((None, "0")), st.sampled_from("ab")
    ),
).map(
    lambda drawn: [
        outcome(agent, result, action=action, retcode=retcode, message=message)
        for agent, (result, action, retcode, message) in drawn.items()
    ]
)


@given(plan=plans)
def test_groups_partition_the_changes(plan: Plan) -> None:
    grouped = [agent for group in group_changes(plan.changes) for agent in group.agents]
    assert sorted(grouped) == [change.agent for change in plan.changes]


@given(plan=plans)
def test_members_of_a_group_say_the_same(plan: Plan) -> None:
    changes = {change.agent: change for change in plan.changes}
    for group in group_changes(plan.changes):
        assert {_said(changes[agent]) for agent in group.agents} == {_said(group)}


@given(plan=plans)
def test_no_two_groups_say_the_same(plan: Plan) -> None:
    groups = group_changes(plan.changes)
    values = [(_said(group), () if group.edits else (group.before, group.after)) for group in groups]
    assert len(set(values)) == len(groups)


@given(plan=plans)
def test_a_group_names_every_line_that_caused_it(plan: Plan) -> None:
    changes = {change.agent: change for change in plan.changes}
    for group in group_changes(plan.changes):
        causes = {edit.cause for agent in group.agents for edit in changes[agent].edits if edit.cause}
        assert tuple(sorted(causes)) == group.causes


@given(plan=plans, seed=st.integers())
def test_groups_of_changes_come_in_one_order_however_shuffled(plan: Plan, seed: int) -> None:
    shuffled = list(plan.changes)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - dice, not keys
    assert group_changes(plan.changes) == group_changes(shuffled)


@given(plan=plans)
def test_groups_come_in_the_documented_order_of_danger(plan: Plan) -> None:
    order = [_order(group) for group in group_plan(plan)]
    assert sorted(order) == order


@given(plan=plans)
def test_exactly_the_protected_agents_a_guardrail_names_are_grouped_as_protected(plan: Plan) -> None:
    named = {agent for finding in plan.findings if finding.guardrail == "protected" for agent in finding.agents}
    assert named == {agent for group in group_plan(plan) if group.protected for agent in group.agents}


@given(plan=plans)
def test_a_group_names_every_team_of_its_agents(plan: Plan) -> None:
    teams = {change.agent: change.team for change in plan.changes}
    for group in group_plan(plan):
        assert {teams[agent] for agent in group.agents} == set(group.teams)
        assert len(set(group.teams)) == len(group.teams)


@given(plan=plans)
def test_groups_of_moves_hold_everybody_who_changes_the_team_or_the_protection(plan: Plan) -> None:
    groups = group_standing(plan.standing)
    told = {agent: (group.before, group.after) for group in groups for agent in group.agents}
    assert told == {each.agent: (each.before, each.after) for each in plan.standing}
    assert len(groups) == len(set(told.values()))


def test_an_agent_who_loses_half_is_listed_before_many_who_lose_less() -> None:
    before, less, half = concurrency(web_chat=8), concurrency(web_chat=7), concurrency(web_chat=4)
    wanted = desired({**fleet_of(range(1001, 1010), less), 1010: half})
    groups = group_plan(make_plan(wanted, state(fleet_of(range(1001, 1011), before))))
    assert [(group.danger, len(group.agents)) for group in groups] == [(Danger.LARGE_DROP, 1), (Danger.DROP, 9)]


@given(drawn=outcomes)
def test_groups_partition_the_outcomes(drawn: list[Outcome]) -> None:
    grouped = [agent for group in group_outcomes(drawn) for agent in group.agents]
    assert sorted(grouped) == sorted(each.agent for each in drawn)


@given(drawn=outcomes, seed=st.integers())
def test_groups_of_outcomes_come_in_one_order_however_shuffled(drawn: list[Outcome], seed: int) -> None:
    shuffled = list(drawn)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - dice, not keys
    assert group_outcomes(drawn) == group_outcomes(shuffled)


@given(drawn=outcomes)
def test_trouble_stands_last(drawn: list[Outcome]) -> None:
    ranks = [RESULT_ORDER.index(group.result) for group in group_outcomes(drawn)]
    assert sorted(ranks) == ranks


def test_every_result_has_its_place() -> None:
    assert set(Result) == set(RESULT_ORDER)


def test_where_all_went_well_words_do_not_part_the_agents() -> None:
    done = [outcome(agent, Result.APPLIED, message=f"welcome {agent}") for agent in POOL]
    assert [group.agents for group in group_outcomes(done)] == [POOL]


def _said(change: Change | ChangeGroup) -> object:
    return change.action, change.reason, tuple(replace(edit, cause=None) for edit in change.edits)


def _order(group: ChangeGroup) -> int:
    """The row of the table in docs/planning.md, written out once more."""
    falls = [(edit.before, edit.after or 0) for edit in group.edits if (edit.after or 0) < (edit.before or 0)]
    rows = (
        any(after == 0 for _, after in falls),
        group.protected,
        group.action in (Action.FORGET, Action.RESET),
        any(before is not None and after <= before / 2 for before, after in falls),
        bool(falls),
        group.reason is Reason.CHANGED,
        group.reason is Reason.NEW,
        True,
    )
    return rows.index(True)
