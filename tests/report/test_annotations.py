"""GitHub's workflow commands: what the host shows, and what nobody can make it obey."""

from __future__ import annotations

from hypothesis import given, settings
from report.examples import hostile
from report.markdown_examples import hostile_reports, outcome_report, plan_report, problem_report
from report.runner import Command, obeyed

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report.hosts.annotations import MOST, github_annotations
from reconciler.report.hosts.problems import Repository
from reconciler.report.reported import Envelope, ProblemReport, Reported
from reconciler.values import replace

HERE = Repository(top="/checkout", here="/checkout/sites")


def _report(*diagnostics: Diagnostic) -> ProblemReport:
    return ProblemReport(envelope=Envelope(command="validate", diagnostics=diagnostics))


def _commands(report: Reported) -> list[Command]:
    return obeyed(github_annotations(report, repository=HERE))


def test_an_annotation_stands_at_its_line_as_the_repository_names_the_file() -> None:
    (first, *_) = _commands(problem_report())
    expected = {"file": "sites/agents/east.yaml", "line": "7", "col": "12", "title": "unknown-channel"}
    assert expected == first.properties
    assert (first.name, first.message) == ("error", "unknown channel 'web_caht'; did you mean 'web_chat'?")


def test_what_a_problem_adds_is_a_second_line_of_its_annotation() -> None:
    assert "agent 1003 is declared twice\nthe other declaration is agents/night.yaml:4:3" in [
        command.message for command in _commands(problem_report())
    ]


def test_a_problem_outside_the_repository_names_its_file_in_words() -> None:
    (command,) = _commands(_report(Diagnostic(path="../../etc/x.yaml", line=3, code="c", summary="wrong")))
    assert Command("error", "../../etc/x.yaml: wrong", {"title": "c"}) == command


def test_ten_of_a_level_are_shown_and_of_eleven_the_tenth_says_how_many_more() -> None:
    errors = [Diagnostic(path="a.yaml", line=line, code="c", summary=f"e{line}") for line in range(1, 12)]
    warnings = [replace(each, severity=Severity.WARNING) for each in errors]

    ten = _commands(_report(*errors[:10], *warnings[:10]))
    assert [command.name for command in ten] == ["error"] * MOST + ["warning"] * MOST
    assert "e10" in [command.message for command in ten]

    eleven = _commands(_report(*errors, *warnings[:1]))
    assert [command.name for command in eleven] == ["error"] * MOST + ["warning"]
    assert eleven[MOST - 1].message == "and 2 more errors: the log of this step has all of them"


def test_errors_come_before_warnings_whatever_their_order() -> None:
    names = [command.name for command in _commands(problem_report())]
    assert sorted(names) == names == ["error"] * 4 + ["warning"]


def test_a_refusing_guardrail_stands_in_the_file_that_sets_it() -> None:
    commands = _commands(plan_report("refused"))
    assert {"sites/desired/demo/site.yaml"} == {command.properties["file"] for command in commands}
    assert all("refuses the plan" in command.message for command in commands)


def test_agents_with_the_same_fate_are_one_annotation() -> None:
    commands = _commands(outcome_report("ten-thousand-agents-refused"))
    assert [command.name for command in commands] == ["error", "error", "warning", "warning"]


def test_nothing_wrong_is_no_annotation() -> None:
    assert github_annotations(plan_report("one-agent"), repository=HERE) == ""


@settings(max_examples=60, deadline=None)
@given(report=hostile_reports)
def test_no_name_and_no_message_becomes_a_command_or_a_property(report: Reported) -> None:
    text = github_annotations(report, repository=HERE)
    commands = obeyed(text)
    assert len(text.splitlines()) == len(commands) <= 2 * MOST
    assert {command.name for command in commands} <= {"error", "warning"}
    assert all(set(command.properties) <= {"file", "line", "col", "title"} for command in commands)


@settings(max_examples=60)
@given(word=hostile)
def test_hostile_words_come_out_as_the_words_they_are(word: str) -> None:
    (command,) = _commands(_report(Diagnostic(path=f"{word}/a.yaml", line=1, code=word, summary=word, detail=word)))
    assert (command.name, command.properties.get("line", "1")) == ("error", "1")
