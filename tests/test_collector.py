"""The garbage collector, set for a while and as it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from reconciler.collector import paused_collector, seldom_collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("young", [700, 50_000], ids=["as-python-has-it", "already-seldom"])
def test_the_collector_runs_seldom_inside_and_as_before_outside(young: int) -> None:
    gc.set_threshold(young, 10, 10)

    with seldom_collector():
        assert gc.get_threshold() == (max(young, 10_000), 10, 10)

    assert gc.get_threshold() == (young, 10, 10)


def test_a_collector_that_is_switched_off_stays_so() -> None:
    gc.set_threshold(0, 10, 10)

    with seldom_collector():
        assert gc.get_threshold() == (0, 10, 10)


def test_a_paused_collector_runs_again_once_the_outermost_pause_is_over() -> None:
    running = list[bool]()

    with paused_collector():
        running.append(gc.isenabled())
        with paused_collector():
            pass
        running.append(gc.isenabled())

    assert (running, gc.isenabled()) == ([False, False], True)
