"""`reconciler apply [ENVIRONMENT]`."""

from __future__ import annotations

import os
import random
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from reconciler.applying import ApplyReport, ApplyRequest, PlanDiffersError, PlanRefusedError, Surroundings, apply
from reconciler.cli.approval import Approval
from reconciler.cli.clock import utc_now
from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.failures import bug_diagnostic, bug_trace, error_diagnostic
from reconciler.cli.invocation import invocation_of
from reconciler.cli.locking import lock_holder, lock_timeout_option, patience_of, tell_waiting
from reconciler.cli.options import (
    allow_changes_option,
    allow_empty_option,
    deadline_option,
    environment_argument,
    json_option,
    reassert_options,
    selection_options,
    strict_option,
)
from reconciler.cli.progress import progress_of
from reconciler.cli.result import CommandResult
from reconciler.cli.session_keys import session_keys_of
from reconciler.cli.sign_in import left_behind, require_force, sign_in_access
from reconciler.cli.signals import stop_on_signals
from reconciler.cli.store import open_store
from reconciler.cli.streams import stdout_style
from reconciler.cli.warnings import warn_first
from reconciler.cli.writing import read_file
from reconciler.errors import ExitCode, ReconcilerError, UsageError
from reconciler.gateway import open_access, open_source
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.outcome import Result
from reconciler.model.plan import Plan, PlanOptions
from reconciler.planning import require_unaltered
from reconciler.report import (
    difference_text,
    outcome_documents,
    outcome_summary,
    outcome_text,
    plan_document,
    read_saved_plan,
)


@click.command
@environment_argument
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help="Apply exactly this saved plan: planned afresh, refused if anything differs.",
)
@click.option("--allow-shrink", is_flag=True, help="With --plan: accept that less is left to do than was reviewed.")
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal unless --plan is given.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first agent that fails or is left in doubt.")
@click.option(
    "--breaker",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Stop when N agents in a row are refused with the same retcode; 0 never stops.",
)
@click.option(
    "--force-sign-in",
    is_flag=True,
    help="With source signin and force: true in site.yaml: throw out whoever is signed in already.",
)
@click.option(
    "--deferred-exit-code",
    type=click.IntRange(0, 255),
    default=int(ExitCode.SOME_AGENTS_DEFERRED),
    show_default=True,
    metavar="CODE",
    help="Exit code when all that is left is agents who are not signed in.",
)
@lock_timeout_option
@deadline_option
@selection_options
@reassert_options
@allow_changes_option
@strict_option
@allow_empty_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    environment: Path,
    *,
    plan_file: Path | None,
    allow_shrink: bool,
    yes: bool,
    fail_fast: bool,
    breaker: int,
    force_sign_in: bool,
    deferred_exit_code: int,
    lock_timeout: float | None,
    deadline: float | None,
    options: PlanOptions,
    allow_changes: int | None,
    strict: bool,
    allow_empty: bool,
) -> CommandResult:
    """Send what differs between ENVIRONMENT and what was last recorded: one call for each changed agent.

    Each call needs the agent's own live session, read just before; an agent without one is deferred, not failed. It
    signs nobody in or out, unless site.yaml says `source: signin`. What the gateway acknowledges is recorded as it
    comes.

    Exits 0 when all is done, 8 when agents failed or are in doubt, 9 when some are deferred; 5, 6 and 7 when it
    refused before the first call (guardrail, stale plan, lock); 130 when interrupted.
    """
    _check_flags(plan_file, options, yes=yes, allow_shrink=allow_shrink)
    opened = _within(deadline, open_environment(environment, strict=strict, allow_empty=allow_empty))
    warn_first(opened.warnings)
    if force_sign_in:
        require_force(opened.desired.site.sessions)
    request = ApplyRequest(
        desired=opened.desired,
        options=options,
        reviewed=None if plan_file is None else _reviewed(plan_file),
        allow_changes=allow_changes,
        allow_shrink=allow_shrink,
        fail_fast=fail_fast,
        breaker=breaker,
        lock_timeout=patience_of(lock_timeout, os.environ),
    )
    approval = Approval(
        request.reviewed,
        plan_file=plan_file,
        gateway=opened.desired.site.gateway,
        yes=yes,
        as_json=invocation_of(ctx).as_json,
    )
    return _ended(opened, request, approval, deferred_exit_code=deferred_exit_code, force_sign_in=force_sign_in)


def _ended(
    opened: Environment, request: ApplyRequest, approval: Approval, *, deferred_exit_code: int, force_sign_in: bool
) -> CommandResult:
    """Carry it out, and return what it came to, be it a refusal with something to show."""
    try:
        report = _execute(opened, request, approval, force_sign_in=force_sign_in)
    except PlanDiffersError as error:
        return _differs(opened, error)
    except PlanRefusedError as error:
        return _refused(opened, error)
    return _result(opened, report, deferred_exit_code)


