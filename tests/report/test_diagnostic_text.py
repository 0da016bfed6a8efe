from __future__ import annotations

import pytest
from report.examples import PLAIN

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report import diagnostics_text, problems_text


@pytest.mark.parametrize(
    ("diagnostic", "expected"),
    [
        pytest.param(
            Diagnostic(path="a.yaml", line=2, column=3, code="c", summary="wrong", pointer="/a"),
            "a.yaml:2:3: error[c]: wrong  /a\n",
            id="place-and-pointer",
        ),
        pytest.param(
            Diagnostic(path="a.yaml", line=2, severity=Severity.WARNING, code="c", summary="odd", detail="mend it"),
            "a.yaml:2: warning[c]: odd\n    mend it\n",
            id="line-and-detail",
        ),
        pytest.param(Diagnostic(path="a.yaml", code="c", summary="gone"), "a.yaml: error[c]: gone\n", id="file"),
        pytest.param(Diagnostic(code="c", summary="gone", line=3), "error[c]: gone\n", id="no-file"),
    ],
)
def test_a_diagnostic_is_a_line_as_compilers_write_it(diagnostic: Diagnostic, expected: str) -> None:
    assert expected == diagnostics_text([diagnostic], style=PLAIN)


def test_no_diagnostics_are_no_text() -> None:
    assert diagnostics_text([], style=PLAIN) == ""


def test_what_else_helps_is_said_once_in_a_file() -> None:
    problems = [
        Diagnostic(path=path, line=line, code="c", summary="wrong", detail="keys are a and b")
        for path in ("a.yaml", "b.yaml")
        for line in (1, 2)
    ]

    assert diagnostics_text(problems, style=PLAIN).splitlines() == [
        "a.yaml:1: error[c]: wrong",
        "    keys are a and b",
        "a.yaml:2: error[c]: wrong",
        "b.yaml:1: error[c]: wrong",
        "    keys are a and b",
        "b.yaml:2: error[c]: wrong",
    ]


def test_a_few_problems_stand_in_the_order_of_their_places_whatever_they_are() -> None:
    error = Diagnostic(path="a.yaml", line=1, code="c", summary="wrong")
    warning = Diagnostic(path="a.yaml", line=2, severity=Severity.WARNING, code="w", summary="odd")

    assert problems_text([error, warning], style=PLAIN).splitlines() == [
        "a.yaml:1: error[c]: wrong",
        "a.yaml:2: warning[w]: odd",
    ]


def test_among_many_problems_errors_stand_last_next_to_the_end_of_the_text() -> None:
    error = Diagnostic(path="a.yaml", line=1, code="c", summary="wrong")
    warning = Diagnostic(path="a.yaml", line=2, severity=Severity.WARNING, code="w", summary="odd")

    text = problems_text([error, warning], style=PLAIN, unlisted=1200, elsewhere="reconciler validate demo")

    assert text.splitlines() == [
        "a.yaml:2: warning[w]: odd",
        "… and 1,200 more warnings: reconciler validate demo",
        "a.yaml:1: error[c]: wrong",
    ]


def test_many_problems_end_with_their_kinds_and_files() -> None:
    errors = [
        Diagnostic(path=f"{line % 3 // 2}.yaml", line=line, code=f"c{line % 2}", summary=f"{line}")
        for line in range(1501)
    ]
    warnings = [
        Diagnostic(path="a.yaml", line=line, severity=Severity.WARNING, code="w", summary=f"{line}")
        for line in range(21)
    ]

    lines = problems_text(errors + warnings, style=PLAIN).splitlines()

    assert lines[21] == "21 warnings: 21 w; in a.yaml"
    assert lines[-1] == "1,501 errors: 751 c0, 750 c1; in 2 files, most in 0.yaml (1,001)"
    assert len(lines) == 1501 + 21 + 2


def test_a_slip_that_was_copied_is_told_once_more_at_the_end() -> None:
    same = [Diagnostic(path="a.yaml", line=line, code="c", summary="no 'emial'") for line in range(1, 1001)]
    other = Diagnostic(path="a.yaml", line=1001, code="d", summary="odd")

    assert problems_text(same, style=PLAIN).splitlines()[-1] == "    all of them: no 'emial'"
    assert problems_text([*same, other], style=PLAIN).splitlines()[-1] == "    1,000 of them: no 'emial'"


def test_that_more_are_not_listed_is_told_after_those_that_are() -> None:
    more = Diagnostic(path="a.yaml", code="further-problems", summary="50,000 further entries are not listed")
    listed = Diagnostic(path="a.yaml", line=2, code="c", summary="wrong")

    assert problems_text([more, listed], style=PLAIN).splitlines()[-1] == (
        "a.yaml: error[further-problems]: 50,000 further entries are not listed"
    )


def test_of_very_many_kinds_the_rare_ones_are_counted() -> None:
    errors = [Diagnostic(path="a.yaml", line=line, code=f"c{min(line, 9)}", summary=f"{line}") for line in range(30)]

    last = problems_text(errors, style=PLAIN).splitlines()[-1]

    assert last == "30 errors: 21 c9, 1 c0, 1 c1, 1 c2, 1 c3, 1 c4, and 4 more kinds; in a.yaml"
