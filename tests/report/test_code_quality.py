"""GitLab Code Quality, as its documentation asks for it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from report.markdown_examples import hostile_reports, plan_report, problem_report

from reconciler.report.hosts.code_quality import code_quality
from reconciler.report.hosts.problems import Repository
from reconciler.report.reported import Reported
from reconciler.values import replace

HERE = Repository(top="/checkout", here="/checkout/sites")
_SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def _entries(report: Reported) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(code_quality(report, repository=HERE))
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in _SEVERITIES
        assert entry["location"]["lines"]["begin"] >= 1
        assert entry["location"]["path"].encode()  # no half of a character, which the host's reader refuses
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    return entries


def test_an_entry_stands_at_its_line_as_the_repository_names_the_file() -> None:
    first = _entries(problem_report())[0]
    assert first["location"] == {"path": "sites/agents/east.yaml", "lines": {"begin": 7}}
    assert (first["check_name"], first["severity"]) == ("unknown-channel", "critical")


def test_what_has_no_file_is_shown_at_the_sites_own() -> None:
    (entry,) = [each for each in _entries(problem_report()) if each["check_name"] == "lock-held"]
    assert entry["location"] == {"path": "sites/desired/demo/site.yaml", "lines": {"begin": 1}}
    assert entry["description"] == "another run holds the lock; wait for it, or break the lock"


def test_warnings_are_minor() -> None:
    assert [each["check_name"] for each in _entries(problem_report()) if each["severity"] == "minor"] == [
        "unused-profile"
    ]


def test_a_fingerprint_outlives_an_edit_elsewhere_in_the_file() -> None:
    report = problem_report()
    moved = tuple(replace(each, line=each.line + 5) for each in report.envelope.diagnostics)
    after = replace(report, envelope=replace(report.envelope, diagnostics=moved))
    assert [each["fingerprint"] for each in _entries(report)] == [each["fingerprint"] for each in _entries(after)]


def test_nothing_wrong_is_an_empty_list() -> None:
    assert code_quality(plan_report("one-agent"), repository=HERE) == "[]\n"


@settings(max_examples=40, deadline=None)
@given(report=hostile_reports)
def test_every_entry_is_complete_whatever_others_wrote(report: Reported) -> None:
    _entries(report)
