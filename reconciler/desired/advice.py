"""Warnings: what the gateway may well accept and a person probably did not mean.

Rules of this file: never a refusal (`--strict` makes one of it, elsewhere). A warning stands where the most particular
of the numbers it is about was written, once, however many agents inherit it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.desired.inheritance import Settings, Written
from reconciler.desired.resolution import Resolution, Resolved
from reconciler.model.diagnostic import Diagnostic, Severity

RESERVED_FIRST = 60_000
RESERVED_LAST = 69_999
"""Agent ids that the pages of the management interface leave out."""


def advise(resolution: Resolution, *, about_unused: bool) -> list[Diagnostic]:
    """Return the warnings; what is unused is known only when nothing is wrong."""
    found = [*_about_agents(resolution.agents), *_about_numbers(resolution.agents)]
    if about_unused:
        found.extend(_about_profiles(resolution))
    return found


def _about_agents(agents: Sequence[Resolved]) -> Iterator[Diagnostic]:
    for agent in agents:
        span, entry = agent.declaration.span, agent.declaration.entry
        if span.first <= RESERVED_LAST and span.last >= RESERVED_FIRST:
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
        for warning in _about_settings(settings):
            place = warning.code, warning.path, warning.pointer
            if place not in places:
                places.add(place)
                yield warning


def _about_settings(settings: Settings) -> Iterator[Diagnostic]:
    total, channels = settings.total, settings.channels
    if total is None or not channels:
        return
    amount = 0
    for label, number in channels.items():
        amount += number.value
        if number.value > total.value:
            yield _channel_above_total(label, number, total)
    if amount > total.value:
        yield _sum_above_total(amount, settings, total)
    elif amount == 0:
        label = _most_particular(settings)
        summary = "every channel is 0, which leaves no concurrent sessions at all"
        yield _warning("all-channels-zero", summary, channels[label], ("channels", label))


def _channel_above_total(label: str, number: Written, total: Written) -> Diagnostic:
    if number.depth < total.depth:
        summary = f"total is {total.value}, below {label} {number.value}{_elsewhere(number, total)}"
        return _warning("channel-above-total", summary, total, ("total",))
    summary = f"{label} is {number.value}, above the total of {total.value}{_elsewhere(total, number)}"
    return _warning("channel-above-total", summary, number, ("channels", label))


def _sum_above_total(amount: int, settings: Settings, total: Written) -> Diagnostic:
    label = _most_particular(settings)
    number = settings.channels[label]
    if number.depth > total.depth:
        summary = f"with {label} {number.value} the channels add up to {amount}, above the total of {total.value}"
        summary += _elsewhere(total, number)
        return _warning("sum-above-total", summary, number, ("channels", label))
    return _warning(
        "sum-above-total", f"total is {total.value}, below the channels' sum of {amount}", total, ("total",)
    )


def _most_particular(settings: Settings) -> str:
    """Return the channel written nearest to the agent; of several, the first in reading order."""
    return min(settings.channels, key=lambda label: (-settings.channels[label].depth, settings.channels[label].mark))


def _elsewhere(other: Written, here: Written) -> str:
    return "" if other.entry is here.entry else f" ({other.source()})"


def _warning(code: str, summary: str, number: Written, tokens: tuple[str, ...]) -> Diagnostic:
    return number.entry.problem(code, summary, tokens=tokens, mark=number.mark, severity=Severity.WARNING)
