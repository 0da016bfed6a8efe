from __future__ import annotations

from support.fleets import agent_id

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action


def test_diagnostics_sort_by_place_and_errors_come_before_warnings() -> None:
    expected = [
        Diagnostic(path="a.yaml", line=2, column=9),
        Diagnostic(path="a.yaml", line=10, column=1, severity=Severity.ERROR, code="z"),
        Diagnostic(path="a.yaml", line=10, column=1, severity=Severity.WARNING, code="a"),
        Diagnostic(path="b.yaml", line=1, column=1),
    ]
    shuffled = [expected[index] for index in (2, 0, 3, 1)]
    assert expected == sorted(shuffled)


def test_outcomes_sort_by_agent_as_people_count() -> None:
    outcomes = [
        Outcome(agent=agent_id(number), action=Action.SET, result=Result.APPLIED) for number in (10001, 999, 1001)
    ]
    assert [outcome.agent for outcome in sorted(outcomes)] == [999, 1001, 10001]
