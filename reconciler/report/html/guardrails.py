"""What guardrails object to: in a line each under the verdict, and with everybody concerned further down."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.plan import GuardrailFinding
from reconciler.model.printable import printable
from reconciler.report.html.changes import agents_folded
from reconciler.report.html.markup import Content, Html, between, element
from reconciler.report.html.page import Section
from reconciler.report.html.pieces import badge, paragraph

_ANCHOR = "guardrails"


def refusal_lines(findings: Sequence[GuardrailFinding]) -> list[Html]:
    """Return why the plan is refused, a line a guardrail, each leading to the whole story; nothing if it is not."""
    lines = [
        element("li", element("a", printable(finding.guardrail), href=f"#{_ANCHOR}"), " ", *_measure(finding))
        for finding in findings
        if not finding.lifted
    ]
    return [element("ul", *lines, class_="refusals")] if lines else []


def guardrail_sections(findings: Sequence[GuardrailFinding], changes: int | None) -> list[Section]:
    """Return what the guardrails object to, with the flag that approves it; `changes` where their number is known."""
    if not findings:
        return []
    content = [element("ul", *(_finding(finding) for finding in findings), class_="findings")]
    refusing = {finding.guardrail for finding in findings if not finding.lifted}
    if refusing and changes is not None:
        remedy = "If all of it is meant, approve exactly this many changes: "
        if refusing == {"allow_changes"}:
            remedy = "Leave --allow-changes out, or approve this plan: "
        content.append(paragraph(remedy, element("code", f"--allow-changes {changes}"), class_="remedy"))
    return [Section(name=_ANCHOR, title="Guardrails", content=content)]


def _measure(finding: GuardrailFinding) -> list[Content]:
    planned, limit = printable(finding.planned), printable(finding.limit)
    return [element("strong", planned), f"; {limit}" if finding.guardrail == "allow_changes" else f"; limit {limit}"]


def _finding(finding: GuardrailFinding) -> Html:
    said = "lifted" if finding.lifted else "refused"
    head = between(" ", [badge(said), element("code", printable(finding.guardrail))])
    agents = [agents_folded(finding.agents)] if finding.agents else []
    return element("li", paragraph(head), paragraph(*_measure(finding)), *agents, class_=said)
