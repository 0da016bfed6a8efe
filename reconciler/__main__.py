"""`python -m reconciler` is the command `reconciler`, and this is where both begin.

Rule of this file: hardly anything is loaded before a signal can be heard, for loading takes longer than a person who
mistyped a command needs to press Ctrl-C. From there on the border of `cli` hears every one.
"""

from __future__ import annotations

import signal
import sys

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130
"""The exit code of `errors`, which is not loaded for its sake."""


def main() -> int:
    """Run the command line of this process, and return its exit code."""
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:  # not where `nohup`, or a shell's `&`, has it ignored
            signal.signal(number, signal.default_int_handler)
    try:
        from reconciler.collector import loading_for_good  # noqa: PLC0415 - see above

        with loading_for_good():
            from reconciler.cli import main_of_process as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)  # a second one has nothing left to end
        from reconciler.cli import interrupted  # noqa: PLC0415 - loaded as far as it was; now without a break

        return interrupted()
    try:
        return run()
    except KeyboardInterrupt:  # in the last instant in which one is heard
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
