"""What stands between a plan and its application: the reviewed plan and the guardrails. Refusals only; nothing is sent.

A reviewed plan is a promise to hold to. The plan made now must do the same, or, if that is accepted, a strict part of
it; nothing ever accepts more. Guardrails hold for every plan, reviewed or not.
"""

from __future__ import annotations

from reconciler.errors import GuardrailRefusedError, StalePlanError
from reconciler.model.plan import Plan
from reconciler.planning import PlanDifference, compare_plans


class PlanDiffersError(StalePlanError):
    """The plan made now does something else than the reviewed one."""

    def __init__(self, difference: PlanDifference) -> None:
        """Keep the difference, for whoever shows it."""
        super().__init__(
            "the plan made now is not the plan that was reviewed; nothing was sent",
            hint="plan again and have it reviewed"
            + ("; or accept that less is to be done: --allow-shrink" if difference.shrunk else ""),
        )
        self.difference = difference


class PlanRefusedError(GuardrailRefusedError):
    """A guardrail refused the plan."""

    def __init__(self, plan: Plan) -> None:
        """Name every guardrail with its number, its limit and the way out."""
        reasons = "; ".join(f"{each.guardrail}: {each.planned}, the limit is {each.limit}" for each in plan.refusals)
        super().__init__(
            f"refused: {reasons}; nothing was sent",
            hint=f"if it is meant, say so with --allow-changes {len(plan.changes)}",
        )
        self.plan = plan


def hold_to_reviewed(plan: Plan, reviewed: Plan, *, allow_shrink: bool) -> None:
    """Refuse a plan that does not keep what `reviewed` promised.

    Raises:
        StalePlanError: it is for another site, or does something else; `PlanDiffersError` then says what.
    """
    if reviewed.site != plan.site:
        raise StalePlanError(
            f"the reviewed plan is of site {reviewed.site}, and this is site {plan.site}; nothing was sent",
            hint="name the environment the plan was made for",
        )
    difference = compare_plans(reviewed, plan)
    if not difference.empty and not (allow_shrink and difference.shrunk):
        raise PlanDiffersError(difference)


def hold_to_guardrails(plan: Plan) -> None:
    """Refuse a plan that exceeds a guardrail.

    Raises:
        PlanRefusedError: it names all of them.
    """
    if plan.refusals:
        raise PlanRefusedError(plan)
