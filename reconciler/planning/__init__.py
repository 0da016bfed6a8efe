"""(Desired, State) → Plan: pure arithmetic over values. Only home of deepdiff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.front_door import open_on_demand

if TYPE_CHECKING:
    from reconciler.planning.affected import affected_agents, shaping_settings
    from reconciler.planning.age import older_than
    from reconciler.planning.attendance import SessionKeys, agents_to_ask
    from reconciler.planning.by_hand import adoption, removal
    from reconciler.planning.difference import PlanDifference, compare_plans
    from reconciler.planning.fingerprint import fingerprint, require_unaltered
    from reconciler.planning.going_back import plan_back
    from reconciler.planning.inverse import inverse_after, inverse_before
    from reconciler.planning.inverse_fingerprint import require_unaltered_inverse
    from reconciler.planning.planner import make_plan
    from reconciler.planning.selection import in_scope
    from reconciler.planning.standing import unapproved_standing

__all__ = [
    "PlanDifference",
    "SessionKeys",
    "adoption",
    "affected_agents",
    "agents_to_ask",
    "compare_plans",
    "fingerprint",
    "in_scope",
    "inverse_after",
    "inverse_before",
    "make_plan",
    "older_than",
    "plan_back",
    "removal",
    "require_unaltered",
    "require_unaltered_inverse",
    "shaping_settings",
    "unapproved_standing",
]

open_on_demand(
    __name__,
    {
        "affected": ("affected_agents", "shaping_settings"),
        "age": ("older_than",),
        "attendance": ("SessionKeys", "agents_to_ask"),
        "by_hand": ("adoption", "removal"),
        "difference": ("PlanDifference", "compare_plans"),
        "fingerprint": ("fingerprint", "require_unaltered"),
        "going_back": ("plan_back",),
        "inverse": ("inverse_after", "inverse_before"),
        "inverse_fingerprint": ("require_unaltered_inverse",),
        "planner": ("make_plan",),
        "selection": ("in_scope",),
        "standing": ("unapproved_standing",),
    },
)
