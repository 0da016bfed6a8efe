"""`python -m reconciler` is the command `reconciler`, and this is where both begin.

Rule of this file: hardly anything is loaded before an interrupt can be heard, for loading takes longer than a person
who mistyped a command needs to press Ctrl-C. From `cli.main` on, its border hears every signal; what comes after it
is the end of the process, which an interrupt may only hasten.
"""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line of this process, and return its exit code."""
    try:
        from reconciler.cli import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one has nothing left to end
        from reconciler.cli import interrupted  # noqa: PLC0415 - loaded as far as it was; now without a break

        return interrupted()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what Python does with one as it ends is a traceback
    return run()


if __name__ == "__main__":
    sys.exit(main())
