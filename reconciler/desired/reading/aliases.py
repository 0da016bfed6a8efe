"""Anchors, and what aliases to them cost.

Rules of this file: a small anchor may be used here and there; aliases of aliases that stand for a huge document, or for
a very deep one, are refused by arithmetic, before anything walks them.
"""

from __future__ import annotations

from typing import Any

from reconciler.values import Struct, field

MAX_ALIASED_NODES = 10_000
"""Values that all aliases of a file together may stand for."""


class Anchored(Struct, frozen=True):
    """A value that aliases may refer to, and what each of them adds to the document."""

    value: Any
    size: int
    """Values in it, itself included, aliases counted as what they stand for."""
    height: int
    """Levels of containers."""


class Anchors(Struct):
    """The anchors of one document, as far as it has been read."""

    _by_name: dict[str, Anchored] = field(default_factory=dict)
    _measured: dict[int, Anchored] = field(default_factory=dict)
    _spent: int = 0

    def define(self, name: str, value: Any) -> None:
        """Remember `value`, read to its end, under `name`."""
        self._by_name[name] = self._measured[id(value)] = self._measure(value)

    def hide(self, name: str) -> None:
        """Forget `name`: a new value of that name begins."""
        self._by_name.pop(name, None)

    def find(self, name: str) -> Anchored | None:
        """Return what `name` stands for."""
        return self._by_name.get(name)

    def afford(self, anchored: Anchored) -> bool:
        """Count one more alias to `anchored`; tell whether all of them together are still few enough."""
        self._spent += anchored.size
        return self._spent <= MAX_ALIASED_NODES

    def _measure(self, value: Any) -> Anchored:
        # What was measured before is not walked again, so that aliases of aliases cost what was written, not more.
        if not isinstance(value, dict | list):
            return Anchored(value, 1, 0)
        known = self._measured.get(id(value))
        if known is not None:
            return known
        inside = [self._measure(item) for item in (value.values() if isinstance(value, dict) else value)]
        size = 1 + sum(item.size for item in inside)
        return Anchored(value, size, 1 + max((item.height for item in inside), default=0))
