from __future__ import annotations

import math
from typing import Any, assert_never, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import LINEAGE, SITE, URL, agent_id, agent_range, concurrency

from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import (
    Action,
    Base,
    Call,
    Change,
    Forget,
    GuardrailFinding,
    Plan,
    PlanOptions,
    Reason,
    Reassert,
    Reset,
    Scope,
    Set,
)
from reconciler.values import replace

VALUES = concurrency(25, web_chat=9)

CHANGES: tuple[Change, ...] = (
    Set(agent=agent_id(1001), team="east", reason=Reason.NEW, before=None, after=VALUES),
    Reassert(agent=agent_id(1002), team="east", reason=Reason.IN_DOUBT, before=VALUES, after=VALUES),
    Forget(agent=agent_id(1003), team=None, reason=Reason.NOT_DESIRED, before=VALUES),
    Reset(agent=agent_id(1004), team=None, reason=Reason.NOT_DESIRED, before=VALUES, after=concurrency(1, web_chat=1)),
)
UNCHANGED = (agent_id(1005), agent_id(1006))
FINDING = GuardrailFinding(guardrail="max_to_zero", planned="2 agents", limit="1")


def plan(**parts: Any) -> Plan:
    return Plan(
        **{
            "site": SITE,
            "url": URL,
            "callnums_key": CallnumsKey.CAMEL,
            "base": Base(lineage=LINEAGE, serial=7),
            "options": PlanOptions(),
            "changes": CHANGES,
            "unchanged": UNCHANGED,
            **parts,
        }
    )


def action_of(change: Change) -> Action:
    """Walk the family the way every reader of a plan has to; the type checker proves that nobody is missing."""
    match change:
        case Set():
            return Action.SET
        case Reassert():
            return Action.REASSERT
        case Forget():
            return Action.FORGET
        case Reset():
            return Action.RESET
        case _:
            assert_never(change)


def test_every_change_carries_the_action_of_its_class() -> None:
    assert [action_of(change) for change in CHANGES] == [change.action for change in CHANGES]


def test_the_family_of_changes_covers_every_action_but_unchanged() -> None:
    assert set(Action) - {Action.UNCHANGED} == {member.action for member in get_args(Change)}


def test_every_change_but_forget_is_a_call() -> None:
    assert set(get_args(Change)) - {Forget} == set(get_args(Call))


@given(changes=st.permutations(CHANGES), unchanged=st.permutations(UNCHANGED))
def test_a_plan_sorts_its_agents_whatever_order_they_come_in(changes: list[Change], unchanged: list[AgentId]) -> None:
    assert plan() == plan(changes=tuple(changes), unchanged=tuple(unchanged))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"changes": (CHANGES[0], CHANGES[0])}, id="two-changes"),
        pytest.param({"unchanged": (agent_id(1001),)}, id="changed-and-unchanged"),
        pytest.param({"changes": (), "unchanged": (agent_id(1001), agent_id(1001))}, id="unchanged-twice"),
    ],
)
def test_a_plan_with_an_agent_twice_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="agent 1001 is in the plan more than once"):
        plan(**parts)


def test_a_plan_counts_its_agents_by_action() -> None:
    expected = {Action.SET: 1, Action.REASSERT: 1, Action.FORGET: 1, Action.RESET: 1, Action.UNCHANGED: 2}
    assert expected == {action: plan().count(action) for action in Action}


def test_the_calls_of_a_plan_are_its_changes_without_forget() -> None:
    assert [call.agent for call in plan().calls] == [1001, 1002, 1004]


@pytest.mark.parametrize(
    ("parts", "applyable"),
    [
        pytest.param({}, True, id="changes"),
        pytest.param({"changes": ()}, False, id="nothing-to-do"),
        pytest.param({"findings": (FINDING,)}, False, id="refused"),
        pytest.param({"findings": (replace(FINDING, lifted=True),)}, True, id="lifted"),
        pytest.param({"findings": (replace(FINDING, lifted=True), FINDING)}, False, id="lifted-and-refused"),
        pytest.param({"changes": (), "findings": (replace(FINDING, lifted=True),)}, False, id="lifted-and-nothing"),
    ],
)
def test_a_plan_is_applyable_if_it_does_something_and_no_guardrail_objects(
    parts: dict[str, Any], *, applyable: bool
) -> None:
    assert applyable == plan(**parts).applyable


def test_refusals_are_the_findings_nobody_lifted() -> None:
    assert plan(findings=(replace(FINDING, lifted=True), FINDING)).refusals == (FINDING,)


@pytest.mark.parametrize(
    ("scope", "partial"),
    [
        pytest.param(Scope(), False, id="everything"),
        pytest.param(Scope(teams=("east",)), True, id="teams"),
        pytest.param(Scope(agents=(agent_range("1001"),)), True, id="agents"),
        pytest.param(Scope(excluded=(agent_range("1001"),)), True, id="excluded"),
        pytest.param(Scope(channels=(VALUES.channels[0][0],)), True, id="channels"),
    ],
)
def test_a_scope_is_partial_if_it_may_leave_anything_out(scope: Scope, *, partial: bool) -> None:
    assert partial == scope.partial


@pytest.mark.parametrize("age", [True, -1, math.nan, math.inf, "1h"], ids=["bool", "negative", "nan", "inf", "text"])
def test_an_age_that_is_none_is_refused(age: Any) -> None:
    with pytest.raises(ValueError, match=r"reassert_older_than is .*, not a number of at least 0"):
        PlanOptions(reassert_older_than=age)


@pytest.mark.parametrize("value", [plan(), *CHANGES, Scope()], ids=lambda value: type(value).__name__.lower())
def test_a_plan_and_its_parts_are_frozen(value: Any) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, name, None)
