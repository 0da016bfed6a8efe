"""Carrying out a plan: from the lock, through the calls, to the recorded outcome."""

from reconciler.applying.procedure import (
    ApplyReport,
    ApplyRequest,
    Surroundings,
    apply,
)
from reconciler.applying.promises import PlanDiffersError, PlanRefusedError
from reconciler.applying.stop import RunStoppedError, Stop

__all__ = [
    "ApplyReport",
    "ApplyRequest",
    "PlanDiffersError",
    "PlanRefusedError",
    "RunStoppedError",
    "Stop",
    "Surroundings",
    "apply",
]
