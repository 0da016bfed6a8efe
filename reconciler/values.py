"""What values are made of: msgspec's structs, which load and are made in a fraction of a dataclass's time.

Rule of this file: it is the only one that knows where they come from. A class that keeps something out of its `repr`,
as whatever holds a secret does, is a dataclass still, since only those can.
"""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import asdict, astuple, replace
from msgspec.structs import force_setattr as settle

__all__ = ["Struct", "asdict", "astuple", "field", "replace", "settle"]
