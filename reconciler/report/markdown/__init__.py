"""A report as Markdown for the page of a pull request: made to fit, never cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from reconciler.report.markdown.budget import Block, Passage, fit
from reconciler.report.markdown.outcome import outcome_blocks
from reconciler.report.markdown.plan import plan_blocks
from reconciler.report.markdown.problem import problem_blocks
from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported

MIN_CHARS = 2000
"""Room enough for the heading, the verdict, what refuses a plan, the sums of its capacity and its fingerprint, whatever
anything in them is called."""

_SHORTENED = (
    "✂️ **Shortened to fit.** Each place says what it leaves out; the whole is in the saved document (in a pipeline: "
    "the artifact of its job), and `reconciler show FILE --format html` shows it."
)
_AFTER_THE_VERDICT = 2


def markdown(report: Reported, *, max_chars: int) -> str:
    """Return `report` as GitHub-flavoured Markdown, ending in a newline.

    Args:
        report: a plan, an outcome or the problems of a command.
        max_chars: what the host takes, in characters. It is held in bytes of UTF-8, which are never fewer.

    Raises:
        ValueError: `max_chars` is below `MIN_CHARS`.
    """
    if max_chars < MIN_CHARS:
        raise ValueError(f"{max_chars} characters are too few for a report: give at least {MIN_CHARS}")
    blocks = _blocks(report)
    page = fit(blocks, room=max_chars)
    if not page.whole:
        shortened = Passage(forms=(_SHORTENED,), rank=0)
        page = fit([*blocks[:_AFTER_THE_VERDICT], shortened, *blocks[_AFTER_THE_VERDICT:]], room=max_chars)
    return page.text


def _blocks(report: Reported) -> Sequence[Block]:
    match report:
        case PlanReport():
            return plan_blocks(report)
        case OutcomeReport():
            return outcome_blocks(report)
        case ProblemReport():
            return problem_blocks(report)
        case _:
            assert_never(report)
