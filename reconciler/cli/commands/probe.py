"""`reconciler probe [ENVIRONMENT] --agent ID`."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from reconciler.cli.clock import utc_now
from reconciler.cli.environment import Environment, open_environment
from reconciler.cli.failures import bug_diagnostic, bug_trace, error_diagnostic
from reconciler.cli.invocation import invocation_of
from reconciler.cli.locking import lock_holder, lock_timeout_option, patience_of, tell_waiting
from reconciler.cli.looking import look_at_the_agent
from reconciler.cli.options import allow_empty_option, environment_argument, json_option, strict_option
from reconciler.cli.probe_signals import restore_on_signals
from reconciler.cli.result import CommandResult
from reconciler.cli.sign_in import left_behind, sign_in_access
from reconciler.cli.store import open_store
from reconciler.cli.streams import stderr_style, stdout_style, write
from reconciler.cli.warnings import warn_first
from reconciler.errors import ExitCode, ReconcilerError, UsageError
from reconciler.gateway import HandshakeMaker, open_access, open_source
from reconciler.model.agent import AgentId, parse_agent_id
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.probe import ProbeEnd, ProbeOutcome, ProbeScript, Restoration
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.probing import ProbeReport, ProbeRequest, Surroundings, probe, write_script
from reconciler.report import probe_document, probe_script_document, probe_script_text, probe_summary, probe_text

INTERVAL = 1.0
"""Seconds between the starts of two calls; whatever the site allows, a probe is in no hurry."""
_PAUSE = 300.0
"""Seconds a channel stays left out while somebody looks."""

_CODES = {
    ProbeEnd.COMPLETE: ExitCode.DONE,
    ProbeEnd.UNTRUSTED: ExitCode.SOME_AGENTS_FAILED,
    ProbeEnd.UNREACHABLE: ExitCode.SOME_AGENTS_FAILED,
    ProbeEnd.NOT_SIGNED_IN: ExitCode.SOME_AGENTS_DEFERRED,
    ProbeEnd.SESSION_REFUSED: ExitCode.SESSION_SOURCE_FAILED,
    ProbeEnd.REFUSED: ExitCode.SOME_AGENTS_FAILED,
    ProbeEnd.FAILED: ExitCode.SOME_AGENTS_FAILED,
    ProbeEnd.UNANSWERED: ExitCode.SOME_AGENTS_FAILED,
    ProbeEnd.STOPPED: ExitCode.INTERRUPTED,
}


class AgentType(click.ParamType[AgentId]):
    """`1001`, and no range."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AgentId:
        """Parse, or refuse with the sentence of the parser."""
        try:
            return parse_agent_id(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command
@environment_argument
@click.option("--agent", type=AgentType(), required=True, help="The one agent to try with, signed in now.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and connect to nobody.")
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@click.option(
    "--pause", is_flag=True, help="Leave a channel out, for up to 5 minutes, while you look at the agent's desktop."
)
@click.option("--allow-protected", is_flag=True, help="Try with this agent although it is protected.")
@lock_timeout_option
@strict_option
@allow_empty_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    environment: Path,
    *,
    agent: AgentId,
    dry_run: bool,
    yes: bool,
    pause: bool,
    allow_protected: bool,
    lock_timeout: float | None,
    strict: bool,
    allow_empty: bool,
) -> CommandResult:
    """Find out with a few calls for one agent how the gateway of ENVIRONMENT behaves where its documentation is silent.

    Its certificate and what would make it trusted; which spelling of callNums it reads; with --pause, what becomes of a
    channel that a call leaves out; cookies and latency. What may be sent is printed first, and asked about. The agent
    begins and ends with its recorded numbers; each finding is graded by its evidence.

    Exits 0 when the experiment ran to its end, whatever it found; 9 when the agent is not signed in, 4 when its session
    is refused, 8 when the gateway is not trusted, a call fails or the agent is left in doubt; 5 for a protected agent.
    """
    _check_flags(dry_run=dry_run, yes=yes, pause=pause)
    opened = open_environment(environment, strict=strict, allow_empty=allow_empty)
    warn_first(opened.warnings)
    request = ProbeRequest(
        agent=agent,
        desired=opened.desired,
        allow_protected=allow_protected,
        pause=_PAUSE if pause else None,
        interval=INTERVAL,
        signs_in=isinstance(opened.desired.site.sessions, SignInSessions),
        lock_timeout=patience_of(lock_timeout, os.environ),
    )
    as_json = invocation_of(ctx).as_json
    if dry_run:
        return _told(opened, write_script(request, open_store(opened).read())[1])
    return _result(opened, _execute(opened, request, yes=yes, as_json=as_json))


