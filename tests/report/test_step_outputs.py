"""What a GitHub step hands on: read as the runner reads it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.markdown_examples import hostile_reports, outcome_report, plan_report, problem_report

from reconciler.report import output_lines, step_outputs
from reconciler.report.reported import Reported


def read_outputs(text: str) -> dict[str, str]:
    """Read an output file as the runner does: `name<<delimiter`, lines, delimiter."""
    outputs, lines = {}, iter(text.split("\n"))
    for line in lines:
        if line:
            name, _, delimiter = line.partition("<<")
            outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs


def test_a_plan_hands_on_its_counts_and_its_fingerprint() -> None:
    report = plan_report("every-reason")
    outputs = step_outputs(report)
    assert str(len(report.plan.changes)) == outputs["changes"]
    assert report.plan.fingerprint == outputs["fingerprint"]
    assert {"set", "reassert", "forget", "reset", "unchanged", "calls", "deferred", "refusal"} <= set(outputs)
    assert (outputs["exit_code"], outputs["exit_reason"], outputs["refusal"]) == ("0", "done", "")


def test_deferred_is_whom_an_earlier_run_left_waiting() -> None:
    assert step_outputs(plan_report("sessions-and-waits"))["deferred"] == "4"


def test_a_refused_plan_says_which_guardrail_with_its_number_and_limit() -> None:
    refusal = step_outputs(plan_report("refused"))["refusal"]
    assert refusal.startswith("max_changed_agents: 2")
    assert "the limit is 1" in refusal


def test_a_run_hands_on_how_many_ended_how() -> None:
    report = outcome_report("sixty-agents")
    outputs = step_outputs(report)
    assert str(sum(each.attempts for each in report.outcomes)) == outputs["calls"]
    assert len(report.outcomes) == sum(
        int(outputs[name]) for name in ("applied", "deferred", "failed", "in_doubt", "skipped", "forgotten")
    )


def test_a_command_that_failed_hands_on_why() -> None:
    assert step_outputs(problem_report())["refusal"].endswith("(and 3 more)")


@settings(max_examples=60, deadline=None)
@given(report=hostile_reports)
def test_every_output_comes_out_as_it_went_in_whatever_others_wrote(report: Reported) -> None:
    outputs = step_outputs(report)
    assert all(value.isprintable() for value in outputs.values())
    assert outputs == read_outputs(output_lines(outputs, delimiter="end0123456789abcdef"))


@given(value=st.text().filter(lambda text: "end0" not in text))
def test_a_value_of_several_lines_ends_where_it_ends(value: str) -> None:
    outputs = {"a": value, "b": ""}
    assert outputs == read_outputs(output_lines(outputs, delimiter="end0"))


@pytest.mark.parametrize("delimiter", ["", "a b", "x\n"])
def test_a_delimiter_is_a_word(delimiter: str) -> None:
    with pytest.raises(ValueError, match="must be a word"):
        output_lines({"a": "1"}, delimiter=delimiter)


def test_a_delimiter_that_stands_in_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a word that stands in no value"):
        output_lines({"a": "x\nend0\nb<<end0\n1"}, delimiter="end0")
