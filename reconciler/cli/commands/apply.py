"""`reconciler apply [ENVIRONMENT]`."""

from __future__ import annotations

import getpass
import os
import random
import socket
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.applying import ApplyReport, ApplyRequest, PlanDiffersError, Surroundings, apply
from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.options import (
    allow_changes_option,
    allow_empty_option,
    environment_argument,
    json_option,
    reassert_options,
    selection_options,
    strict_option,
)
from reconciler.cli.progress import progress_of
from reconciler.cli.result import CommandResult
from reconciler.cli.signals import stop_on_signals
from reconciler.cli.store import open_store, utc_now
from reconciler.cli.streams import stderr_style, stdout_style, write
from reconciler.cli.writing import read_file
from reconciler.errors import ExitCode, ReconcilerError, UsageError
from reconciler.gateway import open_source
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.printable import printable
from reconciler.planning import require_unaltered
from reconciler.report import (
    difference_text,
    outcome_documents,
    outcome_summary,
    outcome_text,
    plan_text,
    read_saved_plan,
)
from reconciler.state import LockHolder


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """What this command alone was told."""

    plan_file: Path | None
    yes: bool
    as_json: bool
    deferred_exit_code: int


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
@click.option("--fail-fast", is_flag=True, help="Stop at the first agent that fails.")
@click.option(
    "--breaker",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Stop when N agents in a row are refused with the same retcode; 0 never stops.",
)
@click.option(
    "--deferred-exit-code",
    type=click.IntRange(0, 255),
    default=int(ExitCode.SOME_AGENTS_DEFERRED),
    show_default=True,
    metavar="CODE",
    help="Exit code when all that is left is agents who are not signed in.",
)
@selection_options
@reassert_options
@allow_changes_option
@strict_option
@allow_empty_option
@json_option
def command(
    environment: Path,
    *,
    plan_file: Path | None,
    allow_shrink: bool,
    yes: bool,
    fail_fast: bool,
    breaker: int,
    deferred_exit_code: int,
    options: PlanOptions,
    allow_changes: int | None,
    strict: bool,
    allow_empty: bool,
    as_json: bool,
) -> CommandResult:
    """Send what differs between ENVIRONMENT and what was last recorded: one call for each changed agent.

    Each call needs the agent's own live session, read just before; an agent without one is deferred, not failed. It
    signs nobody in or out. What the gateway acknowledges is recorded as it comes.

    Exits 0 when all is done, 8 when agents failed or are in doubt, 9 when some are deferred; 5, 6 and 7 when it
    refused before the first call (guardrail, stale plan, lock); 130 when interrupted.
    """
    flags = _Flags(plan_file=plan_file, yes=yes, as_json=as_json, deferred_exit_code=deferred_exit_code)
    _check_flags(flags, options, allow_shrink=allow_shrink)
    opened = open_environment(environment, strict=strict, allow_empty=allow_empty)
    request = ApplyRequest(
        desired=opened.desired,
        options=options,
        reviewed=None if plan_file is None else _reviewed(plan_file),
        allow_changes=allow_changes,
        allow_shrink=allow_shrink,
        fail_fast=fail_fast,
        breaker=breaker,
    )
    return _execute(opened, request, flags)


def _check_flags(flags: _Flags, options: PlanOptions, *, allow_shrink: bool) -> None:
    if flags.plan_file is not None and options != PlanOptions():
        raise UsageError("--plan has its own selection and options", hint="leave the other flags out, or plan anew")
    if allow_shrink and flags.plan_file is None:
        raise UsageError("--allow-shrink compares with a reviewed plan, and there is none", hint="give --plan FILE")
    if not (flags.yes or flags.plan_file or sys.stdin.isatty()):
        raise UsageError(
            "nobody can be asked here: standard input is no terminal",
            hint="apply a reviewed plan with --plan FILE, or give --yes",
        )


def _reviewed(plan_file: Path) -> Plan:
    saved = read_saved_plan(read_file(plan_file, what="plan"), name=plan_file.as_posix())
    require_unaltered(saved.plan, name=plan_file.as_posix())
    return saved.plan


