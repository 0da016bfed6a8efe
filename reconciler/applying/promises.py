"""What stands between a plan and its application: promises and guardrails. Refusals only; nothing is sent.

A reviewed plan is a promise to hold to. The plan made now must do the same, or, if that is accepted, a strict part of
it; nothing ever accepts more. A way back undoes its own run, and nothing that came after it. Guardrails hold for every
plan, reviewed or not.
"""

from __future__ import annotations

from reconciler.errors import GuardrailRefusedError, StalePlanError
from reconciler.model.agent import summarise_agents
from reconciler.model.going_back import GoingBack
from reconciler.model.inverse import InversePlan
from reconciler.model.plan import Plan, Reason
from reconciler.model.site import Site
from reconciler.model.state import State
from reconciler.planning import PlanDifference, compare_plans
from reconciler.values import replace

_NAMED = 20
"""Ranges of agents that an error names."""


class PlanDiffersError(StalePlanError):
    """The plan made now is not the reviewed one."""

    def __init__(self, difference: PlanDifference, reason: str = "", *, hint: str = "") -> None:
        """Keep the difference, for whoever shows it.

        Args:
            difference: of the reviewed plan and the one made now.
            reason: what there is to say about the whole plan, if it is not that it does something else.
            hint: the advice that goes with it.
        """
        shrink = "; or accept that less is to be done: --allow-shrink" if difference.shrunk else ""
        super().__init__(
            f"{reason or f'the plan made now is not the plan that was reviewed{_moves(difference)}'}; nothing was sent",
            hint=hint or f"plan again and have it reviewed{shrink}",
        )
        self.difference = difference


class RecordsChangedError(StalePlanError):
    """Agents are not recorded any more as the run to be undone has left them."""

    def __init__(self, going_back: GoingBack) -> None:
        """Name them: the first few ranges, and how many there are."""
        agents = going_back.changed_since
        ranges = [str(span) for span in summarise_agents(agents)]
        named = ", ".join(ranges[:_NAMED]) + (", …" if len(ranges) > _NAMED else "")
        were, whom = ("agent was", "it as it is") if len(agents) == 1 else ("agents were", "them as they are")
        super().__init__(
            f"{len(agents)} {were} changed since that run: {named}; nothing was sent",
            hint=f"leave {whom} and take back the others: --allow-shrink; or undo the later run first",
        )
        self.going_back = going_back


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


def _moves(difference: PlanDifference) -> str:
    """Return what the floor has to do with it: people who came or went between the review and now."""
    anew, gone = (
        sum(1 for change in changes if change.reason is Reason.NEW_SESSION)
        for changes in (difference.come, difference.gone)
    )
    words = [
        f"{count} {'agent' if count == 1 else 'agents'} {deed}"
        for count, deed in (
            (anew, "signed in anew since"),
            (gone, "who had signed in anew no longer shows it (signed out, or sent the values meanwhile)"),
        )
        if count
    ]
    return f": {' and '.join(words)}" if words else ""


def hold_to_reviewed(plan: Plan, reviewed: Plan, *, allow_shrink: bool) -> None:
    """Refuse a plan that does not keep what `reviewed` promised.

    Raises:
        PlanDiffersError: it is for another site, signs people in, or does something else.
    """
    difference = compare_plans(reviewed, plan)
    if reviewed.site != plan.site:
        raise PlanDiffersError(
            _with_setting(difference, "site", reviewed.site, plan.site),
            f"the reviewed plan is of site {reviewed.site}, and this is site {plan.site}",
            hint="name the environment the plan was made for",
        )
    if plan.signs_in and not reviewed.signs_in:
        raise PlanDiffersError(
            _with_setting(difference, "signs_in", "no", "yes"),
            "the reviewed plan signs nobody in, and now sessions.source is signin",
            hint="plan again and have it reviewed: to sign agents in changes who is on the floor",
        )
    if not difference.empty and not (allow_shrink and difference.shrunk):
        raise PlanDiffersError(difference)


def _with_setting(difference: PlanDifference, name: str, reviewed: str, fresh: str) -> PlanDifference:
    return replace(difference, settings=((name, reviewed, fresh), *difference.settings))


def require_same_place(inverse: InversePlan, site: Site, state: State) -> None:
    """Refuse the way back from a run that was made elsewhere.

    Raises:
        StalePlanError: its site, its gateway or its state is another.
    """
    hint = "name the environment the run was made for"
    if inverse.site != site.name:
        raise StalePlanError(
            f"the run to be undone was of site {inverse.site}, and this is site {site.name}; nothing was sent",
            hint=hint,
        )
    if inverse.url != site.gateway.url:
        raise StalePlanError(
            f"the run to be undone called {inverse.url}, and site.yaml says {site.gateway.url}; nothing was sent",
            hint=f"{hint}; if the gateway has moved, revert the commit in Git and apply",
        )
    if inverse.lineage is not None and inverse.lineage != state.lineage:
        raise StalePlanError(
            f"the run to be undone was made on the state of lineage {inverse.lineage}, and this one is of "
            f"{state.lineage or 'none: nothing was ever recorded'}; nothing was sent",
            hint="check state in site.yaml; or revert the commit in Git and apply",
        )


def hold_to_recorded(plan: Plan, *, allow_shrink: bool) -> None:
    """Refuse to go back past what somebody did since.

    Raises:
        RecordsChangedError: agents were changed since the run, and it is not accepted that they are left alone.
    """
    if plan.going_back is not None and plan.going_back.changed_since and not allow_shrink:
        raise RecordsChangedError(plan.going_back)


def hold_to_guardrails(plan: Plan) -> None:
    """Refuse a plan that exceeds a guardrail.

    Raises:
        PlanRefusedError: it names all of them.
    """
    if plan.refusals:
        raise PlanRefusedError(plan)
