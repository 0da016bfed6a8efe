"""Which warnings a person gets to see, however many there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.site import Site

from reconciler.cli.warnings import shortened
from reconciler.model.diagnostic import Diagnostic, Severity

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
ADVICE = [Diagnostic(severity=Severity.WARNING, code="sum-above-total", line=line) for line in range(30)]


def warned_of(heading: str) -> list[str]:
    """Return the codes of a section of the page on diagnostics."""
    _, _, section = PAGE.read_text().partition(f"\n## {heading}\n")
    return re.findall(r"^\| `([a-z-]+)`", section.partition("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize(
    "code",
    [
        *("protects-nobody", "certificate-not-checked", "sessions-not-encrypted"),
        *warned_of("Warnings of a plan"),
        *warned_of("Warnings of a run and its way back"),
        *warned_of("Warnings of a run that signs agents in"),
    ],
)
def test_advice_about_a_large_fleet_hides_no_other_warning(code: str) -> None:
    other = Diagnostic(severity=Severity.WARNING, code=code)

    shown, hidden = shortened([*ADVICE, other])

    assert shown == [*ADVICE[:10], other]
    assert hidden == 20


@pytest.mark.parametrize("code", ["sum-above-total", "protects-nobody"])
def test_ten_of_a_kind_that_comes_by_the_thousand_are_shown(code: str) -> None:
    many = [Diagnostic(severity=Severity.WARNING, code=code, line=line) for line in range(1000)]

    shown, hidden = shortened(many)

    assert (len(shown), hidden) == (10, 990)


def test_an_error_is_never_left_out() -> None:
    errors = [Diagnostic(code="sum-above-total", line=line) for line in range(30)]

    assert shortened(errors) == (errors, 0)


def test_that_nobody_is_protected_is_told_before_an_apply_begins(site: Site) -> None:
    site.edit("site.yaml", "max_changed_percent: null", "protected: {teams: [esat]}")

    ended = site.run("apply", "demo", "--yes")

    assert "gateway.ca_file ca.pem cannot be read" in ended.err  # so it ended before anything was sent
    assert ended.err.splitlines()[0].startswith("demo/site.yaml:6:34: warning[protects-nobody]: no agent is in")
