"""The two streams and what they can show: stdout carries the result, stderr everything else.

Rules of this file: a reader who has gone away is no error, and neither is a stream that was never there; a result that
could not be written is one.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from reconciler.cli.failures import UnwritableOutputError

if TYPE_CHECKING:
    from reconciler.report import Style


def wants_color(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to colour what goes to `stream`: a terminal that can, and nobody who asked not to (NO_COLOR)."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def shows_progress(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether a moving progress bar makes sense on `stream`: on a terminal, and not in CI."""
    return stream.isatty() and environ.get("TERM") != "dumb" and not environ.get("CI")


def stdout_style() -> Style:
    """Return how to paint the result."""
    return _style(sys.stdout)


def stderr_style() -> Style:
    """Return how to paint everything else."""
    return _style(sys.stderr)


def _style(stream: TextIO) -> Style:
    from reconciler.report import Style  # noqa: PLC0415 - `--help` paints nothing

    return Style(color=wants_color(stream, os.environ))


def reopen_closed() -> None:
    """Give a stream that was closed before we began (`2>&-`) somewhere to go: nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Not by pathlib, which `--help` has no other use for.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def write(stream: TextIO, text: str) -> None:
    """Write `text`; a reader who has gone away (`| head`) is no error of ours.

    Characters the terminal's encoding lacks are escaped rather than refused.

    Raises:
        UnwritableOutputError: `stream` does not take it, and is not stderr.
    """
    if not text.isascii() and isinstance(encoding := stream.encoding, str):
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        _write_all(stream, text)
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        if stream is not sys.stderr:  # nobody is left to be told about stderr
            raise UnwritableOutputError(f"the result cannot be written: {error.strerror}") from error


def _write_all(stream: TextIO, text: str) -> None:
    """Write to the very end, waiting where `stream` does not wait itself.

    Not by Python's own streams: unbuffered (PYTHONUNBUFFERED, as in most images of containers), they drop without a
    word what the system did not take at once; buffered, they give up at a pipe that does not wait, as Node.js makes.
    """
    stream.flush()
    try:
        number = stream.fileno()
    except OSError:  # a stream within the process
        stream.write(text)
        stream.flush()
        return
    rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            import select  # noqa: PLC0415 - hardly ever needed

            select.select([], [number], [])


def _discard(stream: TextIO) -> None:
    # Python would complain again at exit, when it flushes what is left; let it flush into nothing.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
