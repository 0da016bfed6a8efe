"""What may wait for another machine ends when somebody is in a hurry."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from support.processes import PATIENCE, wait_until

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


def test_work_that_could_not_be_begun_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    haste = Haste()

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start"):
            haste.do(lambda: 7)
    haste.hurry(PATIENCE)
    assert haste.rest()


def test_work_whose_result_could_not_be_handed_over_has_not_ended_well(never: threading.Event) -> None:
    haste = Haste()

    def work() -> int:
        haste.hurry(0.01)
        never.wait()
        return 7

    def refuse(_: int) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.raises(TimeoutError):
        haste.do(work, unclaimed=refuse)
    never.set()
    wait_until(lambda: "in-haste" not in {thread.name for thread in threading.enumerate()})
    assert not haste.rest()
