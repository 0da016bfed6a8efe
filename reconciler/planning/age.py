"""How long ago an agent was acknowledged, and whether that is too long: the one place of planning that reads times.

Times are compared as instants, never as text: `12:00:00.5Z` is later than `12:00:00Z`, and sorts before it.
"""

from __future__ import annotations

from datetime import datetime

from reconciler.model.plan import PlanOptions
from reconciler.values import Struct


class AgeLimit(Struct, frozen=True):
    """What `reassert_older_than` asks for."""

    at: datetime
    seconds: float

    def exceeded_by(self, acknowledged_at: str | None) -> bool:
        """Tell whether an acknowledgement is older than the limit. One that never came is."""
        if acknowledged_at is None:
            return True
        return (self.at - instant(acknowledged_at)).total_seconds() > self.seconds


def age_limit(options: PlanOptions) -> AgeLimit | None:
    """Return the limit that `options` asks for, or `None` if age does not matter.

    Raises:
        ValueError: `reassert_older_than` stands without `at`, or `at` is not a time with an offset.
    """
    if options.reassert_older_than is None:
        return None
    if options.at is None:
        raise ValueError("reassert_older_than needs a time to count back from; give --at")
    return AgeLimit(instant(options.at), options.reassert_older_than)


def older_than(moment: str, seconds: float, *, at: str) -> bool:
    """Tell whether `moment` lies more than `seconds` before `at`; both are RFC 3339 with their offset."""
    return AgeLimit(instant(at), seconds).exceeded_by(moment)


def instant(text: str) -> datetime:
    """Return the moment that `text` names.

    Raises:
        ValueError: it is not an RFC 3339 time with its offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no instant; end it with Z or an offset such as +02:00")
    return moment
