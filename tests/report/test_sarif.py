"""SARIF as its published schema has it, and as GitHub takes it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from report.markdown_examples import hostile_reports, outcome_report, plan_report, problem_report

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report.hosts.problems import Repository
from reconciler.report.hosts.sarif import MOST, sarif
from reconciler.report.reported import Envelope, ProblemReport, Reported
from reconciler.values import replace

HERE = Repository(top="/checkout", here="/checkout/sites")
_SCHEMA = Path(__file__).parent / "published" / "sarif-2.1.0.schema.json"


@cache
def _validator() -> jsonschema_rs.Validator:
    schema = json.loads(_SCHEMA.read_bytes())
    for each in ("run", "toolComponent"):  # what it calls a pattern there is none, and we say no language
        del schema["definitions"][each]["properties"]["language"]["pattern"]
    return jsonschema_rs.validator_for(schema)


def _run(report: Reported) -> Any:
    log = json.loads(sarif(report, repository=HERE))
    _validator().validate(log)
    (run,) = log["runs"]
    return run


def _report(*diagnostics: Diagnostic) -> ProblemReport:
    return ProblemReport(envelope=Envelope(command="validate", environment="demo", diagnostics=diagnostics))


@pytest.mark.parametrize("report", [problem_report(), plan_report("refused"), plan_report("one-agent"), _report()])
def test_a_log_keeps_to_the_published_schema(report: Reported) -> None:
    assert _run(report)["tool"]["driver"]["name"] == "reconciler"


@settings(max_examples=40, deadline=None)
@given(report=hostile_reports)
def test_a_log_keeps_to_the_schema_whatever_others_wrote(report: Reported) -> None:
    run = _run(report)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert len({each["partialFingerprints"]["problem/v1"] for each in run["results"]}) == len(run["results"])


def test_a_result_stands_at_its_line_and_its_rule_says_what_to_do() -> None:
    run = _run(problem_report())
    result = run["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "sites/agents/east.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 7, "startColumn": 12}
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "/agents/1001/channels/web_caht"
    assert "take the one it suggests" in run["tool"]["driver"]["rules"][result["ruleIndex"]]["help"]["text"]


def test_what_has_no_file_of_the_repository_is_a_notification_and_no_result() -> None:
    lost = Diagnostic(path="../../outside.yaml", code="c", summary="wrong")
    run = _run(_report(lost, Diagnostic(code="lock-held", summary="held")))
    assert run["results"] == []
    said = run["invocations"][0]["toolExecutionNotifications"]
    assert [each["message"]["text"] for each in said] == ["../../outside.yaml: wrong", "held"]
    assert run["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b.yaml", "sites/a%20b.yaml"),
        ("a:b.yaml", "sites/a%3Ab.yaml"),
        ("ä%.yaml", "sites/%C3%A4%25.yaml"),
        ("\udcff.yaml", "sites/%FF.yaml"),
        ("../x.yaml", "x.yaml"),
    ],
)
def test_a_path_is_a_relative_uri_whatever_is_in_it(path: str, uri: str) -> None:
    (result,) = _run(_report(Diagnostic(path=path, line=1, code="c", summary="s")))["results"]
    assert uri == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_a_fingerprint_outlives_an_edit_elsewhere_in_the_file() -> None:
    before = problem_report()
    moved = tuple(replace(each, line=each.line + 5) for each in before.envelope.diagnostics)
    after = replace(before, envelope=replace(before.envelope, diagnostics=moved))
    assert _fingerprints(before) == _fingerprints(after)


def _fingerprints(report: Reported) -> list[str]:
    return [each["partialFingerprints"]["problem/v1"] for each in _run(report)["results"]]


def test_a_log_has_no_more_results_than_hosts_take_errors_first_and_says_how_many_more() -> None:
    warning = Diagnostic(path="a.yaml", severity=Severity.WARNING, code="c", summary="w")
    run = _run(_report(*[warning] * MOST, *[replace(warning, severity=Severity.ERROR, summary="e")] * 2))
    assert len(run["results"]) == MOST
    assert [each["level"] for each in run["results"][:3]] == ["error", "error", "warning"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("and 2 more problems")


def test_environments_of_one_repository_are_told_apart() -> None:
    other = replace(problem_report(), envelope=replace(problem_report().envelope, environment="desired/other"))
    ids = [_run(report)["automationDetails"]["id"] for report in (problem_report(), other)]
    assert ids == ["validate/desired/demo/", "validate/desired/other/"]


def test_the_fates_of_a_run_stand_in_no_file() -> None:
    assert _run(outcome_report("sixty-agents"))["results"] == []
