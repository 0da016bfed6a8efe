"""`reconciler rollback FILE [ENVIRONMENT]`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.applying import ApplyReport, ApplyRequest, PlanRefusedError, RecordsChangedError, require_same_place
from reconciler.cli.approval import Approval
from reconciler.cli.environment import Environment, open_environment
from reconciler.cli.failures import error_diagnostic
from reconciler.cli.git_follows import git_must_follow, still_desired
from reconciler.cli.invocation import invocation_of
from reconciler.cli.locking import patience_of
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.options import (
    allow_changes_option,
    allow_empty_option,
    environment_argument,
    json_option,
    selection_options,
    strict_option,
)
from reconciler.cli.report_options import ci_option, report_options
from reconciler.cli.result import CommandResult
from reconciler.cli.run_flags import RunFlags, require_somebody_to_ask, run_options, within
from reconciler.cli.running import carry_out, refused_result, run_result
from reconciler.cli.sign_in import require_force
from reconciler.cli.store import open_store, read_state
from reconciler.cli.streams import stdout_style
from reconciler.cli.warnings import warn_first
from reconciler.cli.writing import read_file
from reconciler.errors import ExitCode, UsageError
from reconciler.model.estimate import Estimate
from reconciler.model.inverse import InversePlan
from reconciler.model.plan import Plan, PlanOptions, Scope
from reconciler.planning import plan_back, require_unaltered_inverse
from reconciler.report import RUN_FORMATS, PlanReport, ProblemReport, plan_text, read_inverse_plan, restored_text
from reconciler.state import StateStore
from reconciler.values import replace


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@environment_argument
@click.option("--preview", is_flag=True, help="Show what would be sent, and end there: no lock, no session, no call.")
@click.option("--allow-shrink", is_flag=True, help="Leave agents alone who were changed since; take back the rest.")
@run_options
@selection_options
@allow_changes_option
@strict_option
@allow_empty_option
@json_option
@ci_option
@report_options(*RUN_FORMATS)
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    environment: Path,
    *,
    preview: bool,
    allow_shrink: bool,
    flags: RunFlags,
    scope: Scope,
    allow_changes: int | None,
    strict: bool,
    allow_empty: bool,
) -> CommandResult:
    """Take back what a run has changed, from the rollback FILE that it left: to what was recorded before it.

    It is planned afresh, shown, held to the guardrails and approved like every apply, and leaves a way back itself.
    Only agents who are still recorded as that run left them are taken back; if others are in FILE it refuses, and
    leaves them alone with --allow-shrink. Agents of whom nothing was recorded before keep what the run gave them.

    The YAML in Git does not change by itself: revert the commit, or the next plan asks for the new values again.

    Exits as apply does; 6 when FILE was altered, is of another site or state, or when agents were changed since.
    """
    undo = _undone(file)
    if not (preview or flags.yes):
        require_somebody_to_ask("look first with --preview, then give --yes")
    opened = within(flags.deadline, open_environment(environment, strict=strict, allow_empty=allow_empty))
    warn_first(opened.warnings)
    if flags.force_sign_in:
        require_force(opened.desired.site.sessions)
    request = ApplyRequest(
        desired=opened.desired,
        options=PlanOptions(scope=scope),
        undo=undo,
        allow_changes=allow_changes,
        allow_shrink=allow_shrink,
        fail_fast=flags.fail_fast,
        breaker=flags.breaker,
        lock_timeout=patience_of(flags.lock_timeout, os.environ),
    )
    store = open_store(opened)
    if preview:
        return _previewed(opened, _look(request, undo, store), allow_shrink=allow_shrink)
    if scope.partial:
        _look(request, undo, store)
    as_json = invocation_of(ctx).document_on_stdout
    approval = Approval(None, plan_file=None, gateway=opened.desired.site.gateway, yes=flags.yes, as_json=as_json)
    return _ended(opened, request, store, approval, flags)


def _undone(file: Path) -> InversePlan:
    with meanwhile("reading the way back"):
        inverse = read_inverse_plan(read_file(file, what="rollback"), name=file.as_posix())
        require_unaltered_inverse(inverse, name=file.as_posix())
    return inverse


def _look(request: ApplyRequest, undo: InversePlan, store: StateStore) -> Plan:
    """Return the plan as of now, without the lock; refuse a selection that names nobody of the run."""
    state = read_state(store)
    require_same_place(undo, request.desired.site, state)
    scope, approved = request.options.scope, request.allow_changes
    plan = plan_back(undo, request.desired, state, scope=scope, allow_changes=approved)
    if scope.partial and plan.going_back is not None and not (plan.changes or plan.going_back.agents):
        raise UsageError("the selection leaves nobody whom that run changed", hint="`--preview` alone lists them all")
    return plan


def _previewed(opened: Environment, plan: Plan, *, allow_shrink: bool) -> CommandResult:
    estimate = Estimate.of(len(plan.calls), opened.desired.site.gateway)
    refused = _refusal(plan, allow_shrink=allow_shrink)
    code = ExitCode.REFUSED_BY_GUARDRAIL if plan.refusals else ExitCode.DONE
    must_follow = git_must_follow(still_desired(opened.desired, plan))
    return CommandResult(
        command="rollback",
        exit_code=code if refused is None else refused.exit_code,
        text=lambda: plan_text(plan, unchanged=len(plan.unchanged), style=stdout_style(), estimate=estimate),
        environment=opened.name,
        site=plan.site,
        report=lambda envelope: PlanReport(
            envelope=envelope, plan=plan, unchanged=len(plan.unchanged), estimate=estimate
        ),
        diagnostics=[*opened.warnings, *must_follow, *([] if refused is None else [error_diagnostic(refused)])],
    )


def _refusal(plan: Plan, *, allow_shrink: bool) -> RecordsChangedError | None:
    back = plan.going_back
    return RecordsChangedError(back) if back is not None and back.changed_since and not allow_shrink else None


def _ended(
    opened: Environment, request: ApplyRequest, store: StateStore, approval: Approval, flags: RunFlags
) -> CommandResult:
    """Carry it out, and return what it came to, be it a refusal with something to show."""
    try:
        report, way_back = carry_out(opened, request, store, approval=approval, flags=flags)
    except RecordsChangedError as error:
        return _changed_since(opened, error)
    except PlanRefusedError as error:
        return refused_result(opened, error, command="rollback")
    following = still_desired(opened.desired, report.plan, report.state)
    result = run_result(
        opened,
        report,
        way_back,
        command="rollback",
        deferred_exit_code=flags.deferred_exit_code,
        diagnostics=git_must_follow(following),
        still_desired=tuple(following),
    )
    return replace(result, text=lambda: _before_outcomes(report, approval) + result.text())


def _changed_since(opened: Environment, error: RecordsChangedError) -> CommandResult:
    return CommandResult(
        command="rollback",
        exit_code=error.exit_code,
        environment=opened.name,
        site=opened.desired.site.name,
        diagnostics=[*opened.warnings, error_diagnostic(error)],
        report=lambda envelope: ProblemReport(envelope=envelope, going_back=error.going_back),
    )


def _before_outcomes(report: ApplyReport, approval: Approval) -> str:
    """Return what the outcomes do not say: the plan, where there was nothing to approve, and records put back."""
    plan, style = report.plan, stdout_style()
    unseen = plan_text(plan, unchanged=len(plan.unchanged), style=style) + "\n" if approval.plan is None else ""
    return unseen + restored_text(tuple(plan.restored), style=style)
