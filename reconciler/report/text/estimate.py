"""How long a run would take at least, in a sentence and as a document."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.estimate import Estimate
from reconciler.report.layout import counted, span_words

_MINUTE = 60
_HOUR = 3600
_MANY_MINUTES = 5


def estimate_facts(estimate: Estimate) -> Iterable[str]:
    """Yield what can be said of the time: nothing where nothing is sent."""
    if not estimate.calls:
        return
    pace = f"{estimate.concurrency} at a time, {estimate.requests_per_second:g}/s"
    yield (
        f"{counted(estimate.calls, 'call')}, {pace} → about {_about(estimate.seconds)} "
        f"(more if answers take over {estimate.answer_seconds:.2g} s or calls are repeated)"
    )
    if estimate.run_deadline is not None and not estimate.meets_deadline:
        yield (
            f"that is more than the run's deadline of {span_words(estimate.run_deadline)}: a run stops there, and the "
            "next one goes on with what is left"
        )


def estimate_document(estimate: Estimate) -> dict[str, object]:
    """Return the estimate as the `estimate` of a plan's document."""
    return {
        "calls": estimate.calls,
        "concurrency": estimate.concurrency,
        "requests_per_second": estimate.requests_per_second,
        "seconds": round(estimate.seconds, 1),
    }


def _about(seconds: float) -> str:
    """Return a time in the units a person waits in, rounded as far as it is worth."""
    whole = max(1, round(seconds))
    if whole < _MANY_MINUTES * _MINUTE:
        return f"{whole} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes} min"
    hours, rest = divmod(minutes, _HOUR // _MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
