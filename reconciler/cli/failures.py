"""Errors that only the command line knows, and how a bug of ours is told."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler import __version__
from reconciler.errors import ExitCode, InputError, ReconcilerError
from reconciler.model.diagnostic import Diagnostic, Severity


class InvalidFilesError(InputError):
    """The environment's files are wrong; every problem is in `diagnostics`."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Take all problems at once."""
        super().__init__(f"{len(diagnostics)} problems in the environment's files")
        self.diagnostics = tuple(diagnostics)


class UnwritableOutputError(InputError):
    """Standard output does not take the result."""


def error_diagnostic(error: ReconcilerError) -> Diagnostic:
    """Return an error of ours as a diagnostic."""
    return Diagnostic(severity=Severity.ERROR, code=error.exit_code.reason, summary=str(error), detail=error.hint)


def bug_diagnostic(error: BaseException) -> Diagnostic:
    """Return a bug as a diagnostic. The exception's own words are left out: they may quote whatever was in hand."""
    return Diagnostic(
        severity=Severity.ERROR,
        code=ExitCode.BUG.reason,
        summary=f"a bug in reconciler {__version__}: {type(error).__name__}",
        detail="please report it with the lines below; what was acknowledged is recorded",
    )


def bug_trace(error: BaseException) -> str:
    """Return where a bug happened: places and source lines, no values."""
    import traceback  # noqa: PLC0415 - only a bug needs it

    return "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
