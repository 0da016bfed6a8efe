"""JUnit XML, read by a reader that others wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from report.markdown_examples import hostile_reports, outcome_report, plan_report, problem_report

from reconciler.model.outcome import Result
from reconciler.report.hosts.junit import junit
from reconciler.report.hosts.problems import Repository
from reconciler.report.reported import OutcomeReport, Reported
from reconciler.values import replace

HERE = Repository(top="/checkout", here="/checkout/sites")


def _suite(report: Reported) -> TestSuite:
    (suite,) = JUnitXml.fromstring("".join(junit(report, repository=HERE)).encode())
    return suite


def _cases(report: Reported) -> list[TestCase]:
    cases = list(_suite(report))
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    return cases


def _count(report: Reported, kind: type) -> int:
    return sum(any(isinstance(each, kind) for each in case.result) for case in _cases(report))


def test_a_problem_is_a_test_that_fails_and_says_where() -> None:
    (case,) = [each for each in _cases(problem_report()) if each.name.startswith("unknown-channel")]
    assert case.classname == "agents/east.yaml"
    (failure,) = case.result
    assert (failure.type, failure.message) == (
        "unknown-channel",
        "unknown channel 'web_caht'; did you mean 'web_chat'?",
    )
    assert "agents/east.yaml:7:12" in failure.text


def test_no_line_is_in_the_name_of_a_test_so_that_a_host_knows_it_again() -> None:
    report = problem_report()
    moved = tuple(replace(each, line=each.line + 5) for each in report.envelope.diagnostics)
    after = replace(report, envelope=replace(report.envelope, diagnostics=moved))
    assert [case.name for case in _cases(report)] == [case.name for case in _cases(after)]


def test_a_warning_is_a_test_that_passes_with_something_to_say() -> None:
    (case,) = [each for each in _cases(problem_report()) if each.name == "unused-profile"]
    assert case.result == []
    assert "no agent uses the profile" in case.system_out


def test_each_agent_of_a_run_is_a_test_and_its_fate_the_result() -> None:
    report = outcome_report("sixty-agents")
    fates = [outcome.result for outcome in report.outcomes]
    assert len(fates) == len(_cases(report))
    assert fates.count(Result.FAILED) + fates.count(Result.IN_DOUBT) == _count(report, Failure)
    assert fates.count(Result.DEFERRED) + fates.count(Result.SKIPPED) == _count(report, Skipped)


@pytest.mark.parametrize(
    "report", [plan_report("one-agent"), OutcomeReport(envelope=plan_report("nobody").envelope, outcomes=())]
)
def test_where_all_is_well_one_test_says_so(report: Reported) -> None:
    (case,) = _cases(report)
    assert case.result == []


@settings(max_examples=40, deadline=None)
@given(report=hostile_reports)
def test_the_counts_are_those_of_the_tests_whatever_others_wrote(report: Reported) -> None:
    suite, cases = _suite(report), _cases(report)
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (
        len(cases),
        _count(report, Failure),
        _count(report, Skipped),
        _count(report, Error),
    )
