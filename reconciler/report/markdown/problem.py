"""A command that ended with nothing but problems, as the blocks of a page."""

from __future__ import annotations

from reconciler.report.layout import counted
from reconciler.report.markdown.budget import Block, Passage
from reconciler.report.markdown.diagnostics import diagnostic_blocks, diagnostic_counts
from reconciler.report.markdown.going_back import going_back_blocks
from reconciler.report.markdown.guardrails import guardrail_blocks
from reconciler.report.markdown.notes import note_blocks
from reconciler.report.markdown.text import code
from reconciler.report.reported import Envelope, ProblemReport

_LIMIT, _SHORT = 120, 30


def problem_blocks(report: ProblemReport) -> list[Block]:
    """Return the page of a command that had nothing to show but what is wrong, if anything is."""
    envelope = report.envelope
    return [
        Passage(forms=(_heading(envelope, _LIMIT), _heading(envelope, _SHORT)), rank=0),
        Passage(forms=(_verdict(report),), rank=0),
        *diagnostic_blocks(envelope.diagnostics),
        *guardrail_blocks(report.findings),
        *going_back_blocks(report.going_back),
        *note_blocks(report.notes),
    ]


def _heading(envelope: Envelope, limit: int) -> str:
    command = code(envelope.command, limit=20)
    if envelope.environment is not None:
        return f"## {command} of {code(envelope.environment, limit=limit)}"
    return f"## {command}" + (f" of site {code(envelope.site, limit=limit)}" if envelope.site is not None else "")


def _verdict(report: ProblemReport) -> str:
    envelope = report.envelope
    counts = diagnostic_counts(envelope.diagnostics)
    looked = (
        "" if report.agents is None else f" {counted(report.agents, 'agent')} in {counted(report.teams or 0, 'team')}."
    )
    if envelope.exit_code:
        found = f": {counts}" if counts else ""
        return f"❌ **Exit {envelope.exit_code}** ({code(envelope.exit_reason, limit=_SHORT)}){found}.{looked}"
    return (f"⚠️ **{counts}.**" if counts else "✅ **Nothing is wrong.**") + looked
