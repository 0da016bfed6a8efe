from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from report.examples import outcome, plans
from support.fleets import POOL

from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, EditKind, Plan, Reason
from reconciler.report.grouping import RESULT_ORDER, ChangeGroup, group_changes, group_outcomes

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
def test_losses_come_before_gains_and_gains_before_repetitions(plan: Plan) -> None:
    ranks = [_rank(group) for group in group_changes(plan.changes)]
    assert sorted(ranks) == ranks


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


def _rank(group: ChangeGroup) -> int:
    if group.action in (Action.RESET, Action.FORGET):
        return 0
    if group.reason is not Reason.CHANGED:
        return 4 if group.reason is Reason.NEW else 5
    if any(edit.kind in (EditKind.CLOSED, EditKind.OMITTED) for edit in group.edits):
        return 1
    falls = [edit for edit in group.edits if (edit.after or 0) < (edit.before or 0)]
    if any(edit.after == 0 for edit in falls):
        return 1
    return 2 if falls else 3
