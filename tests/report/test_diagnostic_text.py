from __future__ import annotations

import pytest
from report.examples import PLAIN

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report import diagnostics_text


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
