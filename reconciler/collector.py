"""The cyclic garbage collector, paused where it could only cost.

Rule of this file: what is made while it is paused is values, which are never cyclic and nearly all stay: each
collection would walk a hundred thousand of them to find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the collector from running inside the block; paused blocks may stand in one another."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def loading_for_good() -> Iterator[None]:
    """Keep the collector from running while the block loads modules, and from ever looking at them afterwards."""
    with paused_collector():
        yield
        keep_for_good()


def keep_for_good() -> None:
    """Let the collector never look again at what there is: modules that are loaded, or all that a process ends with."""
    gc.freeze()
