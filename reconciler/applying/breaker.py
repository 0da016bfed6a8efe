"""The breaker: the same refusal again and again is the site's trouble, not the agents', and the run ends.

A refusal is known by its retcode, or by its words where there is none (a gateway that cannot be reached, a proxy's
page). A deferred agent is an everyday matter and never counts, whichever retcodes the site judges so, except when the
session itself was refused. An acknowledged call closes the breaker.
"""

from __future__ import annotations

from reconciler.applying.stop import CREDENTIALS, RunStoppedError, stopped_by
from reconciler.model.outcome import Outcome, Result


class Breaker:
    """Counts equal refusals in a row over the outcomes of a run."""

    def __init__(self, limit: int) -> None:
        """Break at `limit` equal refusals in a row; 0 never breaks."""
        self._limit = limit
        self._refusal: str | None = None
        self._count = 0

    def judge(self, outcome: Outcome) -> RunStoppedError | None:
        """Take the next outcome; return the reason to stop, if this one is it."""
        refusal = _refusal(outcome)
        if outcome.result is Result.APPLIED:
            self._refusal, self._count = None, 0
        elif refusal is not None:
            self._count = self._count + 1 if refusal == self._refusal else 1
            self._refusal = refusal
            if self._count == self._limit:
                return self._reason(refusal)
        return None

    def _reason(self, refusal: str) -> RunStoppedError:
        words = f"{self._count} agents in a row ended with the same answer: {refusal}"
        return stopped_by(refusal, words, hint="check one agent by hand; --breaker 0 goes on regardless")


def _refusal(outcome: Outcome) -> str | None:
    if outcome.result is Result.DEFERRED and outcome.retcode not in CREDENTIALS:
        return None
    if outcome.retcode is not None:
        return outcome.retcode
    return outcome.message if outcome.result in (Result.FAILED, Result.IN_DOUBT) else None