def _execute(opened: Environment, request: ApplyRequest, flags: _Flags) -> CommandResult:
    store = open_store(opened)
    if request.reviewed is None:
        check_scope(request.options.scope, opened.desired, store.read())
    approval = _Approval(flags)
    settings = opened.desired.site
    ca_file = settings.gateway.ca_file
    with progress_of(lambda: len(approval.plan.changes) if approval.plan else 0) as on_outcome:
        around = Surroundings(
            store=store,
            holder=_holder(),
            source=open_source(settings.sessions, root=opened.root, environ=os.environ),
            ca_file=None if ca_file is None else opened.path(ca_file),
            now=utc_now,
            monotonic=time.monotonic,
            chance=random.random,
            approve=approval,
            on_outcome=on_outcome,
            watch_signals=stop_on_signals,
            rescue_directory=Path(),
        )
        try:
            report = apply(request, around)
        except PlanDiffersError as error:
            return _differs(opened, error)
    return _result(opened, report, flags)


class _Approval:
    """Shows the plan, asks if somebody must be asked, and remembers what was shown."""

    def __init__(self, flags: _Flags) -> None:
        self._flags = flags
        self.plan: Plan | None = None

    def __call__(self, plan: Plan) -> bool:
        self.plan = plan
        stream, style = (sys.stderr, stderr_style()) if self._flags.as_json else (sys.stdout, stdout_style())
        if self._flags.plan_file is not None:
            name = printable(self._flags.plan_file.as_posix())
            write(stream, f"as reviewed in {name}: {plan.fingerprint}\n\n")
            return True
        write(stream, plan_text(plan, unchanged=len(plan.unchanged), style=style) + "\n")
        if self._flags.yes:
            return True
        answer = click.prompt("apply this? Only `yes` will do", default="no", err=True, show_default=False)
        return bool(answer == "yes")


def _holder() -> LockHolder:
    return LockHolder(
        id=str(uuid.uuid4()), who=f"{getpass.getuser()}@{socket.gethostname()}", operation="apply", since=utc_now()
    )


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
        diagnostics=[_diagnostic(error)],
        notes=["reviewed (-) and planned now (+):", text.rstrip("\n")],
    )


def _diagnostic(error: ReconcilerError) -> Diagnostic:
    return Diagnostic(severity=Severity.ERROR, code=error.exit_code.reason, summary=str(error), detail=error.hint)


def _result(opened: Environment, report: ApplyReport, flags: _Flags) -> CommandResult:
    if report.error is not None and not isinstance(report.error, ReconcilerError):
        raise report.error  # a bug: the border tells it; outcomes and state are safe
    diagnostics = [*opened.warnings, *([_diagnostic(report.error)] if report.error else [])]
    code = _exit_code(report.outcomes, report.error, flags)
    return CommandResult(
        command="apply",
        exit_code=code,
        exit_reason=_reason(code, report),
        text=outcome_text(report.plan.site, report.outcomes, style=stdout_style()),
        environment=opened.name,
        site=report.plan.site,
        summary=outcome_summary(report.outcomes),
        diagnostics=diagnostics,
        sections={
            "fingerprint": report.plan.fingerprint,
            "base": {"lineage": report.state.lineage, "serial": report.state.serial},
            "outcomes": outcome_documents(report.outcomes),
        },
    )


def _exit_code(outcomes: Sequence[Outcome], error: ReconcilerError | None, flags: _Flags) -> int:
    results = {outcome.result for outcome in outcomes}
    if error is not None:
        return error.exit_code
    if results & {Result.FAILED, Result.IN_DOUBT}:
        return ExitCode.SOME_AGENTS_FAILED
    return flags.deferred_exit_code if Result.DEFERRED in results else ExitCode.DONE


def _reason(code: int, report: ApplyReport) -> str:
    """Return the code in words; `--deferred-exit-code` may have made a number of no meaning of its own out of 9."""
    deferred = report.error is None and any(each.result is Result.DEFERRED for each in report.outcomes)
    if deferred and code not in (ExitCode.SOME_AGENTS_FAILED, ExitCode.SOME_AGENTS_DEFERRED):
        return ExitCode.SOME_AGENTS_DEFERRED.reason
    return ExitCode(code).reason
