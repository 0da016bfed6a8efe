"""Warnings: what the gateway may well accept and a person probably did not mean.

Rules of this file: never a refusal (`--strict` makes one of it, elsewhere). A warning stands where the most particular
of the numbers it is about was written, once, however many agents inherit it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.desired.fleet.remarks import RESERVED_FIRST, RESERVED_LAST, about_settings, is_reserved
from reconciler.desired.fleet.resolution import Resolution, Resolved
from reconciler.model.diagnostic import Diagnostic, Severity


def advise(resolution: Resolution, *, about_unused: bool) -> list[Diagnostic]:
    """Return the warnings; what is unused is known only when nothing is wrong."""
    found = [*_about_agents(resolution.agents), *_about_numbers(resolution.agents)]
    if about_unused:
        found.extend(_about_profiles(resolution))
    return found


def _about_agents(agents: Sequence[Resolved]) -> Iterator[Diagnostic]:
    for agent in agents:
        span, entry = agent.declaration.span, agent.declaration.entry
        if is_reserved(span.first, span.last):
            reserved = f"{RESERVED_FIRST} to {RESERVED_LAST}, which some interfaces of the gateway leave out"
            summary = f"{entry.title} lies in {reserved}" if len(span) == 1 else f"{entry.title} reach into {reserved}"
            yield entry.problem("agent-in-reserved-range", summary, severity=Severity.WARNING)


def _about_profiles(resolution: Resolution) -> Iterator[Diagnostic]:
    for entry in resolution.profiles.unused():
        yield entry.problem("unused-profile", f"no agent uses {entry.title}", severity=Severity.WARNING)


def _about_numbers(agents: Sequence[Resolved]) -> Iterator[Diagnostic]:
    seen: set[int] = set()
    places: set[tuple[str, str, str]] = set()
    for agent in sorted(agents, key=lambda resolved: resolved.declaration.entry.order()):
        settings = agent.settings
        if id(settings) in seen:
            continue
        seen.add(id(settings))
        for warning in about_settings(settings):
            place = warning.code, warning.path, warning.pointer
            if place not in places:
                places.add(place)
                yield warning
