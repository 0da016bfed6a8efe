"""A cutter for an environment that may be a small one.

Rule of this file: what cuts files apart takes as long to load as 10,000 characters to be read whole. So the first
files are read whole, and it is loaded once there is more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.desired.fleet.quick_fleet import Cut, Cutter

FEW = 8 * 1024
"""Characters of fleet files up to which none is cut."""


class LateCutter:
    """Cuts the files of one environment, from some point on."""

    def __init__(self, is_valid: Callable[[Any], bool]) -> None:
        """Take what tells whether the value of a fleet file is valid."""
        self._is_valid = is_valid
        self._characters = 0
        self._cutter: Cutter | None = None

    def cut(self, text: str) -> Cut | None:
        """Return the file in two, or `None` if it is to be read as a whole."""
        self._characters += len(text)
        if self._characters <= FEW:
            return None
        if self._cutter is None:
            from reconciler.desired.fleet.quick_fleet import Cutter  # noqa: PLC0415 - see the rule of this file

            self._cutter = Cutter(self._is_valid)
        return self._cutter.cut(text)
