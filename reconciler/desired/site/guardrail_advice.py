"""Warnings about guardrails that name somebody: one that guards nobody is nearly always a slip of the keyboard.

It is no error: who is named may have left, and be guarded in the records still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.desired.fleet.resolution import Resolution
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.wording import nearest, quote
from reconciler.model.agent import AgentRange
from reconciler.model.diagnostic import Diagnostic, Severity

_PROTECTED = ("guardrails", "protected")
_FLOORS = ("guardrails", "capacity_floor")


def advise_guardrails(site: YamlDocument, resolution: Resolution) -> Iterator[Diagnostic]:
    """Yield a warning for each protected team or range without an agent, and each floor under no agent's sessions.

    Args:
        site: site.yaml, found valid.
        resolution: of the whole environment, found valid.
    """
    guardrails: dict[str, Any] = site.value.get("guardrails", {})
    protected, floors = guardrails.get("protected", {}), guardrails.get("capacity_floor", {})
    if protected or floors:
        teams = sorted({team for team, _ in resolution.groups() if team})
        yield from _about_protected(site, protected, resolution, teams)
        yield from _about_floors(site, floors, resolution, teams)


def _about_protected(
    site: YamlDocument, protected: dict[str, Any], resolution: Resolution, teams: Sequence[str]
) -> Iterator[Diagnostic]:
    for index, team in enumerate(protected.get("teams", ())):
        if team not in teams:
            summary = f"no agent is in the protected team {quote(team)}{nearest(team, teams)}"
            yield _warning(site, summary, (*_PROTECTED, "teams", index))
    declared = sorted(resolution.spans())
    for index, text in enumerate(protected.get("agents", ())):
        span = AgentRange.parse(str(text))
        if not _any_within(span, declared):
            yield _warning(site, f"no agent of the protected {span} is declared", (*_PROTECTED, "agents", index))


def _about_floors(
    site: YamlDocument, floors: dict[str, Any], resolution: Resolution, teams: Sequence[str]
) -> Iterator[Diagnostic]:
    """Yield what no agent has as desired: a plan can lower such a sum only by removing what is recorded."""
    if not floors:
        return
    held = {(team, label) for team, settings in resolution.groups() for label in settings.channels}
    by_anybody = {label for _, label in held}
    for label in floors.get("channels", {}):
        if label not in by_anybody and label != "total":
            yield _warning(site, f"no agent has {label}, for which a floor is set", (*_FLOORS, "channels", label))
    for team, section in floors.get("teams", {}).items():
        if team not in teams:
            summary = f"no agent is in the team {quote(team)}, for which a floor is set{nearest(team, teams)}"
            yield _warning(site, summary, (*_FLOORS, "teams", team), at_key=True)
            continue
        for label in section:
            if (team, label) not in held and label != "total":
                summary = f"no agent of the team {quote(team)} has {label}, for which a floor is set"
                yield _warning(site, summary, (*_FLOORS, "teams", team, label))


def _any_within(span: AgentRange, declared: Sequence[tuple[int, int]]) -> bool:
    # Valid declarations do not overlap, so only the last one that begins in time can reach into the span.
    before = bisect_right(declared, int(span.last), key=lambda other: other[0])
    return before > 0 and declared[before - 1][1] >= span.first


def _warning(site: YamlDocument, summary: str, tokens: tuple[str | int, ...], *, at_key: bool = False) -> Diagnostic:
    mark = (site.key_mark if at_key else site.value_mark)(tokens)
    return site.file.problem("protects-nobody", summary, mark=mark, tokens=tokens, severity=Severity.WARNING)
