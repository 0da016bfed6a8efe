"""`reconciler show FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation, invocation_of
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.options import json_option
from reconciler.cli.report_options import format_option, report_options
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import stdout_style
from reconciler.cli.writing import read_file
from reconciler.collector import paused_collector
from reconciler.errors import UsageError
from reconciler.planning import require_unaltered
from reconciler.report import ALL_FORMATS, PlanReport, Reported, makes_sense, read_report, report_text


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@format_option
@report_options(*ALL_FORMATS)
@click.pass_context
@paused_collector()  # for the whole command: it reads a file, shows it and ends
def command(ctx: click.Context, file: Path) -> CommandResult:
    """Show the plan or the outcome in FILE: what `plan --out`, `--json` or `--report json=FILE` saved.

    With --json, or --format json, it prints the document again, as it was.

    Exits 3 when FILE is no such document, and 6 when what it says does not fit together: somebody altered it.
    """
    with meanwhile("reading the document"):
        report = read_report(read_file(file, what="plan or outcome"), name=file.as_posix())
        if isinstance(report, PlanReport):
            require_unaltered(report.plan, name=file.as_posix())
    _require_sense(report, invocation_of(ctx))
    return CommandResult(
        command="show", text=lambda: report_text(report, style=stdout_style()), report=lambda _envelope: report
    )


def _require_sense(report: Reported, invocation: Invocation) -> None:
    """Refuse formats that have nothing to say of what is in the file; none is written then."""
    reports = invocation.reports
    wrong = [] if reports is None else [each.format_ for each in reports.files if not makes_sense(report, each.format_)]
    if wrong:
        invocation.reports = None
        raise UsageError(
            f"{wrong[0]} makes no sense of the outcome of {report.envelope.command}",
            hint=f"formats are: {', '.join(each for each in ALL_FORMATS if makes_sense(report, each))}",
        )
