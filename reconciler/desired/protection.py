"""Warnings about `guardrails.protected`: protection that protects nobody is nearly always a slip of the keyboard.

It is no error: who is listed may have left, and be protected in the records still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.desired.marks import YamlDocument
from reconciler.desired.resolution import Resolved
from reconciler.desired.wording import nearest, quote
from reconciler.model.agent import AgentRange
from reconciler.model.diagnostic import Diagnostic, Severity

_WHERE = ("guardrails", "protected")


def advise_protection(site: YamlDocument, agents: Sequence[Resolved]) -> Iterator[Diagnostic]:
    """Yield a warning for each protected team without an agent and each protected range without one.

    Args:
        site: site.yaml, found valid.
        agents: every agent of the environment, found valid.
    """
    protected: dict[str, Any] = site.value.get("guardrails", {}).get("protected", {})
    teams = sorted({agent.declaration.team for agent in agents if agent.declaration.team})
    for index, team in enumerate(protected.get("teams", ())):
        if team not in teams:
            summary = f"no agent is in the protected team {quote(team)}{nearest(team, teams)}"
            yield _warning(site, summary, ("teams", index))
    declared = sorted(agent.declaration.span for agent in agents)
    for index, text in enumerate(protected.get("agents", ())):
        span = AgentRange.parse(str(text))
        if not _any_within(span, declared):
            yield _warning(site, f"no agent of the protected {span} is declared", ("agents", index))


def _any_within(span: AgentRange, declared: Sequence[AgentRange]) -> bool:
    # Valid declarations do not overlap, so only the last one that begins in time can reach into the span.
    before = bisect_right(declared, span.last, key=lambda other: other.first)
    return before > 0 and declared[before - 1].last >= span.first


def _warning(site: YamlDocument, summary: str, place: tuple[str | int, ...]) -> Diagnostic:
    tokens = (*_WHERE, *place)
    return site.file.problem(
        "protects-nobody", summary, mark=site.value_mark(tokens), tokens=tokens, severity=Severity.WARNING
    )
