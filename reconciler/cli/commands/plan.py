"""`reconciler plan [ENVIRONMENT]`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.options import (
    allow_changes_option,
    allow_empty_option,
    environment_argument,
    json_option,
    reassert_options,
    selection_options,
    strict_option,
)
from reconciler.cli.report_options import ci_option, report_options
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_run_notes, open_store, read_state
from reconciler.cli.streams import stdout_style
from reconciler.collector import paused_collector
from reconciler.errors import ExitCode
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.estimate import Estimate
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.state import State
from reconciler.planning import SessionKeys, agents_to_ask, make_plan
from reconciler.report import ALL_FORMATS, PlanReport, plan_text
from reconciler.values import replace


@click.command
@environment_argument
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `apply --plan`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes, 0 when there are none.")
@click.option(
    "--changed-since",
    "revision",
    metavar="REV",
    help="Only agents whose desired values differ from those of this Git revision, as a pull request's do.",
)
@selection_options
@reassert_options
@allow_changes_option
@strict_option
@allow_empty_option
@json_option
@ci_option
@report_options(*ALL_FORMATS)
@paused_collector()  # for the whole command: it reads files, does sums and ends
def command(
    environment: Path,
    *,
    out: Path | None,
    detailed_exitcode: bool,
    revision: str | None,
    options: PlanOptions,
    allow_changes: int | None,
    strict: bool,
    allow_empty: bool,
) -> CommandResult:
    """Show what apply would change in ENVIRONMENT, compared with what was last recorded.

    A plan is arithmetic over files: it never talks to the gateway, and needs no secret but that of a state that is kept
    elsewhere. Live values cannot be read back, so it compares with what the gateway last acknowledged. Only with
    --sessions it also asks the session source (not the gateway), so that it knows who is signed in, and who signed in
    anew and so may have lost the values.

    With --changed-since it looks only at agents whose desired values differ from those of the commit where HEAD parted
    from REV. The saved plan names them, so that apply looks at the same ones, also after the merge.

    Exits 0, or 2 for changes with --detailed-exitcode, 3 when the files are wrong, 4 when the session source fails, 5
    when a guardrail refuses, 10 when the state cannot be read.
    """
    opened = open_environment(environment, strict=strict, allow_empty=allow_empty)
    state = read_state(open_store(opened))
    check_scope(options.scope, opened.desired, state)
    options, unknown = _limited(options, revision, opened)
    keys = _session_keys(opened, state, options) if options.sessions else None
    with meanwhile("comparing with what is recorded"):
        plan = make_plan(opened.desired, state, options, session_keys=keys, allow_changes=allow_changes)
    notes = [*open_run_notes(state), *([] if out is None else [_save(opened, plan, out)])]
    told = replace(opened, warnings=(*opened.warnings, *unknown))
    return _result(told, plan, _exit_code(plan, detailed=detailed_exitcode), notes)


def _limited(
    options: PlanOptions, revision: str | None, opened: Environment
) -> tuple[PlanOptions, tuple[Diagnostic, ...]]:
    """Return the options limited to what has changed, and what there is to warn of."""
    if revision is None:
        return options, ()
    # Imported here: a plan of everybody has no use for Git.
    from reconciler.cli.changed_since import changed_since  # noqa: PLC0415

    changed, unknown = changed_since(revision, opened)
    return replace(options, scope=replace(options.scope, changed=changed)), unknown


def _session_keys(opened: Environment, state: State, options: PlanOptions) -> SessionKeys:
    # Imported here: it loads the client, which a plan without sessions has no use for.
    from reconciler.cli.session_keys import session_keys_of  # noqa: PLC0415

    return session_keys_of(opened, agents_to_ask(opened.desired, state, options.scope))


def _save(opened: Environment, plan: Plan, out: Path) -> str:
    # Imported here: most plans are only looked at.
    from reconciler.cli.plan_file import save_plan  # noqa: PLC0415

    return save_plan(opened, plan, out)


def _exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    if plan.refusals:
        return ExitCode.REFUSED_BY_GUARDRAIL
    return ExitCode.CHANGES_PRESENT if detailed and plan.does_something else ExitCode.DONE


def _result(opened: Environment, plan: Plan, code: ExitCode, notes: list[str]) -> CommandResult:
    estimate = Estimate.of(len(plan.calls), opened.desired.site.gateway)
    return CommandResult(
        command="plan",
        exit_code=code,
        text=lambda: plan_text(plan, unchanged=len(plan.unchanged), style=stdout_style(), estimate=estimate),
        environment=opened.name,
        site=plan.site,
        report=lambda envelope: PlanReport(
            envelope=envelope, plan=plan, unchanged=len(plan.unchanged), estimate=estimate
        ),
        diagnostics=opened.warnings,
        notes=notes,
    )
