"""What values are made of: msgspec's structs, which load and are made in a fraction of a dataclass's time.

Rule of this file: it is the only one that knows where they come from.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import asdict, astuple, replace
from msgspec.structs import force_setattr as settle

__all__ = ["Struct", "asdict", "astuple", "field", "replace", "repr_without", "settle"]


def repr_without(*hidden: str) -> Callable[[Struct], str]:
    """Return the `__repr__` of a struct that does not show these fields: whatever holds a secret has one."""

    def __repr__(self: Struct) -> str:  # noqa: N807 - that is what it is
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in hidden)
        return f"{type(self).__name__}({', '.join(shown)})"

    return __repr__
