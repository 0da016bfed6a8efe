from __future__ import annotations

import json

import pytest
from report.markdown_examples import plan_report, problem_report

from reconciler.report.hosts.terraform import terraform


@pytest.mark.parametrize(
    ("name", "create", "update", "delete"),
    [("one-agent", 0, 1, 0), ("first-plan", 60, 0, 0), ("only-forgetting", 0, 0, 1), ("nothing-to-do", 0, 0, 0)],
)
def test_the_counts_are_those_who_are_new_who_are_called_again_and_who_are_dropped(
    name: str, create: int, update: int, delete: int
) -> None:
    assert {"create": create, "update": update, "delete": delete} == json.loads(terraform(plan_report(name)))


def test_a_plan_that_failed_has_no_counts_rather_than_zeros() -> None:
    assert json.loads(terraform(problem_report())) == {}
