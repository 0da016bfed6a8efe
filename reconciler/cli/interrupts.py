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
def interrupts_raised(*, then_deaf: bool) -> Iterator[None]:
    """Raise `KeyboardInterrupt` at every ending signal as at SIGINT.

    At the end all handlers are put back; or, `then_deaf`, no signal is heard any more: the process has told all it has
    to tell and is about to end, and what Python makes of a signal then is a traceback, and another exit code.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return
    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if then_deaf else handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
