"""`reconciler apply [ENVIRONMENT]`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.applying import ApplyRequest, PlanDiffersError, PlanRefusedError
from reconciler.cli.approval import Approval
from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.invocation import invocation_of
from reconciler.cli.locking import patience_of
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
from reconciler.cli.reviewed_plan import difference_from_now, flaw_of, read_reviewed, stale_result
from reconciler.cli.run_flags import RunFlags, require_somebody_to_ask, run_options, within
from reconciler.cli.running import carry_out, refused_result, run_result
from reconciler.cli.sign_in import require_force
from reconciler.cli.store import open_store, read_state
from reconciler.cli.warnings import warn_first
from reconciler.errors import UsageError
from reconciler.model.plan import PlanOptions
from reconciler.report import RUN_FORMATS


@click.command
@environment_argument
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Apply exactly this saved plan: planned afresh, refused if anything differs.",
)
@click.option("--allow-shrink", is_flag=True, help="With --plan: accept that less is left to do than was reviewed.")
@run_options
@selection_options
@reassert_options
@allow_changes_option
@strict_option
@allow_empty_option
@json_option
@ci_option
@report_options(*RUN_FORMATS)
@click.pass_context
def command(
    ctx: click.Context,
    environment: Path,
    *,
    plan_file: Path | None,
    allow_shrink: bool,
    flags: RunFlags,
    options: PlanOptions,
    allow_changes: int | None,
    strict: bool,
    allow_empty: bool,
) -> CommandResult:
    """Send what differs between ENVIRONMENT and what was last recorded: one call for each changed agent.

    Each call needs the agent's own live session, read just before; an agent without one is deferred, not failed. It
    signs nobody in or out, unless site.yaml says `source: signin`. What the gateway acknowledges is recorded as it
    comes. What it changed can be taken back with `rollback` and the file it leaves.

    Exits 0 when all is done, 8 when agents failed or are in doubt, 9 when some are deferred; 5, 6 and 7 when it
    refused before the first call (guardrail, stale plan, lock); 3 when the files are wrong, 4 when the session source
    fails, 10 when the state cannot be read or written; 130 when interrupted.
    """
    _check_flags(plan_file, options, flags, allow_shrink=allow_shrink)
    opened = within(flags.deadline, open_environment(environment, strict=strict, allow_empty=allow_empty))
    warn_first(opened.warnings)
    if flags.force_sign_in:
        require_force(opened.desired.site.sessions)
    saved = None if plan_file is None else read_reviewed(plan_file)
    if saved is not None and plan_file is not None and (flaw := flaw_of(saved, plan_file)) is not None:
        return stale_result(opened, flaw, difference_from_now(opened, saved))
    request = ApplyRequest(
        desired=opened.desired,
        options=options,
        reviewed=None if saved is None else saved.plan,
        allow_changes=allow_changes,
        allow_shrink=allow_shrink,
        fail_fast=flags.fail_fast,
        breaker=flags.breaker,
        lock_timeout=patience_of(flags.lock_timeout, os.environ),
    )
    approval = Approval(
        request.reviewed,
        plan_file=plan_file,
        gateway=opened.desired.site.gateway,
        yes=flags.yes,
        as_json=invocation_of(ctx).document_on_stdout,
    )
    return _ended(opened, request, approval, flags)


def _ended(opened: Environment, request: ApplyRequest, approval: Approval, flags: RunFlags) -> CommandResult:
    """Carry it out, and return what it came to, be it a refusal with something to show."""
    store = open_store(opened)
    if request.options.scope.partial:  # otherwise the state is read once, under the lock
        check_scope(request.options.scope, opened.desired, read_state(store))
    try:
        report, way_back = carry_out(opened, request, store, approval=approval, flags=flags)
    except PlanDiffersError as error:
        return stale_result(opened, error, error.difference)
    except PlanRefusedError as error:
        return refused_result(opened, error, command="apply")
    return run_result(opened, report, way_back, command="apply", deferred_exit_code=flags.deferred_exit_code)


def _check_flags(plan_file: Path | None, options: PlanOptions, flags: RunFlags, *, allow_shrink: bool) -> None:
    if plan_file is not None and options != PlanOptions():
        raise UsageError("--plan has its own selection and options", hint="leave the other flags out, or plan anew")
    if allow_shrink and plan_file is None:
        raise UsageError("--allow-shrink compares with a reviewed plan, and there is none", hint="give --plan FILE")
    if not (flags.yes or plan_file):
        require_somebody_to_ask("apply a reviewed plan with --plan FILE, or give --yes")