def _check_flags(plan_file: Path | None, options: PlanOptions, *, yes: bool, allow_shrink: bool) -> None:
    if plan_file is not None and options != PlanOptions():
        raise UsageError("--plan has its own selection and options", hint="leave the other flags out, or plan anew")
    if allow_shrink and plan_file is None:
        raise UsageError("--allow-shrink compares with a reviewed plan, and there is none", hint="give --plan FILE")
    if not (yes or plan_file or sys.stdin.isatty()):
        raise UsageError(
            "nobody can be asked here: standard input is no terminal",
            hint="apply a reviewed plan with --plan FILE, or give --yes",
        )


def _within(deadline: float | None, opened: Environment) -> Environment:
    """Return the environment with the flag's deadline in place of its site's, if there is one."""
    if deadline is None:
        return opened
    site = opened.desired.site
    gateway = replace(site.gateway, run_deadline=deadline)
    return replace(opened, desired=replace(opened.desired, site=replace(site, gateway=gateway)))


def _reviewed(plan_file: Path) -> Plan:
    saved = read_saved_plan(read_file(plan_file, what="plan"), name=plan_file.as_posix())
    require_unaltered(saved.plan, name=plan_file.as_posix())
    return saved.plan


def _execute(opened: Environment, request: ApplyRequest, approval: Approval, *, force_sign_in: bool) -> ApplyReport:
    store = open_store(opened)
    if request.options.scope.partial:  # otherwise the state is read once, under the lock
        check_scope(request.options.scope, opened.desired, store.read())
    site = opened.desired.site
    access = open_access(site.gateway, root=opened.root, environ=os.environ)
    sign_in = sign_in_access(site, access, force=force_sign_in)
    source = open_source(site.sessions, root=opened.root, environ=os.environ, sign_in=sign_in)
    with progress_of(lambda: len(approval.plan.changes) if approval.plan else 0) as on_outcome:
        around = Surroundings(
            store=store,
            holder=lock_holder("apply"),
            source=source,
            access=access,
            now=utc_now,
            monotonic=time.monotonic,
            chance=random.random,
            session_keys=lambda agents: session_keys_of(opened, agents),
            approve=approval,
            on_outcome=on_outcome,
            watch_signals=partial(stop_on_signals, last_words=partial(left_behind, source)),
            rescue_directory=Path(),
            tell=tell_waiting,
        )
        return apply(request, around)


def _differs(opened: Environment, error: PlanDiffersError) -> CommandResult:
    difference = error.difference
    text = difference_text(
        settings=difference.settings, gone=difference.gone, come=difference.come, altered=difference.altered
    )
    return CommandResult(
        command="apply",
        exit_code=error.exit_code,
        environment=opened.name,
        site=opened.desired.site.name,
        diagnostics=[*opened.warnings, error_diagnostic(error)],
        notes=["reviewed (-) and planned now (+):", text.rstrip("\n")],
    )


def _refused(opened: Environment, error: PlanRefusedError) -> CommandResult:
    planned = plan_document(error.plan)
    return CommandResult(
        command="apply",
        exit_code=error.exit_code,
        environment=opened.name,
        site=opened.desired.site.name,
        diagnostics=[*opened.warnings, error_diagnostic(error)],
        sections=lambda: {name: planned[name] for name in ("fingerprint", "guardrails")},
    )


def _result(opened: Environment, report: ApplyReport, deferred_exit_code: int) -> CommandResult:
    bug = report.error if not isinstance(report.error, ReconcilerError) else None
    reason = _reason(report)
    deferred = reason is ExitCode.SOME_AGENTS_DEFERRED
    return CommandResult(
        command="apply",
        exit_code=deferred_exit_code if deferred else reason,
        exit_reason=reason.reason,
        text=lambda: outcome_text(report.plan.site, report.outcomes, style=stdout_style()),
        environment=opened.name,
        site=report.plan.site,
        summary=outcome_summary(report.outcomes),
        diagnostics=[*report.warnings, *opened.warnings, *_why(report.error)],
        sections=lambda: {
            "fingerprint": report.plan.fingerprint,
            "base": {"lineage": report.plan.base.lineage, "serial": report.plan.base.serial},
            "saved": {"lineage": report.state.lineage, "serial": report.state.serial},
            "outcomes": outcome_documents(report.outcomes),
        },
        notes=[] if bug is None else [bug_trace(bug)],
    )


def _why(error: BaseException | None) -> list[Diagnostic]:
    if error is None:
        return []
    return [error_diagnostic(error) if isinstance(error, ReconcilerError) else bug_diagnostic(error)]


def _reason(report: ApplyReport) -> ExitCode:
    """Return what the run came to; the worst thing decides."""
    results = {outcome.result for outcome in report.outcomes}
    if report.error is not None:
        return report.error.exit_code if isinstance(report.error, ReconcilerError) else ExitCode.BUG
    if results & {Result.FAILED, Result.IN_DOUBT}:
        return ExitCode.SOME_AGENTS_FAILED
    return ExitCode.SOME_AGENTS_DEFERRED if Result.DEFERRED in results else ExitCode.DONE
