"""The cyclic garbage collector, paused or seldom where it could only cost.

Rule of this file: what is made while it is paused is values, which are never cyclic and nearly all stay: each
collection would walk a hundred thousand of them to find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = 10_000
"""Objects made and not let go of between two looks at the young ones; Python has 700."""


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


@contextmanager
def seldom_collector() -> Iterator[None]:
    """Let the collector run once where it would run fourteen times: few cycles are made here, but for hours perhaps."""
    young, *older = gc.get_threshold()
    gc.set_threshold(young and max(young, _SELDOM), *older)  # 0: somebody has switched it off
    try:
        yield
    finally:
        gc.set_threshold(young, *older)


def keep_for_good() -> None:
    """Let the collector never look again at what there is: modules that are loaded, or all that a process ends with."""
    gc.freeze()
