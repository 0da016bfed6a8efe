"""A plan as the blocks of a page, in the order in which a reviewer asks.

May it go ahead? What happens to the floor? What does a guardrail object to? Who is changed, and by which line? What
would be sent, and how do I apply exactly this?
"""

from __future__ import annotations

from collections import Counter

from reconciler.model.changed_since import ChangedSince
from reconciler.model.plan import Plan, Reason, Scope
from reconciler.report.layout import FEW_RANGES, counted, range_words
from reconciler.report.markdown.budget import Block, Passage, list_passage
from reconciler.report.markdown.capacity import capacity_blocks
from reconciler.report.markdown.changes import change_blocks
from reconciler.report.markdown.commands import command_line, environment_word
from reconciler.report.markdown.diagnostics import diagnostic_blocks
from reconciler.report.markdown.going_back import going_back_blocks
from reconciler.report.markdown.guardrails import guardrail_blocks
from reconciler.report.markdown.standing import standing_blocks
from reconciler.report.markdown.text import NAME, SHORT_NAME, and_more, code
from reconciler.report.plan_facts import facts
from reconciler.report.reported import PlanReport
from reconciler.report.text.attendance import knowledge
from reconciler.values import replace

_AGAIN = "sent again"
_REASONS = {
    Reason.CHANGED: "changed",
    Reason.NEW: "new",
    Reason.NOT_DESIRED: "no longer desired",
}


def plan_blocks(report: PlanReport) -> list[Block]:
    """Return the page of a plan."""
    plan = report.plan
    return [
        Passage(forms=(_heading(plan, NAME), _heading(plan, SHORT_NAME)), rank=0),
        Passage(forms=(_verdict(report),), rank=0),
        *_scope(plan.options.scope),
        *capacity_blocks(plan.capacity),
        *guardrail_blocks(plan.findings, changes=len(plan.changes)),
        *change_blocks(plan),
        *standing_blocks(plan.standing),
        *going_back_blocks(plan.going_back),
        *_facts(report),
        *diagnostic_blocks(report.envelope.diagnostics, folded=True),
        *_way_on(report),
    ]


def _heading(plan: Plan, limit: int) -> str:
    return f"## {'Plan' if plan.going_back is None else 'Rollback'} for site {code(plan.site, limit=limit)}"


def _verdict(report: PlanReport) -> str:
    plan = report.plan
    lifted = len(plan.findings) - len(plan.refusals)
    before = f"⚠️ **{counted(lifted, 'guardrail')} lifted by approval.** " if lifted else ""
    if plan.refusals:
        return f"{before}⛔ **Refused by {counted(len(plan.refusals), 'guardrail')}.** {_counts(plan)}."
    if plan.does_something:
        return f"{before}{_counts(plan)}."
    return f"✅ **Nothing to do**: {counted(report.unchanged, 'agent')} looked at, and nothing would be sent."


def _counts(plan: Plan) -> str:
    kinds = Counter(_REASONS.get(change.reason, _AGAIN) for change in plan.changes)
    words = [f"{kinds[kind]:,} {kind}" for kind in (*_REASONS.values(), _AGAIN) if kinds[kind]]
    if plan.restored:
        words.append(f"{counted(len(plan.restored), 'record')} put back")
    if plan.standing:
        words.append(f"{counted(len(plan.standing), 'agent')} with another team or protection")
    each = f": {', '.join(words)}" if words else ""
    return f"**{counted(len(plan.changes), 'change')}**{each}; {counted(len(plan.calls), 'call')}"


def _scope(scope: Scope) -> list[Block]:
    """Return what was looked at, unless that was everybody."""
    if not scope.partial:
        if scope.changed is None:
            return []
        everybody = "Everybody counts as changed"
        return [Passage(forms=(f"{everybody} since {_since(scope.changed)}.", f"{everybody}."), rank=0)]
    teams = ", ".join(
        [
            *(code(team, limit=NAME) for team in scope.teams[:FEW_RANGES]),
            *and_more(len(scope.teams) - FEW_RANGES, "team"),
        ]
    )
    kinds = (
        ("changed since", _since(scope.changed)),
        ("teams", teams),
        ("agents", ", ".join(range_words(scope.agents))),
        ("channels", ", ".join(channel.label for channel in scope.channels)),
        ("without agents", ", ".join(range_words(scope.excluded))),
    )
    selection = "; ".join(f"{name}: {words}" for name, words in kinds if words)
    partial, alone = "⚠️ **Partial scope**", "no other agent was looked at."
    return [Passage(forms=(f"{partial}: {selection}; {alone}", f"{partial}: outside the selection {alone}"), rank=0)]


def _since(changed: ChangedSince | None) -> str:
    """Return the revision that a plan was limited by, and why in the end it was not."""
    if changed is None:
        return ""
    commit = "" if changed.commit == changed.revision else f" (at {code(changed.commit[:12], limit=12)})"
    than = f"{code(changed.revision, limit=NAME)}{commit}"
    if changed.everybody:
        return f"{than}: {code(changed.everybody, limit=NAME)}"
    return f"{than}, {counted(changed.count, 'agent')}"


def _facts(report: PlanReport) -> list[Block]:
    # Facts are sentences of ours around a few words of others, which are quoted before they go in. The limits leave
    # room for the code span around them: facts show 300 characters of a URL and 40 of a time.
    plan = report.plan
    waits = None if plan.waits is None else replace(plan.waits, since=code(plan.waits.since, limit=20))
    quoted = replace(plan, url=code(plan.url, limit=200), waits=waits)
    told = [f"- {fact}" for fact in facts(quoted, unchanged=report.unchanged, estimate=report.estimate)]
    known = [f"- {fact}" for fact in knowledge(plan)]
    return [list_passage("What apply would do", [*told, *known], told, rank=2)]


def _way_on(report: PlanReport) -> list[Block]:
    """Return what names this plan, and the command that applies it and nothing else."""
    plan = report.plan
    if not plan.does_something:
        return []
    recorded = f"recorded serial {plan.base.serial}" if plan.base.lineage is not None else "an empty state"
    name = f"- fingerprint {code(plan.fingerprint, limit=80)}, planned against {recorded}"
    command = f"- {'once approved' if plan.refusals else 'to do exactly this'}: {_command(report)}"
    return [Passage(forms=(f"### How to apply it\n\n{name}\n{command}",), rank=0)]


def _command(report: PlanReport) -> str:
    plan, environment = report.plan, environment_word(report.envelope)
    approval = ["--allow-changes", str(len(plan.changes))] if plan.findings else []
    if plan.going_back is not None:
        return f"{command_line('rollback', 'FILE', environment, *approval)}, where `FILE` is what that run left"
    return f"{command_line('apply', environment, '--plan', 'FILE', *approval)}, where `FILE` is what `plan --out` saved"
