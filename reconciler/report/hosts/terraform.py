"""The counts of a plan as GitLab's `reports:terraform`, which the host shows as a line in the merge request."""

from __future__ import annotations

import json

from reconciler.model.plan import Action, Reason
from reconciler.report.reported import PlanReport, Reported

_DELETES = frozenset({Action.FORGET, Action.RESET})


def terraform(report: Reported) -> str:
    """Return the counts: who is new, who is called for another reason, and whose record is dropped.

    A command that failed has no counts, and zeros would say that there is nothing to do. The host shows a report
    without counts as one that could not be generated, which is so.
    """
    if not isinstance(report, PlanReport):
        return "{}\n"
    changes = report.plan.changes
    created = sum(1 for change in changes if change.reason is Reason.NEW)
    deleted = sum(1 for change in changes if change.action in _DELETES)
    return json.dumps({"create": created, "update": len(changes) - created - deleted, "delete": deleted}) + "\n"
