"""The outcome of a run as the blocks of a page: trouble first, then what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.outcome import Outcome, Result
from reconciler.report.grouping import RESULT_ORDER, OutcomeGroup, group_outcomes
from reconciler.report.layout import FEW_RANGES, counted
from reconciler.report.markdown.budget import Block, Listing, Passage, list_passage
from reconciler.report.markdown.commands import command_line, environment_word
from reconciler.report.markdown.diagnostics import diagnostic_blocks
from reconciler.report.markdown.going_back import going_back_blocks
from reconciler.report.markdown.text import ALL_RANGES, NAME, SHORT_NAME, agents_cell, code, row, table_head
from reconciler.report.reported import OutcomeReport
from reconciler.report.text.outcome import NEXT_STEPS

_COLUMNS = ("result", "agents", "what", "answer")
_TROUBLE_FIRST = tuple(reversed(RESULT_ORDER))
_TROUBLE = frozenset({Result.FAILED, Result.IN_DOUBT})


def outcome_blocks(report: OutcomeReport) -> list[Block]:
    """Return the page of an outcome."""
    envelope, outcomes = report.envelope, report.outcomes
    counts = Counter(outcome.result for outcome in outcomes)
    return [
        Passage(forms=(_heading(report, NAME), _heading(report, SHORT_NAME)), rank=0),
        Passage(forms=(_verdict(report, counts),), rank=0),
        *_table(outcomes),
        *_next_steps(report, counts),
        *going_back_blocks(report.going_back),
        *_records(report),
        *diagnostic_blocks(envelope.diagnostics, folded=True),
    ]


def _heading(report: OutcomeReport, limit: int) -> str:
    site = "" if report.envelope.site is None else f" of site {code(report.envelope.site, limit=limit)}"
    return f"## Outcome of {code(report.envelope.command, limit=20)}{site}"


def _verdict(report: OutcomeReport, counts: Counter[Result]) -> str:
    words = ", ".join(_count(result, counts[result]) for result in _TROUBLE_FIRST if counts[result])
    calls = counted(sum(outcome.attempts for outcome in report.outcomes), "call")
    mark = "❌" if any(counts[result] for result in _TROUBLE) else "✅" if not report.envelope.exit_code else "⚠️"
    reason = code(report.envelope.exit_reason, limit=SHORT_NAME)
    ended = f" Exit {report.envelope.exit_code} ({reason})." if report.envelope.exit_code else ""
    return f"{mark} {words or '**There was nothing to do**'}; {calls}.{ended}"


def _count(result: Result, count: int) -> str:
    words = f"{count:,} {_name(result)}"
    return f"**{words}**" if result in _TROUBLE else words


def _name(result: Result) -> str:
    return str(result).replace("_", " ")


def _table(outcomes: Sequence[Outcome]) -> list[Block]:
    rank = {result: index for index, result in enumerate(_TROUBLE_FIRST)}
    groups = sorted(group_outcomes(outcomes), key=lambda group: rank[group.result])
    if not groups:
        return []
    return [
        Listing(
            head=table_head(_COLUMNS),
            items=groups,
            brief=_row,
            full=lambda group: _row(group, shown=ALL_RANGES),
            rest=lambda rest: f"Not shown: {_counts(rest)}.",
            instead=f"Not shown: {_counts(groups)}.",
            rank=2,
        )
    ]


def _row(group: OutcomeGroup, *, shown: int = FEW_RANGES) -> str:
    result = f"**{_name(group.result)}**" if group.result in _TROUBLE else _name(group.result)
    answer = [
        *([code(group.retcode, limit=40)] if group.retcode else []),
        *([code(group.message, limit=300)] if group.message else []),
    ]
    return row((result, agents_cell(group.agents, shown=shown), str(group.action), " ".join(answer) or "–"))


def _counts(groups: Sequence[OutcomeGroup]) -> str:
    """Return how many rows and agents these are, and how many agents of each result."""
    results: Counter[Result] = Counter()
    for group in groups:
        results[group.result] += len(group.agents)
    each = ", ".join(f"{count:,} {_name(result)}" for result, count in results.items())
    return f"{counted(len(groups), 'row')} with {counted(results.total(), 'agent')} ({each})"


def _next_steps(report: OutcomeReport, counts: Counter[Result]) -> list[Block]:
    steps = [f"- {NEXT_STEPS[result]}" for result in _TROUBLE_FIRST if counts[result] and result in NEXT_STEPS]
    if report.still_desired:
        asked = agents_cell(report.still_desired)
        steps.append(f"- the YAML still asks for something else, so the next plan lists them again; revert it: {asked}")
    return [list_passage("What to do next", steps, rank=1)] if steps else []


def _records(report: OutcomeReport) -> list[Block]:
    """Return what names the run: the plan it carried out, the records it left, and the way back."""
    lines = [f"- fingerprint {code(report.fingerprint, limit=80)}"] if report.fingerprint else []
    if report.saved.lineage is not None:
        lines.append(f"- recorded serial {report.base.serial} → {report.saved.serial}")
    if report.rollback_file is not None:
        lines.append(
            f"- to take it back: {command_line('rollback', report.rollback_file, environment_word(report.envelope))}"
        )
    return [list_passage("This run", lines, rank=1)] if lines else []
