"""Plans, outcomes and diagnostics, as text and as documents. Pure: what comes out is a function of what goes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.front_door import open_on_demand

if TYPE_CHECKING:
    from reconciler.report.by_hand_text import (
        adoption_summary,
        adoption_text,
        backup_sentence,
        removal_summary,
        removal_text,
    )
    from reconciler.report.diagnostic_text import diagnostics_text
    from reconciler.report.difference_text import difference_text
    from reconciler.report.documents import (
        FORMAT_VERSION,
        diagnostic_documents,
        document_text,
        outcome_documents,
        outcome_summary,
        plan_document,
        plan_summary,
        saved_plan,
    )
    from reconciler.report.estimate_text import estimate_document
    from reconciler.report.formats import (
        ALL_FORMATS,
        FILE_FORMATS,
        MAX_CHARS,
        RUN_FORMATS,
        Format,
        fewest_chars,
        makes_sense,
        render,
    )
    from reconciler.report.going_back_text import restored_text
    from reconciler.report.history_text import history_documents, history_summary, history_text
    from reconciler.report.hosts.matrix import GITHUB_MOST, github_matrix, gitlab_pipeline, is_plain, one_line, slugs
    from reconciler.report.hosts.problems import Repository
    from reconciler.report.hosts.step_outputs import output_lines, step_outputs
    from reconciler.report.inverse_documents import going_back_document, inverse_document
    from reconciler.report.inverse_reading import read_inverse_plan
    from reconciler.report.layout import counted
    from reconciler.report.outcome_text import outcome_text
    from reconciler.report.pending_text import pending_documents, pending_summary, pending_text, waiting_agents
    from reconciler.report.plan_reading import SavedPlan, read_saved_plan
    from reconciler.report.plan_text import plan_text
    from reconciler.report.probe_documents import probe_document, probe_script_document, probe_summary
    from reconciler.report.probe_text import probe_script_text, probe_text
    from reconciler.report.report_documents import report_document
    from reconciler.report.report_reading import read_report
    from reconciler.report.report_text import report_text
    from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
    from reconciler.report.state_text import record_documents, state_list_text, state_show_text, state_summary
    from reconciler.report.style import Style

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
    "outcome_documents",
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
    "read_inverse_plan",
    "read_report",
    "read_saved_plan",
    "record_documents",
    "removal_summary",
    "removal_text",
    "render",
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
        "by_hand_text": ("adoption_summary", "adoption_text", "backup_sentence", "removal_summary", "removal_text"),
        "diagnostic_text": ("diagnostics_text",),
        "difference_text": ("difference_text",),
        "documents": (
            "FORMAT_VERSION",
            "diagnostic_documents",
            "document_text",
            "outcome_documents",
            "outcome_summary",
            "plan_document",
            "plan_summary",
            "saved_plan",
        ),
        "estimate_text": ("estimate_document",),
        "formats": (
            "ALL_FORMATS",
            "FILE_FORMATS",
            "Format",
            "MAX_CHARS",
            "RUN_FORMATS",
            "fewest_chars",
            "makes_sense",
            "render",
        ),
        "going_back_text": ("restored_text",),
        "history_text": ("history_documents", "history_summary", "history_text"),
        "hosts.matrix": ("GITHUB_MOST", "github_matrix", "gitlab_pipeline", "is_plain", "one_line", "slugs"),
        "hosts.problems": ("Repository",),
        "hosts.step_outputs": ("output_lines", "step_outputs"),
        "inverse_documents": ("going_back_document", "inverse_document"),
        "inverse_reading": ("read_inverse_plan",),
        "layout": ("counted",),
        "outcome_text": ("outcome_text",),
        "pending_text": ("pending_documents", "pending_summary", "pending_text", "waiting_agents"),
        "plan_reading": ("SavedPlan", "read_saved_plan"),
        "plan_text": ("plan_text",),
        "probe_documents": ("probe_document", "probe_script_document", "probe_summary"),
        "probe_text": ("probe_script_text", "probe_text"),
        "report_documents": ("report_document",),
        "report_reading": ("read_report",),
        "report_text": ("report_text",),
        "reported": ("Envelope", "OutcomeReport", "PlanReport", "ProblemReport", "Reported"),
        "state_text": ("record_documents", "state_list_text", "state_show_text", "state_summary"),
        "style": ("Style",),
    },
)
