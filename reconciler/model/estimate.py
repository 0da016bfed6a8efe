"""How long a plan's calls take at least, from their number and the site's pace alone.

Rules of this file: arithmetic; no clock. It is a lower bound, and says what it cannot know: how long the gateway takes
to answer, and who has to be called again. It is no part of a plan: a site that changes its pace changes no plan, and a
saved plan and its fingerprint hold none of it.
"""

from __future__ import annotations

from reconciler.model.bounds import require_whole
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.values import Struct


class Estimate(Struct, frozen=True, kw_only=True):
    """The time that so many calls need, if every one is answered at once and only the pace holds them up."""

    calls: int
    """One for each agent; calls that are repeated are not among them."""
    concurrency: int
    """Calls in flight at most."""
    requests_per_second: float
    run_deadline: float | None = None
    """Seconds after which no call is started; `None`: never."""

    def __post_init__(self) -> None:
        """Refuse a number of calls that is none."""
        require_whole("calls", self.calls, 0)

    @classmethod
    def of(cls, calls: int, gateway: GatewaySettings) -> Estimate:
        """Return the estimate for so many calls at the site's pace."""
        return cls(
            calls=calls,
            concurrency=gateway.concurrency,
            requests_per_second=gateway.requests_per_second,
            run_deadline=gateway.run_deadline,
        )

    @property
    def seconds(self) -> float:
        """The least time in all: calls are started evenly spaced."""
        return self.calls / self.requests_per_second

    @property
    def answer_seconds(self) -> float:
        """How long answers may take before the calls in flight hold up the run, and not the pace."""
        return self.concurrency / self.requests_per_second

    @property
    def meets_deadline(self) -> bool:
        """Tell whether the last call can start before the run's deadline, even at best."""
        return self.run_deadline is None or self.seconds <= self.run_deadline