def _check_flags(*, dry_run: bool, yes: bool, pause: bool) -> None:
    if dry_run:
        return
    if pause and not sys.stdin.isatty():
        raise UsageError(
            "--pause asks what is seen, and standard input is no terminal", hint="leave it out, or use a terminal"
        )
    if not (yes or sys.stdin.isatty()):
        raise UsageError(
            "nobody can be asked here: standard input is no terminal",
            hint="see with --dry-run what would be sent, then give --yes",
        )


def _execute(opened: Environment, request: ProbeRequest, *, yes: bool, as_json: bool) -> ProbeReport:
    site = opened.desired.site
    access = open_access(site.gateway, root=opened.root, environ=os.environ)
    sign_in = sign_in_access(site, access, force=False)
    source = open_source(site.sessions, root=opened.root, environ=os.environ, sign_in=sign_in)
    store = open_store(opened)
    around = Surroundings(
        store=store,
        holder=lock_holder("probe"),
        source=source,
        handshakes=HandshakeMaker(site.gateway, root=opened.root, environ=os.environ),
        access=access,
        now=utc_now,
        monotonic=time.monotonic,
        approve=partial(_approve, yes=yes, as_json=as_json),
        look=look_at_the_agent,
        watch_signals=partial(restore_on_signals, hurry=store.hurry, last_words=partial(left_behind, source)),
        rescue_directory=Path(),
        tell=tell_waiting,
    )
    return probe(request, around)


def _approve(script: ProbeScript, *, yes: bool, as_json: bool) -> bool:
    stream, style = (sys.stderr, stderr_style()) if as_json else (sys.stdout, stdout_style())
    write(stream, probe_script_text(script, style=style) + "\n")
    if yes:
        return True
    answer = click.prompt("send this? Only `yes` will do", default="no", err=True, show_default=False)
    return bool(answer == "yes")


def _told(opened: Environment, script: ProbeScript) -> CommandResult:
    return CommandResult(
        command="probe",
        text=lambda: probe_script_text(script, style=stdout_style()),
        environment=opened.name,
        site=script.site,
        diagnostics=opened.warnings,
        sections=lambda: {"script": probe_script_document(script)},
    )


def _result(opened: Environment, report: ProbeReport) -> CommandResult:
    bug = report.error if not isinstance(report.error, ReconcilerError) else None
    code = _code(report)
    return CommandResult(
        command="probe",
        exit_code=code,
        text=lambda: probe_text(report.outcome, style=stdout_style()),
        environment=opened.name,
        site=report.script.site,
        summary=probe_summary(report.outcome),
        diagnostics=[*opened.warnings, *report.warnings, *_why(report, code)],
        sections=lambda: {"script": probe_script_document(report.script), **probe_document(report.outcome)},
        notes=[] if bug is None else [bug_trace(bug)],
    )


def _code(report: ProbeReport) -> ExitCode:
    if report.error is not None:
        return report.error.exit_code if isinstance(report.error, ReconcilerError) else ExitCode.BUG
    code = _CODES[report.outcome.end]
    in_doubt = report.outcome.restoration is Restoration.IN_DOUBT
    return ExitCode.SOME_AGENTS_FAILED if in_doubt and code in (ExitCode.DONE, ExitCode.SOME_AGENTS_DEFERRED) else code


def _why(report: ProbeReport, code: ExitCode) -> list[Diagnostic]:
    if report.error is not None:
        error = report.error
        return [error_diagnostic(error) if isinstance(error, ReconcilerError) else bug_diagnostic(error)]
    outcome = report.outcome
    if code is ExitCode.DONE:
        return []
    summary = f"agent {outcome.agent}: {_reason(outcome)}"
    return [Diagnostic(severity=Severity.ERROR, code=code.reason, summary=summary, detail=outcome.detail)]


def _reason(outcome: ProbeOutcome) -> str:
    if outcome.end is ProbeEnd.COMPLETE:
        return "its own numbers were not acknowledged again"
    return f"{outcome.end}; {outcome.restoration}"
