"""Plans and outcomes that somebody has had in hand are read as the plain way alone reads them, or left to it."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.examples import PLANS
from report.markdown_examples import outcome_report
from support.tampering import laid_out, take_apart, tampered

from reconciler.report import document_text, report_document, saved_plan
from reconciler.report.reading.lines import parse_lines
from reconciler.report.reading.plan import _document as plan_of
from reconciler.report.reading.report import _document as report_of
from reconciler.report.reading.values import parse_json

EXAMPLES = 15_000 if os.environ.get("TORTURE") else 250
_EVERY = ("every-reason-with-reset", "sessions-and-waits", "refused")
TEXTS = [
    *(document_text(saved_plan(PLANS[name](), tool_version="1")) for name in _EVERY),
    document_text(report_document(outcome_report("every-reason-with-reset"))),
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_document_that_is_taken_apart_and_written_again_is_the_same(text: str) -> None:
    assert text == laid_out(take_apart(text))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=True))
def test_a_tampered_document_is_read_as_the_plain_way_reads_it_or_left_to_it(text: str, chance: Random) -> None:
    data = tampered(text, laid_out, chance)
    for read in (plan_of, report_of):
        try:
            quick = read(parse_lines(data))
        except (ValueError, RecursionError):
            continue  # and is read the plain way
        assert read(parse_json(data)) == quick
