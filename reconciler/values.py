"""What values are made of: msgspec's structs, which load and are made in a fraction of a dataclass's time.

Rule of this file: it is the only one that knows where they come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import field
from msgspec.structs import asdict, astuple, replace
from msgspec.structs import force_setattr as settle

__all__ = ["Struct", "asdict", "astuple", "field", "replace", "repr_without", "settle"]


if TYPE_CHECKING:
    from msgspec import Struct  # a type checker takes a base of ours for a value that is not frozen
else:

    class Struct(msgspec.Struct):
        """A value; whatever prints one asks its `repr`, which alone knows what it must not show."""

        @property
        def __rich_repr__(self) -> None:
            """Be absent: msgspec's own names every field, and rich would print a secret by it."""
            raise AttributeError("__rich_repr__")


def repr_without(*hidden: str) -> Callable[[Struct], str]:
    """Return the `__repr__` of a struct that does not show these fields: whatever holds a secret has one."""

    def __repr__(self: Struct) -> str:  # noqa: N807 - that is what it is
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in hidden)
        return f"{type(self).__name__}({', '.join(shown)})"

    return __repr__
