"""(Desired, State) → Plan: pure arithmetic over values. Only home of deepdiff."""

from reconciler.planning.difference import PlanDifference, compare_plans
from reconciler.planning.fingerprint import fingerprint, require_unaltered
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import in_scope
from reconciler.planning.standing import Standing, unapproved_standing

__all__ = [
    "PlanDifference",
    "Standing",
    "compare_plans",
    "fingerprint",
    "in_scope",
    "make_plan",
    "require_unaltered",
    "unapproved_standing",
]
