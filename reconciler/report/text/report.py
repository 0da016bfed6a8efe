"""Whatever a report is about, as the text that its command prints."""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from reconciler.model.diagnostic import Severity
from reconciler.model.printable import printable
from reconciler.report.layout import counted
from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.report.style import Style
from reconciler.report.text.diagnostic import problems_text

_PLAIN = Style(color=False)


def report_text(report: Reported, *, style: Style = _PLAIN) -> str:
    """Return the result of the command, ending in a newline; what it says on stderr besides is not in it.

    A command that has no result but its problems is told by those.
    """
    match report:
        case PlanReport():
            from reconciler.report.text.plan import plan_text  # noqa: PLC0415 - a look at files tells of no plan

            return plan_text(report.plan, unchanged=report.unchanged, style=style, estimate=report.estimate)
        case OutcomeReport():
            from reconciler.report.text.outcome import outcome_text  # noqa: PLC0415 - as above

            return outcome_text(report.envelope.site or "", report.outcomes, style=style)
        case ProblemReport():
            return problems_text(report.envelope.diagnostics, style=style) + _last_lines(report)
        case _:
            assert_never(report)


def _last_lines(report: ProblemReport) -> str:
    envelope = report.envelope
    if envelope.command != "validate":
        reason = printable(envelope.exit_reason, limit=60)
        command = printable(envelope.command, limit=60)
        ended = f"{command} ended with exit code {envelope.exit_code} ({reason})."
        return "".join(f"{line}\n" for line in [*(printable(note, limit=1000) for note in report.notes), ended])
    counts = Counter(each.severity for each in envelope.diagnostics)
    tail = f"{counted(counts[Severity.ERROR], 'error')}, {counted(counts[Severity.WARNING], 'warning')}"
    if report.agents is None or envelope.exit_code:
        return f"Invalid: {tail}.\n"
    fleet = f"{counted(report.agents, 'agent')} in {counted(report.teams or 0, 'team')}"
    return f"Valid: site {printable(envelope.site or '', limit=60)}, {fleet}; {tail}.\n"
