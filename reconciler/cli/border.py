"""The one place where anything that happens becomes text, a JSON document and an exit code.

Commands return a `CommandResult` or raise; nothing below this room prints or exits. With `--json` stdout carries
exactly one JSON document, also when the command line itself is wrong.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Sequence
from functools import partial

import click

from reconciler.cli.failures import (
    InvalidFilesError,
    UnwritableOutputError,
    bug_diagnostic,
    bug_trace,
    error_diagnostic,
)
from reconciler.cli.group import cli
from reconciler.cli.interrupts import fall_deaf, interrupts_raised, raise_interrupts
from reconciler.cli.invocation import Invocation
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import reopen_closed, stderr_style, write
from reconciler.cli.warnings import shortened
from reconciler.collector import keep_for_good, paused_collector
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.model.diagnostic import Diagnostic, Severity


def main(argv: Sequence[str]) -> int:
    """Run the command line `argv`, without the program's name, and return its exit code."""
    with interrupts_raised():
        return _run(argv, at_the_end=lambda: None)


def main_of_process() -> int:
    """Run the process's own command line and return its exit code; from its end on no signal is heard any more."""
    raise_interrupts()
    try:
        return _run(sys.argv[1:], at_the_end=fall_deaf)
    finally:
        fall_deaf()
        keep_for_good()  # as the process ends, it would walk over all of it once more


def interrupted() -> int:
    """End the process's own command line, which an interrupt kept from beginning, and return its exit code."""
    fall_deaf()
    reopen_closed()
    return _end_badly(KeyboardInterrupt(), sys.argv[1:], Invocation())


def _run(arguments: Sequence[str], *, at_the_end: Callable[[], None]) -> int:
    invocation = Invocation()
    reopen_closed()
    try:
        result = cli.main(args=list(arguments), prog_name="reconciler", standalone_mode=False, obj=invocation)
        if invocation.document_on_stdout:
            at_the_end()  # or half a document could be followed by another
        return _end(result, invocation)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the border: a bug too ends in words and a code
        at_the_end()
        return _end_badly(error, arguments, invocation)


def _end(result: object, invocation: Invocation) -> int:
    if not isinstance(result, CommandResult):
        return int(result) if isinstance(result, int) else ExitCode.DONE
    return _show(result, invocation)


def _end_badly(error: BaseException, arguments: Sequence[str], invocation: Invocation) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        write(sys.stderr, f"{error.format_message()}\n")
        return ExitCode.INVALID_INPUT
    # Parsing may have ended before the flag's turn came; what stands behind `--` is no flag.
    invocation.as_json |= "--json" in itertools.takewhile(lambda word: word != "--", arguments)
    result = _failed(error, _command(arguments), invocation)
    with contextlib.suppress(UnwritableOutputError):  # stdout is gone; stderr has been told
        return _show(result, invocation)
    return int(result.exit_code)


def _command(arguments: Sequence[str]) -> str:
    """Return the command's name as a command that ends well gives it, of words that may be no command at all."""
    words = [word for word in arguments if not word.startswith("-")]
    return " ".join(words[: 2 if words[:1] == ["state"] else 1])


def _failed(error: BaseException, command: str, invocation: Invocation) -> CommandResult:
    code, diagnostics, notes = _told(error, command)
    return CommandResult(
        command=command, exit_code=code, environment=invocation.environment, diagnostics=diagnostics, notes=notes
    )


def _told(error: BaseException, command: str) -> tuple[ExitCode, Sequence[Diagnostic], Sequence[str]]:
    match error:
        case InvalidFilesError():
            return error.exit_code, error.diagnostics, ()
        case ReconcilerError():
            return error.exit_code, [error_diagnostic(error)], ()
        case click.UsageError():
            from reconciler.cli.habits import usage_hint  # noqa: PLC0415 - only a wrong command line needs it

            return _plainly(ExitCode.INVALID_INPUT, error.format_message(), usage_hint(error, command))
        case click.ClickException():
            return _plainly(ExitCode.INVALID_INPUT, error.format_message())
        case click.Abort() | KeyboardInterrupt():
            return _plainly(ExitCode.INTERRUPTED, "interrupted")
        case _:
            return ExitCode.BUG, [bug_diagnostic(error)], [bug_trace(error)]


def _plainly(code: ExitCode, message: str, hint: str = "") -> tuple[ExitCode, Sequence[Diagnostic], Sequence[str]]:
    return code, [Diagnostic(severity=Severity.ERROR, code=code.reason, summary=message, detail=hint)], ()


@paused_collector()  # a report of a hundred thousand changes is values, and then text
def _show(result: CommandResult, invocation: Invocation) -> int:
    """Write the result and its reports, and return the exit code, which a report that cannot be written may change."""
    on_stdout, taken = None, invocation.document_on_stdout and not result.raw
    reports, invocation.reports = invocation.reports, None  # once: what goes wrong from here on is no part of them
    if reports is not None and reports.wanted:
        from reconciler.cli.report_files import write_reports  # noqa: PLC0415 - most commands write none

        result, on_stdout = write_reports(result, reports)
    if on_stdout is None:
        on_stdout = _on_stdout(result, as_json=invocation.as_json and not result.raw)
    try:
        write(sys.stdout, on_stdout)
    finally:
        if taken or not result.diagnostics_in_text:
            write(sys.stderr, _diagnostics(result))
        write(sys.stderr, "".join(f"{note}\n" for note in result.notes))
    return int(result.exit_code)


def _on_stdout(result: CommandResult, *, as_json: bool) -> str:
    make = partial(_json, result) if as_json else result.text
    if result.report is None and result.environment is None:
        return make()
    from reconciler.cli.meanwhile import meanwhile  # noqa: PLC0415 - only what tells of agents takes long

    with meanwhile("putting it into words"):
        return make()


def _json(result: CommandResult) -> str:
    from reconciler.cli.document import result_document  # noqa: PLC0415 - `--help` needs no report
    from reconciler.report import document_text  # noqa: PLC0415

    return document_text(result_document(result))


def _diagnostics(result: CommandResult) -> str:
    if not result.diagnostics:
        return ""
    from reconciler.report import problems_text  # noqa: PLC0415 - as above

    shown, hidden = shortened(result.diagnostics)
    elsewhere = f"reconciler validate {result.environment}"
    return problems_text(shown, style=stderr_style(), unlisted=hidden, elsewhere=elsewhere)
