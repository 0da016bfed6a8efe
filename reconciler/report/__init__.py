"""Plans, outcomes and diagnostics, as text and as documents. Pure: what comes out is a function of what goes in.

Rules of this room: no file, no clock, no terminal; and whatever others have written, a name of a team as much as a
server's message, is made harmless for the format it goes into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.front_door import open_on_demand

if TYPE_CHECKING:
    from reconciler.report.documents.inverse import going_back_document, inverse_document
    from reconciler.report.documents.outcomes import outcome_entries, outcome_summary
    from reconciler.report.documents.probe import probe_document, probe_script_document, probe_summary
    from reconciler.report.documents.report import report_document
    from reconciler.report.documents.text import document_pieces, document_text
    from reconciler.report.documents.writing import (
        FORMAT_VERSION,
        diagnostic_documents,
        plan_document,
        plan_summary,
        saved_plan,
    )
    from reconciler.report.formats import (
        ALL_FORMATS,
        FILE_FORMATS,
        MAX_CHARS,
        RUN_FORMATS,
        Format,
        fewest_chars,
        makes_sense,
        render,
        render_pieces,
    )
    from reconciler.report.hosts.matrix import GITHUB_MOST, github_matrix, gitlab_pipeline, is_plain, one_line, slugs
    from reconciler.report.hosts.problems import Repository
    from reconciler.report.hosts.step_outputs import output_lines, step_outputs
    from reconciler.report.layout import counted
    from reconciler.report.reading.inverse import read_inverse_plan
    from reconciler.report.reading.plan import SavedPlan, read_saved_plan
    from reconciler.report.reading.report import read_report
    from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
    from reconciler.report.style import Style
    from reconciler.report.text.by_hand import (
        adoption_summary,
        adoption_text,
        backup_sentence,
        removal_summary,
        removal_text,
    )
    from reconciler.report.text.diagnostic import diagnostics_text, problems_text
    from reconciler.report.text.difference import difference_text
    from reconciler.report.text.estimate import estimate_document
    from reconciler.report.text.going_back import restored_text
    from reconciler.report.text.history import history_documents, history_summary, history_text
    from reconciler.report.text.outcome import outcome_text
    from reconciler.report.text.pending import pending_documents, pending_summary, pending_text, waiting_agents
    from reconciler.report.text.plan import plan_text
    from reconciler.report.text.probe import probe_script_text, probe_text
    from reconciler.report.text.report import report_text
    from reconciler.report.text.state import record_documents, state_list_text, state_show_text, state_summary

__all__ = [
    "ALL_FORMATS",
    "FILE_FORMATS",
    "FORMAT_VERSION",
    "GITHUB_MOST",
    "MAX_CHARS",
    "RUN_FORMATS",
    "Envelope",
    "Format",
    "OutcomeReport",
    "PlanReport",
    "ProblemReport",
    "Reported",
    "Repository",
    "SavedPlan",
    "Style",
    "adoption_summary",
    "adoption_text",
    "backup_sentence",
    "counted",
    "diagnostic_documents",
    "diagnostics_text",
    "difference_text",
    "document_pieces",
    "document_text",
    "estimate_document",
    "fewest_chars",
    "github_matrix",
    "gitlab_pipeline",
    "going_back_document",
    "history_documents",
    "history_summary",
    "history_text",
    "inverse_document",
    "is_plain",
    "makes_sense",
    "one_line",
    "outcome_entries",
    "outcome_summary",
    "outcome_text",
    "output_lines",
    "pending_documents",
    "pending_summary",
    "pending_text",
    "plan_document",
    "plan_summary",
    "plan_text",
    "probe_document",
    "probe_script_document",
    "probe_script_text",
    "probe_summary",
    "probe_text",
    "problems_text",
    "read_inverse_plan",
    "read_report",
    "read_saved_plan",
    "record_documents",
    "removal_summary",
    "removal_text",
    "render",
    "render_pieces",
    "report_document",
    "report_text",
    "restored_text",
    "saved_plan",
    "slugs",
    "state_list_text",
    "state_show_text",
    "state_summary",
    "step_outputs",
    "waiting_agents",
]

open_on_demand(
    __name__,
    {
        "text.by_hand": ("adoption_summary", "adoption_text", "backup_sentence", "removal_summary", "removal_text"),
        "text.diagnostic": ("diagnostics_text", "problems_text"),
        "text.difference": ("difference_text",),
        "documents.writing": (
            "FORMAT_VERSION",
            "diagnostic_documents",
            "plan_document",
            "plan_summary",
            "saved_plan",
        ),
        "documents.outcomes": ("outcome_entries", "outcome_summary"),
        "documents.text": ("document_pieces", "document_text"),
        "text.estimate": ("estimate_document",),
        "formats": (
            "ALL_FORMATS",
            "FILE_FORMATS",
            "Format",
            "MAX_CHARS",
            "RUN_FORMATS",
            "fewest_chars",
            "makes_sense",
            "render",
            "render_pieces",
            "render_pieces",
        ),
        "text.going_back": ("restored_text",),
        "text.history": ("history_documents", "history_summary", "history_text"),
        "hosts.matrix": ("GITHUB_MOST", "github_matrix", "gitlab_pipeline", "is_plain", "one_line", "slugs"),
        "hosts.problems": ("Repository",),
        "hosts.step_outputs": ("output_lines", "step_outputs"),
        "documents.inverse": ("going_back_document", "inverse_document"),
        "reading.inverse": ("read_inverse_plan",),
        "layout": ("counted",),
        "text.outcome": ("outcome_text",),
        "text.pending": ("pending_documents", "pending_summary", "pending_text", "waiting_agents"),
        "reading.plan": ("SavedPlan", "read_saved_plan"),
        "text.plan": ("plan_text",),
        "documents.probe": ("probe_document", "probe_script_document", "probe_summary"),
        "text.probe": ("probe_script_text", "probe_text"),
        "documents.report": ("report_document",),
        "reading.report": ("read_report",),
        "text.report": ("report_text",),
        "reported": ("Envelope", "OutcomeReport", "PlanReport", "ProblemReport", "Reported"),
        "text.state": ("record_documents", "state_list_text", "state_show_text", "state_summary"),
        "style": ("Style",),
    },
)
