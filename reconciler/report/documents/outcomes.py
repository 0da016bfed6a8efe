"""The outcomes of a run as entries of its document, and as their text.

Rule of this file: `outcome_writer` writes the text of `outcome_document`; tests hold the one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from reconciler.model.outcome import Outcome, Result
from reconciler.report.documents.text import Document, Entries, Once


def outcome_entries(outcomes: Iterable[Outcome]) -> Entries:
    """Return the `outcomes` array of an apply, by agent id."""
    by_agent = sorted(outcomes, key=attrgetter("agent"))
    return Entries(items=by_agent, document=outcome_document, writer=outcome_writer)


def outcome_document(outcome: Outcome) -> Document:
    """Return one outcome as an entry."""
    return {
        "agent": str(outcome.agent),
        "action": str(outcome.action),
        "outcome": str(outcome.result),
        "retcode": outcome.retcode,
        "message": outcome.message,
        "attempts": outcome.attempts,
    }


def outcome_writer() -> Callable[[Outcome], str]:
    """Return what writes one outcome after another; what the gateway says to thousands is put into words once."""
    words = Once[str | None]()

    def write(outcome: Outcome) -> str:
        return (
            f'{{"agent": "{outcome.agent}", "action": {words[outcome.action]}, "outcome": {words[outcome.result]}, '
            f'"retcode": {words[outcome.retcode]}, "message": {words[outcome.message]}, '
            f'"attempts": {outcome.attempts}}}'
        )

    return write


def outcome_summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return the number of agents of each result, and of calls started."""
    counts = {str(result): 0 for result in Result}
    for outcome in outcomes:
        counts[str(outcome.result)] += 1
    return {**counts, "calls": sum(outcome.attempts for outcome in outcomes)}
