"""What the guardrails object to: each with its number and its limit, and the one flag that approves this very plan."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.plan import GuardrailFinding
from reconciler.report.layout import FEW_RANGES, counted
from reconciler.report.markdown.budget import Block, Listing, Passage
from reconciler.report.markdown.text import NAME, SHORT_NAME, agents_cell, and_more, code, row, table_head

_COLUMNS = ("guardrail", "planned", "limit", "agents")
_SHARE = 0.3
_SHOWN_NAMES = 3
_MANY_RANGES = 40
"""Enough for those who are protected. A guardrail that means nearly everybody need not name them: the changes do."""


def guardrail_blocks(findings: Sequence[GuardrailFinding], *, changes: int | None = None) -> list[Block]:
    """Return the table of what a plan exceeds, and the way out; nothing where it exceeds nothing.

    Args:
        findings: those of the plan, lifted ones included.
        changes: how many changes the plan has, where that is known.
    """
    if not findings:
        return []
    return [
        Listing(
            head=f"### Guardrails\n\n{table_head(_COLUMNS)}",
            items=findings,
            brief=_finding,
            full=lambda finding: _finding(finding, shown=_MANY_RANGES),
            rest=lambda rest: f"Not shown: {counted(len(rest), 'guardrail')} more.",
            instead=f"### Guardrails\n\nExceeded: {_names(findings)}.",
            rank=1,
            share=_SHARE,
        ),
        *([] if changes is None else [Passage(forms=(_remedy(findings, changes),), rank=0)]),
    ]


def _finding(finding: GuardrailFinding, *, shown: int = FEW_RANGES) -> str:
    name = code(finding.guardrail, limit=NAME) + (" (lifted)" if finding.lifted else "")
    agents = agents_cell(finding.agents, shown=shown) if finding.agents else "–"
    return row((name, code(finding.planned), code(finding.limit), agents))


def _names(findings: Sequence[GuardrailFinding]) -> str:
    names = list(dict.fromkeys(finding.guardrail for finding in findings))
    words = [code(name, limit=SHORT_NAME) for name in names[:_SHOWN_NAMES]]
    return ", ".join([*words, *and_more(len(names) - _SHOWN_NAMES, "other")])


def _remedy(findings: Sequence[GuardrailFinding], changes: int) -> str:
    flag = f"`--allow-changes {changes}`"
    refusing = {finding.guardrail for finding in findings if not finding.lifted}
    if not refusing:
        return f"Lifted by {flag}, which names this plan's number of changes."
    if refusing == {"allow_changes"}:
        return f"Leave `--allow-changes` out, or approve this plan: {flag}"
    return f"If all of it is meant, approve exactly this many changes: {flag}"
