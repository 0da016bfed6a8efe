"""`reconciler show FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import stdout_style
from reconciler.cli.writing import read_file
from reconciler.planning import require_unaltered
from reconciler.report import plan_document, plan_summary, plan_text, read_saved_plan


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path) -> CommandResult:
    """Show the plan that `plan --out FILE` saved.

    Exits 3 when FILE is no plan, and 6 when its changes do not fit its fingerprint: somebody altered it.
    """
    saved = read_saved_plan(read_file(file, what="plan"), name=file.as_posix())
    require_unaltered(saved.plan, name=file.as_posix())
    return CommandResult(
        command="show",
        text=lambda: plan_text(saved.plan, unchanged=saved.unchanged, style=stdout_style()),
        site=saved.plan.site,
        summary={**plan_summary(saved.plan), "unchanged": saved.unchanged},
        sections=lambda: plan_document(saved.plan),
    )
