"""The page of a command that ended without a plan and without an outcome: its problems, each with its place."""

from __future__ import annotations

from reconciler.model.printable import printable
from reconciler.report.html.diagnostics import problem_sections, problem_verdict
from reconciler.report.html.guardrails import guardrail_sections, refusal_lines
from reconciler.report.html.markup import element, joined
from reconciler.report.html.page import Section, page
from reconciler.report.html.plan import going_back_sections
from reconciler.report.layout import counted
from reconciler.report.reported import ProblemReport


def problem_page(report: ProblemReport) -> str:
    """Return the page of a `validate`, or of a command that was refused or failed."""
    envelope = report.envelope
    site = "" if envelope.site is None else f" for site {printable(envelope.site, limit=60)}"
    return page(
        title=f"{printable(envelope.command, limit=20).capitalize()}{site}",
        verdict=problem_verdict(envelope.diagnostics, envelope.exit_reason),
        lead=refusal_lines(report.findings),
        facts=_facts(report),
        sections=[
            *problem_sections(envelope.diagnostics),
            *guardrail_sections(report.findings, None),
            *going_back_sections(report.going_back),
            *_notes(report.notes),
        ],
    )


def _facts(report: ProblemReport) -> list[tuple[str, str]]:
    envelope = report.envelope
    declared = [counted(count, noun) for count, noun in ((report.agents, "agent"), (report.teams, "team")) if count]
    found = [
        ("Environment", envelope.environment or ""),
        ("Ended", f"exit {envelope.exit_code} ({envelope.exit_reason})" if envelope.exit_reason else ""),
        ("Declared", ", ".join(declared)),
        ("Fingerprint", report.fingerprint or ""),
    ]
    return [(name, printable(value)) for name, value in found if value]


def _notes(notes: tuple[str, ...]) -> list[Section]:
    if not notes:
        return []
    lines = joined(element("span", f"{printable(note, limit=1000)} ") for note in notes)
    return [Section(name="notes", title="What else there is to say", content=[element("pre", lines, tabindex="0")])]
