"""A report and its document: what is read back is the same report, and every format tells the same of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.examples import DIAGNOSTICS, PLANS, as_saved, fates, plans, unicode_text, written_by_others
from report.markdown_examples import hostile_reports, outcome_report, plan_report, problem_report

from reconciler.errors import InputError, StalePlanError
from reconciler.model.estimate import Estimate
from reconciler.model.plan import Base, Plan
from reconciler.report import Format, Repository, document_text, makes_sense, read_report, render, report_document
from reconciler.report.documents.text import Entries
from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.values import replace

HERE = Repository(top="/checkout", here="/checkout/sites")
LINEAGE = "11111111-2222-4333-8444-555555555555"


def _written(report: Reported) -> bytes:
    return document_text(report_document(report)).encode()


def _read(report: Reported) -> Reported:
    return read_report(_written(report), name="report.json")


def _require_the_same(report: Reported) -> None:
    back = _read(report)
    assert _written(report) == _written(back)
    for each in Format:
        if makes_sense(report, each):
            assert render(report, each, repository=HERE) == render(back, each, repository=HERE)


_envelopes = st.builds(
    Envelope,
    command=st.just("plan"),
    environment=unicode_text,
    site=st.just("demo"),
    exit_code=st.integers(0, 11),
    exit_reason=unicode_text,
    diagnostics=st.lists(st.sampled_from(DIAGNOSTICS), max_size=3).map(tuple),
    tool_version=st.just("1.2.3"),
)


def _plan_of(plan: Plan) -> Reported:
    return PlanReport(envelope=Envelope(command="plan"), plan=plan, unchanged=0)


@settings(max_examples=60, deadline=None)
@given(report=hostile_reports | st.builds(_plan_of, written_by_others(unicode_text)))
def test_what_is_put_into_words_once_reads_as_if_it_had_been_each_time(report: Reported) -> None:
    quick = report_document(report)
    plain = {name: each.documents() if isinstance(each, Entries) else each for name, each in quick.items()}
    assert document_text(plain) == document_text(quick)


@settings(max_examples=40, deadline=None)
@given(plan=plans, envelope=_envelopes, pace=st.none() | st.floats(0.1, 1000))
def test_a_plan_is_told_the_same_from_its_document(plan: Plan, envelope: Envelope, pace: float | None) -> None:
    estimate = None if pace is None else Estimate(calls=len(plan.calls), concurrency=4, requests_per_second=pace)
    unchanged = len(plan.unchanged)
    report = PlanReport(envelope=replace(envelope, site=plan.site), plan=plan, unchanged=unchanged, estimate=estimate)
    _require_the_same(report)
    assert replace(report, plan=as_saved(plan)) == _read(report)


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_worth_looking_at_is_told_the_same_from_its_document(name: str) -> None:
    _require_the_same(plan_report(name))


@pytest.mark.parametrize("name", ["nobody", "one-agent", "sixty-agents", "every-reason-with-reset"])
def test_an_outcome_is_told_the_same_from_its_document(name: str) -> None:
    report = replace(outcome_report(name), base=Base(lineage=LINEAGE, serial=7), saved=Base(lineage=LINEAGE, serial=8))
    _require_the_same(report)
    assert report == _read(report)


@settings(max_examples=30, deadline=None)
@given(
    command=st.sampled_from(["validate", "plan", "apply", "state rm"]),
    notes=st.lists(unicode_text, min_size=1, max_size=3).map(tuple),
    agents=st.none() | st.integers(0, 900_000),
)
def test_problems_are_told_the_same_from_their_document(
    command: str, notes: tuple[str, ...], agents: int | None
) -> None:
    envelope = replace(problem_report().envelope, command=command)
    checked: dict[str, Any] = {"agents": agents, "teams": agents} if command == "validate" else {}
    findings = PLANS["refused"]().findings
    refused: dict[str, Any] = {"findings": findings, "fingerprint": PLANS["refused"]().fingerprint}
    report = ProblemReport(envelope=envelope, notes=notes, **checked, **(refused if command == "apply" else {}))
    _require_the_same(report)
    assert report == _read(report)


@pytest.mark.parametrize("name", ["every-reason-with-reset", "sixty-agents"])
def test_a_document_laid_out_anew_tells_the_same(name: str) -> None:
    for report in (plan_report(name), outcome_report(name)):
        assert _read(report) == read_report(json.dumps(json.loads(_written(report)), indent=1).encode(), name="r.json")


def _edited(report: Reported, **fields: object) -> bytes:
    document = json.loads(_written(report))
    for path, value in fields.items():
        *parents, name = path.split("__")
        place = document
        for parent in parents:
            place = place[int(parent)] if parent.isdigit() else place[parent]
        place[name] = value
    return document_text(document).encode()


_OUTCOME = replace(
    outcome_report("sixty-agents"), base=Base(lineage=LINEAGE, serial=7), saved=Base(lineage=LINEAGE, serial=8)
)


@pytest.mark.parametrize(
    ("report", "fields", "words"),
    [
        pytest.param(_OUTCOME, {"summary__applied": 99}, "contradicts", id="a-count"),
        pytest.param(_OUTCOME, {"outcomes__0__outcome": "failed"}, "contradicts", id="a-fate"),
        pytest.param(plan_report("one-agent"), {"applyable": False}, "contradicts", id="applyable"),
        pytest.param(problem_report(), {"summary__errors": 0}, "contradicts", id="errors"),
    ],
)
def test_a_document_that_contradicts_itself_was_altered(report: Reported, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(StalePlanError, match=words):
        read_report(_edited(report, **fields), name="report.json")


@pytest.mark.parametrize(
    ("report", "fields", "words"),
    [
        pytest.param(_OUTCOME, {"format_version": "1.1"}, "newer reconciler", id="newer"),
        pytest.param(_OUTCOME, {"command": "plan"}, "plan has no outcomes", id="command"),
        pytest.param(_OUTCOME, {"command": "x; rm"}, "is no command", id="no-command"),
        pytest.param(_OUTCOME, {"extra": 1}, "extra", id="unknown-field"),
        pytest.param(_OUTCOME, {"outcomes__0__agent": "1003", "outcomes__1__agent": "1003"}, "twice", id="twice"),
        pytest.param(_OUTCOME, {"outcomes__0__attempts": True}, "attempts", id="a-truth-for-a-number"),
        pytest.param(problem_report(), {"diagnostics__0__severity": "fatal"}, "severity", id="severity"),
        pytest.param(
            problem_report(), {"command": "plan", "exit_code": 0, "summary": {}}, "exit_code", id="no-failure"
        ),
        pytest.param(plan_report("nobody"), {"document": "rollback"}, "rollback FILE --preview", id="rollback-file"),
    ],
)
def test_what_is_no_report_of_ours_is_refused_with_the_field(
    report: Reported, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_report(_edited(report, **fields), name="report.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{" * 5000, b'{"format_version": "1.0"}', b"null"])
def test_what_is_no_document_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"report\.json: not a plan or an outcome"):
        read_report(data, name="report.json")


def test_an_outcome_of_nobody_is_an_outcome() -> None:
    report = OutcomeReport(envelope=_OUTCOME.envelope, outcomes=(), fingerprint=_OUTCOME.fingerprint)
    assert report == _read(report)


@settings(max_examples=20)
@given(plan=plans, fate=st.booleans())
def test_whatever_became_of_a_plan_can_be_read_back(plan: Plan, fate: bool) -> None:
    outcomes = fates(plan) if fate else ()
    report = replace(_OUTCOME, outcomes=outcomes, fingerprint=plan.fingerprint)
    assert report == _read(report)
