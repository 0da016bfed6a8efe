"""What there is to remark on one declaration by itself: its numbers against each other, and its id.

Rules of this file: never a refusal. A remark stands where the most particular of the numbers it is about was written.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.fleet.inheritance import Settings, Written
from reconciler.model.diagnostic import Diagnostic, Severity

RESERVED_FIRST = 60_000
RESERVED_LAST = 69_999
"""Agent ids that the pages of the management interface leave out."""


def is_reserved(first: int, last: int) -> bool:
    """Tell whether one of the ids from `first` to `last` is such a one."""
    return first <= RESERVED_LAST and last >= RESERVED_FIRST


def about_settings(settings: Settings) -> Iterator[Diagnostic]:
    """Yield what is odd about numbers that the gateway may well accept, and a person probably did not mean."""
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
