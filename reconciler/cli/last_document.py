"""The one document that stdout is promised, of a command that is left at once.

Rule of this file: it is written within a signal's callback, just before the process is left without another word; so it
tells no more than what is known without asking anybody.
"""

from __future__ import annotations

import sys

import click

from reconciler.cli.document import result_document
from reconciler.cli.failures import error_diagnostic
from reconciler.cli.invocation import invocation_of
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import write
from reconciler.errors import ExitCode, InterruptedRunError
from reconciler.report import document_text


def write_last_document() -> None:
    """Write the document of the command under way, if one was asked for."""
    ctx = click.get_current_context(silent=True)
    if ctx is None or not invocation_of(ctx).as_json:
        return
    error = InterruptedRunError(
        "left at once, at a second signal", hint="whatever has no answer is in doubt; the next plan lists it"
    )
    result = CommandResult(
        command=ctx.info_name or "",
        exit_code=ExitCode.INTERRUPTED,
        environment=invocation_of(ctx).environment,
        diagnostics=[error_diagnostic(error)],
    )
    write(sys.stdout, document_text(result_document(result)))
