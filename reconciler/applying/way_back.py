"""Keeping the way back from a run: before its first call for all whom it may change, and after it for whom it did.

Rules of this file: what cannot be kept before the first call ends the run there. Afterwards nothing about the way back
hides an outcome: what was kept before still leads back, if less directly.
"""

from __future__ import annotations

from typing import Protocol

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.inverse import InversePlan
from reconciler.values import replace


class WayBack(Protocol):
    """Where the inverse of a run is kept."""

    def prepare(self, inverse: InversePlan) -> None:
        """Keep the way back from all that the run may change; it has changed nothing yet. Durable on return.

        Raises:
            InputError: it cannot be kept there.
        """
        ...

    def settle(self, inverse: InversePlan) -> None:
        """Keep `inverse` in its place; one without changes leaves nothing behind.

        Raises:
            InputError: it cannot be kept; what was prepared still is.
        """
        ...


class NoWayBack:
    """Keeps nothing."""

    def prepare(self, inverse: InversePlan) -> None:
        """Keep nothing."""

    def settle(self, inverse: InversePlan) -> None:
        """Keep nothing."""


def prepare(keeper: WayBack, inverse: InversePlan) -> None:
    """Keep the way back of a run that is about to begin, if there will be one."""
    if inverse.changes:
        keeper.prepare(inverse)


def withdraw(keeper: WayBack, inverse: InversePlan) -> None:
    """Keep nothing after all: the run could not begin."""
    if inverse.changes:
        keeper.settle(replace(inverse, changes=()))


def settle(keeper: WayBack, prepared: InversePlan, done: InversePlan) -> tuple[Diagnostic, ...]:
    """Keep what the run did change; return what people must be told of that."""
    if not prepared.changes:
        return ()
    try:
        keeper.settle(done)
    except Exception as error:  # noqa: BLE001 - the run is over, and its outcomes must be told
        return (
            Diagnostic(
                severity=Severity.WARNING,
                code="rollback-file-not-settled",
                summary=f"the rollback file could not be written anew after the run: {error}",
                detail="as written before the first call it names all whom the run may have changed, and will do",
            ),
        )
    return ()
