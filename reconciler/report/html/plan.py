"""The page of a plan. In its order: the verdict, the floor, what a guardrail objects to, and then who is changed.

Who has ten seconds reads the heading and the first chart; every change by itself comes last, since it is long.
"""

from __future__ import annotations

from reconciler.model.going_back import GoingBack
from reconciler.model.plan import Action, Plan
from reconciler.model.printable import printable
from reconciler.report.grouping import group_plan
from reconciler.report.html.capacity import capacity_headline, capacity_sections
from reconciler.report.html.changes import agents_words, change_sections, group_sections, standing_sections
from reconciler.report.html.diagnostics import problem_sections
from reconciler.report.html.guardrails import guardrail_sections, refusal_lines
from reconciler.report.html.markup import Html, between, element
from reconciler.report.html.page import Section, Verdict, page
from reconciler.report.html.pieces import folded, paragraph, sentences, tiles
from reconciler.report.layout import counted, named_agents
from reconciler.report.plan_facts import facts
from reconciler.report.reported import PlanReport
from reconciler.report.text.attendance import knowledge
from reconciler.report.text.going_back import going_back_kinds
from reconciler.report.text.plan import changed_words, scope_words

_NAME = 60


def plan_page(report: PlanReport) -> str:
    """Return the page of a plan, fresh or read from a file."""
    plan = report.plan
    kind = "Plan" if plan.going_back is None else "Rollback"
    groups = group_plan(plan)
    return page(
        title=f"{kind} for site {printable(plan.site, limit=_NAME)}",
        verdict=_verdict(plan),
        lead=[
            *refusal_lines(plan.findings),
            *_warnings(plan),
            *capacity_headline(plan.capacity),
            tiles([(str(action), _count(report, action)) for action in Action]),
        ],
        facts=_facts(report),
        sections=[
            *capacity_sections(plan.capacity),
            *guardrail_sections(plan.findings, len(plan.changes)),
            *group_sections(groups),
            *standing_sections(plan.standing),
            *going_back_sections(plan.going_back),
            Section(name="effect", title="What would be done", content=[sentences(_effects(report))]),
            *problem_sections(report.envelope.diagnostics),
            *change_sections(plan.changes, groups),
        ],
    )


def going_back_sections(going_back: GoingBack | None) -> list[Section]:
    """Return what a rollback says besides its changes: whom it leaves alone or need not call."""
    kinds = [] if going_back is None else going_back_kinds(going_back)
    content = [
        folded(
            between(" ", [element("strong", named_agents(agents)), words]),
            paragraph(agents_words(agents), class_="agents"),
        )
        for _, agents, words in kinds
    ]
    return [Section(name="going-back", title="Besides the changes", content=content)] if content else []


def _verdict(plan: Plan) -> Verdict:
    refusals, lifted = len(plan.refusals), len(plan.findings) - len(plan.refusals)
    if refusals:
        return Verdict(tone="bad", words=f"Refused by {counted(refusals, 'guardrail')}")
    if not plan.does_something:
        return Verdict(tone="plain", words="Nothing to do")
    if not plan.changes:
        records = len(plan.restored) or len(plan.standing)
        return Verdict(tone="plain", words=f"{counted(records, 'record')} to bring up to date, nothing to send")
    words = f"Can be applied: {len(plan.changes):,} {'change' if len(plan.changes) == 1 else 'changes'}"
    if lifted:
        return Verdict(tone="warning", words=f"{words}, {counted(lifted, 'guardrail')} lifted by approval")
    return Verdict(tone="good", words=words)


def _facts(report: PlanReport) -> list[tuple[str, str]]:
    plan = report.plan
    recorded = "nothing yet" if plan.base.lineage is None else f"serial {plan.base.serial}"
    return [
        *_where(report.envelope.environment),
        ("Recorded state", recorded),
        ("Gateway", printable(plan.url)),
        ("Fingerprint", printable(plan.fingerprint, limit=80) or "none"),
    ]


def _where(environment: str | None) -> list[tuple[str, str]]:
    return [] if environment is None else [("Environment", printable(environment))]


def _count(report: PlanReport, action: Action) -> int:
    return report.unchanged if action is Action.UNCHANGED else report.plan.count(action)


def _warnings(plan: Plan) -> list[Html]:
    warnings = []
    scope = plan.options.scope
    if scope.changed is not None and not scope.partial:
        warnings += changed_words(scope.changed)
    if scope.partial:
        warnings.append(f"Partial: {'; '.join(scope_words(scope))}; no other agent was looked at")
    if plan.going_back is not None and not plan.going_back.finished:
        warnings.append("The run to be undone was cut short: everybody is looked at whom it may have changed")
    return [paragraph(words, class_="notice") for words in warnings]


def _effects(report: PlanReport) -> list[str]:
    return [*facts(report.plan, unchanged=report.unchanged, estimate=report.estimate), *knowledge(report.plan)]
