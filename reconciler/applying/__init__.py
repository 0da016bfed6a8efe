"""Carrying out a plan: from the lock, through the calls, to the recorded outcome.

Rules of this room: everything it needs of the world comes in with `Surroundings`: clocks, chance, and the question
whether to go on. Refusals are exceptions, and come before the first call; from there on every way out is a report.
"""

from reconciler.applying.procedure import apply
from reconciler.applying.promises import PlanDiffersError, PlanRefusedError, RecordsChangedError, require_same_place
from reconciler.applying.request import ApplyReport, ApplyRequest, Surroundings
from reconciler.applying.session_keys import read_session_keys
from reconciler.applying.stop import RunStoppedError, Stop
from reconciler.applying.way_back import WayBack

__all__ = [
    "ApplyReport",
    "ApplyRequest",
    "PlanDiffersError",
    "PlanRefusedError",
    "RecordsChangedError",
    "RunStoppedError",
    "Stop",
    "Surroundings",
    "WayBack",
    "apply",
    "read_session_keys",
    "require_same_place",
]
