"""A room's front door that opens one module at a time.

A room's `__init__` imports its modules' names for type checkers and readers, and leaves them to `open_on_demand` when
it runs: a command that needs one function of a room does not load the forty modules behind the others.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any


def open_on_demand(room: str, homes: Mapping[str, Sequence[str]]) -> None:
    """Let each name of a room be imported when it is first asked for.

    Args:
        room: the room's dotted name.
        homes: the names it exports, by the module within it that has them.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    class Room(ModuleType):
        """The room, as whoever imports from it sees it."""

        def __getattr__(self, name: str) -> Any:
            home = home_of.get(name)
            if home is None:
                raise AttributeError(f"module {room!r} has no attribute {name!r}")
            found = self.__dict__[name] = getattr(import_module(f"{room}.{home}"), name)  # asked once
            return found

        def __setattr__(self, name: str, value: object) -> None:
            # The import system gives a module its own name in the room, which may be that of a function it holds.
            if not (name in home_of and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

    sys.modules[room].__class__ = Room
