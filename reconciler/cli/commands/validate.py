"""`reconciler validate [ENVIRONMENT]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.environment import open_environment
from reconciler.cli.failures import InvalidFilesError
from reconciler.cli.options import allow_empty_option, environment_argument, json_option, strict_option
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import stdout_style
from reconciler.errors import ExitCode
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report import counted, diagnostics_text


@click.command
@environment_argument
@strict_option
@allow_empty_option
@json_option
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
    counts = Counter(each.severity for each in diagnostics)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    tail = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    if desired is None:
        last = f"Invalid: {tail}.\n"
    else:
        teams = {agent.team for agent in desired.agents.values() if agent.team}
        fleet = f"{counted(len(desired.agents), 'agent')} in {counted(len(teams), 'team')}"
        last = f"Valid: site {desired.site.name}, {fleet}; {tail}.\n"
    return CommandResult(
        command="validate",
        exit_code=ExitCode.INVALID_INPUT if desired is None else ExitCode.DONE,
        text=lambda: diagnostics_text(diagnostics, style=stdout_style()) + last,
        diagnostics_in_text=True,
        environment=environment.as_posix(),
        site=None if desired is None else desired.site.name,
        summary={"agents": None if desired is None else len(desired.agents), "errors": errors, "warnings": warnings},
        diagnostics=diagnostics,
    )
