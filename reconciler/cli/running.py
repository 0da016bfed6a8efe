"""A run, carried out and told: what `apply` and `rollback` share once each knows what it wants.

Rules of this file: what `applying` needs of the world is put together here, and nowhere else. A bug in a run hides none
of its outcomes.
"""

from __future__ import annotations

import os
import random
import shlex
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from reconciler.applying import ApplyReport, ApplyRequest, PlanRefusedError, Surroundings, apply
from reconciler.cli.approval import Approval
from reconciler.cli.clock import utc_now
from reconciler.cli.environment import Environment
from reconciler.cli.failures import bug_diagnostic, bug_trace, error_diagnostic
from reconciler.cli.locking import lock_holder, tell_waiting
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.progress import progress_of
from reconciler.cli.result import CommandResult
from reconciler.cli.rollback_file import RollbackFile
from reconciler.cli.run_flags import RunFlags
from reconciler.cli.session_keys import session_keys_of
from reconciler.cli.sign_in import left_behind, sign_in_access
from reconciler.cli.signals import stop_on_signals
from reconciler.cli.streams import stdout_style
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.gateway import open_access, open_source
from reconciler.model.agent import AgentId
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.outcome import Result
from reconciler.model.plan import Base, Plan
from reconciler.model.printable import printable
from reconciler.report import OutcomeReport, ProblemReport, outcome_text
from reconciler.state import StateStore


def carry_out(
    opened: Environment, request: ApplyRequest, store: StateStore, *, approval: Approval, flags: RunFlags
) -> tuple[ApplyReport, RollbackFile]:
    """Carry out `request`, and return what it came to and where the way back is.

    Raises:
        ReconcilerError: it was refused, or failed, before the first call; see `applying.apply`.
    """
    site = opened.desired.site
    access = open_access(site.gateway, root=opened.root, environ=os.environ)
    sign_in = sign_in_access(site, access, force=flags.force_sign_in)
    source = open_source(site.sessions, root=opened.root, environ=os.environ, sign_in=sign_in)
    way_back = RollbackFile(flags.rollback_out, opened=opened)
    with progress_of() as progress, ExitStack() as planning:
        planning.enter_context(meanwhile("planning"))  # until there is something to say, or to ask

        def tell(text: str) -> None:
            planning.close()
            tell_waiting(text)

        def approve(plan: Plan) -> bool:
            planning.close()
            approved = approval(plan)
            if approved:
                progress.begin(len(plan.changes))
            return approved

        around = Surroundings(
            store=store,
            holder=lock_holder(request.command),
            source=source,
            access=access,
            now=utc_now,
            monotonic=time.monotonic,
            chance=random.random,
            session_keys=lambda agents: session_keys_of(opened, agents),
            approve=approve,
            on_outcome=progress.advance,
            watch_signals=partial(stop_on_signals, store=store, last_words=partial(left_behind, source)),
            rescue_directory=Path(),
            tell=tell,
            way_back=way_back,
        )
        return apply(request, around), way_back


def refused_result(opened: Environment, error: PlanRefusedError, *, command: str) -> CommandResult:
    """Return the result of a run that a guardrail refused."""
    plan = error.plan
    return CommandResult(
        command=command,
        exit_code=error.exit_code,
        environment=opened.name,
        site=opened.desired.site.name,
        report=lambda envelope: ProblemReport(envelope=envelope, fingerprint=plan.fingerprint, findings=plan.findings),
        diagnostics=[*opened.warnings, error_diagnostic(error)],
    )


def run_result(
    opened: Environment,
    report: ApplyReport,
    way_back: RollbackFile,
    *,
    command: str,
    deferred_exit_code: int,
    diagnostics: tuple[Diagnostic, ...] = (),
    still_desired: tuple[AgentId, ...] | None = None,
) -> CommandResult:
    """Return the result of a run that was begun.

    Args:
        opened: the environment.
        report: what the run came to.
        way_back: where it is kept.
        command: the command that ran.
        deferred_exit_code: the exit code when all that is left is agents who were not there.
        diagnostics: what else is to be told.
        still_desired: of a rollback, for whom the YAML still asks for something else.
    """
    bug = report.error if not isinstance(report.error, ReconcilerError) else None
    reason = _reason(report)
    deferred = reason is ExitCode.SOME_AGENTS_DEFERRED
    file = None if way_back.path is None else way_back.path.as_posix()
    return CommandResult(
        command=command,
        exit_code=deferred_exit_code if deferred else reason,
        exit_reason=reason.reason,
        text=lambda: outcome_text(report.plan.site, report.outcomes, style=stdout_style()),
        environment=opened.name,
        site=report.plan.site,
        report=lambda envelope: OutcomeReport(
            envelope=envelope,
            outcomes=report.outcomes,
            fingerprint=report.plan.fingerprint,
            base=report.plan.base,
            saved=Base(lineage=report.state.lineage, serial=report.state.serial),
            rollback_file=file,
            going_back=report.plan.going_back,
            still_desired=still_desired,
        ),
        diagnostics=[*report.warnings, *opened.warnings, *diagnostics, *_why(report.error)],
        notes=[*_way_back_notes(file, opened, report), *([] if bug is None else [bug_trace(bug)])],
    )


def _way_back_notes(file: str | None, opened: Environment, report: ApplyReport) -> list[str]:
    """Return how to go back, where there is anything to go back to."""
    if file is None or all(change.before is None for change in report.inverse.changes):
        return []
    command = shlex.join(["reconciler", "rollback", file, opened.name])
    return [f"the way back: {printable(command)}"]


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
