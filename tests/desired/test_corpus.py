"""A folder is a test: an environment, and what is said about it.

`expected.txt` holds the diagnostics, `resolved.json` the agents. To add a case, write the files and both answers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desired.corpus_format import diagnostic_text, resolved_json

from reconciler.desired import load
from reconciler.model.diagnostic import Severity

CORPUS = Path(__file__).parent / "corpus"
VALID = sorted((CORPUS / "valid").iterdir())
INVALID = sorted((CORPUS / "invalid").iterdir())
PASSWORD = "hunter2"  # every password that somebody pasted into a file of the corpus


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(VALID) + len(INVALID) >= 120


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_environment_is_refused_with_every_problem(case: Path) -> None:
    loaded = load(case)
    assert (case / "expected.txt").read_text(encoding="utf-8") == diagnostic_text(loaded)
    assert loaded.desired is None
    assert any(found.severity is Severity.ERROR for found in loaded.diagnostics)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_a_valid_environment_resolves_as_written_down(case: Path) -> None:
    loaded = load(case)
    assert (case / "expected.txt").read_text(encoding="utf-8") == diagnostic_text(loaded)
    assert loaded.desired is not None
    assert json.loads((case / "resolved.json").read_text(encoding="utf-8")) == resolved_json(loaded.desired)
    assert list(loaded.desired.agents) == sorted(loaded.desired.agents)


@pytest.mark.parametrize("case", VALID + INVALID, ids=lambda case: case.name)
def test_diagnostics_are_sorted_one_line_each_and_free_of_machine_paths(case: Path) -> None:
    loaded = load(case)
    assert sorted(loaded.diagnostics) == list(loaded.diagnostics)
    for found in loaded.diagnostics:
        text = f"{found.path}{found.summary}{found.detail}{found.pointer}"
        assert text.isprintable()
        assert str(CORPUS) not in text
        assert PASSWORD not in text
        assert found.code == found.code.lower().replace("_", "-")


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_strict_turns_warnings_into_errors(case: Path) -> None:
    relaxed, strict = load(case), load(case, strict=True)
    assert (strict.desired is None) == bool(relaxed.diagnostics)
    assert all(found.severity is Severity.ERROR for found in strict.diagnostics)
    assert len(relaxed.diagnostics) == len(strict.diagnostics)
