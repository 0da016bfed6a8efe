"""The one place where anything that happens becomes text, a JSON document and an exit code.

Commands return a `CommandResult` or raise; nothing below this room prints or exits. With `--json` stdout carries
exactly one JSON document, also when the command line itself is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.cli.failures import InvalidFilesError
from reconciler.cli.group import cli
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import stderr_style, write
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.model.diagnostic import Diagnostic, Severity

_SHOWN_WARNINGS = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name; `None`: the process's own) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    result = _run(arguments)
    if isinstance(result, int):
        return result
    _show(result, as_json="--json" in arguments)
    return int(result.exit_code)


def _run(arguments: list[str]) -> CommandResult | int:
    try:
        result = cli.main(args=arguments, prog_name="reconciler", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the border: a bug too ends in a sentence and a code
        command = next((word for word in arguments if not word.startswith("-")), "")
        return _failure(error, command)
    return result if isinstance(result, CommandResult) else int(result or 0)


def _failure(error: BaseException, command: str) -> CommandResult | int:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            write(sys.stderr, f"{error.format_message()}\n")
            return ExitCode.INVALID_INPUT
        case click.UsageError():
            return _usage_error(error, command)
        case click.Abort() | KeyboardInterrupt():
            return _ended(command, ExitCode.INTERRUPTED, "interrupted")
        case click.ClickException():
            return _ended(command, ExitCode.INVALID_INPUT, error.format_message())
        case InvalidFilesError():
            return CommandResult(command=command, exit_code=error.exit_code, diagnostics=error.diagnostics)
        case ReconcilerError():
            return _ended(command, error.exit_code, str(error), hint=error.hint)
        case _:
            return _bug(command, error)


def _usage_error(error: click.UsageError, command: str) -> CommandResult:
    path = error.ctx.command_path if error.ctx else "reconciler"
    return _ended(command, ExitCode.INVALID_INPUT, error.format_message(), hint=f"see `{path} --help`")


def _bug(command: str, error: BaseException) -> CommandResult:
    import traceback  # noqa: PLC0415 - only a bug needs it

    # The exception's own words are left out: they may quote whatever was in hand.
    write(sys.stderr, "".join(traceback.format_tb(error.__traceback__)))
    message = f"a bug in reconciler {__version__}: {type(error).__name__}"
    return _ended(command, ExitCode.BUG, message, hint="please report it with the lines above; the state is safe")


def _ended(command: str, code: ExitCode, message: str, *, hint: str = "") -> CommandResult:
    diagnostic = Diagnostic(severity=Severity.ERROR, code=code.reason, summary=message, detail=hint)
    return CommandResult(command=command, exit_code=code, diagnostics=[diagnostic])


def _show(result: CommandResult, *, as_json: bool) -> None:
    if as_json and not result.raw:
        write(sys.stdout, _json(result))
    elif result.text:
        write(sys.stdout, result.text)
    if result.command != "validate" or not result.text:  # validate's text holds them already
        write(sys.stderr, _diagnostics(result))
    write(sys.stderr, "".join(f"{note}\n" for note in result.notes))


def _json(result: CommandResult) -> str:
    from reconciler.cli.document import result_document  # noqa: PLC0415 - `--help` needs no report
    from reconciler.report import document_text  # noqa: PLC0415

    return document_text(result_document(result))


def _diagnostics(result: CommandResult) -> str:
    from reconciler.report import diagnostics_text  # noqa: PLC0415 - as above

    warnings = [each for each in result.diagnostics if each.severity is Severity.WARNING]
    hidden = set(map(id, warnings[_SHOWN_WARNINGS:]))
    shown = [each for each in result.diagnostics if id(each) not in hidden]
    text = diagnostics_text(shown, style=stderr_style())
    if hidden:
        text += f"… and {len(hidden)} more warnings: reconciler validate {result.environment}\n"
    return text
