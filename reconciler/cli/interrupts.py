"""The signals that end a command, while nothing is being sent: all of them as Ctrl-C does, with words and a code.

While calls go out, `signals` takes over.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals by which a person, a CI host or a terminal that goes away ends a command.

    Under `nohup` the terminal has no say.
    """
    return tuple(each for each in _ENDING if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN)


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at every ending signal as at SIGINT, and put all handlers back at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return
    before = {number: signal.getsignal(number) for number in ending_signals()}
    raise_interrupts()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_interrupts() -> None:
    """Raise `KeyboardInterrupt` at every ending signal from now on."""
    for number in ending_signals():
        signal.signal(number, _interrupt)


def fall_deaf() -> None:
    """Hear no ending signal any more: the process tells how it ended, and ends.

    What Python makes of a signal then is a traceback, half of what was to be told, and another exit code.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
