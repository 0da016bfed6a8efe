"""What of the world whoever opens a state has to bring along.

Rule of this file: values only; nothing is read or resolved by making one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.state.locks.lock import LEASE
from reconciler.values import Struct, repr_without

if TYPE_CHECKING:  # most states have no secret
    from reconciler.model.secret_reference import SecretReference


class Setting(Struct, frozen=True, kw_only=True):
    """The world a store is opened in."""

    root: Path
    """The environment's directory."""
    site: str
    """The site whose state it is."""
    environ: Mapping[str, str]
    """The environment variables, secrets among them."""
    resolve: Callable[[SecretReference, str], str]
    """Reads a secret, for the setting that the text names; called only when a backend is first used."""
    clock: Callable[[], str]
    """The time as RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`."""
    new_lineage: Callable[[], str]
    """Gives a fresh UUID as text, for a state's first write."""
    environment: str
    """The environment as the user names it, for the commands in an advice."""
    lease: float = LEASE
    """Seconds without a sign of life after which a lock of this machine is free."""

    __repr__ = repr_without("environ")
