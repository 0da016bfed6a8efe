"""What may wait for another machine ends when somebody is in a hurry."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from reconciler.state.haste import Haste


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event nobody sets before the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_what_comes_in_time_is_returned() -> None:
    assert Haste().do(lambda: 7) == 7


@pytest.mark.parametrize("error", [ValueError("x"), TimeoutError("x"), KeyboardInterrupt()], ids=repr)
def test_what_work_raises_is_raised(error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        Haste().do(work)
    assert caught.value is error


def test_work_that_does_not_end_is_given_up_once_somebody_is_in_a_hurry(never: threading.Event) -> None:
    haste = Haste()

    def work() -> None:
        haste.hurry(0.01)
        never.wait()

    with pytest.raises(TimeoutError):
        haste.do(work)


def test_nobody_is_given_back_the_time_another_took() -> None:
    haste, begun = Haste(0.0), []
    haste.hurry(60.0)
    with pytest.raises(TimeoutError):
        haste.do(lambda: begun.append(1))
    assert begun == []
