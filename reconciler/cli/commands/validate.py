"""`reconciler validate [ENVIRONMENT]`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from reconciler.cli.document import reported
from reconciler.cli.environment import open_environment
from reconciler.cli.failures import InvalidFilesError
from reconciler.cli.options import allow_empty_option, environment_argument, json_option, strict_option
from reconciler.cli.report_options import ci_option, report_options
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import stdout_style
from reconciler.collector import paused_collector
from reconciler.errors import ExitCode
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic
from reconciler.report import FILE_FORMATS, ProblemReport, report_text
from reconciler.values import replace


@click.command
@environment_argument
@strict_option
@allow_empty_option
@json_option
@ci_option
@report_options(*FILE_FORMATS)
@paused_collector()  # for the whole command: it reads files, does sums and ends
def command(environment: Path, *, strict: bool, allow_empty: bool) -> CommandResult:
    """Check the files of ENVIRONMENT: syntax, schema, profiles, duplicates, ranges.

    All problems are reported at once, each as path:line:column. Nothing else is touched: no gateway, no state, no
    secret, so this runs on anybody's pull request. Exits 0, or 3 when something is wrong.
    """
    try:
        opened = open_environment(environment, strict=strict, allow_empty=allow_empty)
    except InvalidFilesError as error:
        return _result(environment, error.diagnostics, None)
    return _result(environment, opened.warnings, opened.desired)


def _result(environment: Path, diagnostics: Sequence[Diagnostic], desired: Desired | None) -> CommandResult:
    agents = None if desired is None else desired.agents.values()
    report = partial(
        ProblemReport,
        agents=None if agents is None else len(agents),
        teams=None if agents is None else len({agent.team for agent in agents if agent.team}),
    )
    result = CommandResult(
        command="validate",
        exit_code=ExitCode.INVALID_INPUT if desired is None else ExitCode.DONE,
        diagnostics_in_text=True,
        environment=environment.as_posix(),
        site=None if desired is None else desired.site.name,
        report=lambda envelope: report(envelope=envelope),
        diagnostics=diagnostics,
    )
    return replace(result, text=lambda: report_text(reported(result), style=stdout_style()))
