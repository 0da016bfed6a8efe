"""Plans, outcomes and diagnostics, as text and as documents. Pure: what comes out is a function of what goes in."""

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
from reconciler.report.hosts.problems import Repository
from reconciler.report.hosts.step_outputs import output_lines, step_outputs
from reconciler.report.inverse_documents import going_back_document, inverse_document
from reconciler.report.inverse_reading import read_inverse_plan
from reconciler.report.layout import counted
from reconciler.report.matrix import GITHUB_MOST, github_matrix, gitlab_pipeline, is_plain, one_line, slugs
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
