"""Reports as files, written when the command has ended and before its result is.

Rules of this file: whatever happens while reports are written, the result of the command is not lost. A report that
cannot be written is told like any error, and decides the exit code only where the run itself was fine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from reconciler.cli.document import reported
from reconciler.cli.failures import bug_diagnostic, bug_trace, error_diagnostic
from reconciler.cli.github_job import leave_in_job
from reconciler.cli.invocation import ReportFile, Reports
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.result import CommandResult
from reconciler.cli.writing import write_file
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report import (
    Format,
    OutcomeReport,
    PlanReport,
    Reported,
    Repository,
    Style,
    diagnostics_text,
    render_pieces,
)
from reconciler.values import Struct, field, replace

_FINE = frozenset({ExitCode.DONE, ExitCode.CHANGES_PRESENT})
_TOPS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Where GitHub, and GitLab, have checked the repository out."""


class _Troubles(Struct):
    """What went wrong while reports were written."""

    code: ExitCode = ExitCode.DONE
    """Of the first trouble."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)

    def attempt(self, work: Callable[[], object]) -> None:
        """Do `work`, and note it where that fails."""
        try:
            work()
        except ReconcilerError as error:
            self._note(error.exit_code, error_diagnostic(error))
        except KeyboardInterrupt:
            words = "interrupted while reports were written; not all of them are"
            reason = ExitCode.INTERRUPTED.reason
            self._note(ExitCode.INTERRUPTED, Diagnostic(severity=Severity.ERROR, code=reason, summary=words))
        except Exception as error:  # noqa: BLE001 - a bug in a format must not hide what a run has done
            self._note(ExitCode.BUG, bug_diagnostic(error))
            self.traces.append(bug_trace(error))

    def _note(self, code: ExitCode, diagnostic: Diagnostic) -> None:
        self.code = self.code or code
        self.diagnostics.append(diagnostic)


def write_reports(result: CommandResult, reports: Reports) -> tuple[CommandResult, str | None]:
    """Write everything that was asked for.

    Returns:
        The result, which tells what could not be written; and what stdout carries in place of the text, if anything.
    """
    troubles, repository = _Troubles(), repository_of(os.environ)
    report = reported(result)
    stdout: list[str] = []

    def write_one(file: ReportFile) -> None:
        pieces = render_pieces(report, file.format_, repository=repository, max_chars=reports.max_chars)
        if file.path is None:
            stdout.append("".join(pieces))
        else:
            write_file(file.path, pieces)

    with meanwhile("writing", "reports") as work:
        for done, file in enumerate(reports.files):
            work.tell(done, len(reports.files))
            troubles.attempt(partial(write_one, file))
    job = reports.github
    if job is not None:
        places = _places(report, reports)
        troubles.attempt(partial(leave_in_job, report, job, repository=repository, places=places))
    return _with(result, troubles), stdout[0] if stdout else None


def repository_of(environ: Mapping[str, str]) -> Repository:
    """Return where a CI host has checked the repository out, if this is inside it; else where the command runs."""
    try:
        here = os.path.realpath(os.curdir)
    except OSError:  # the directory is gone, and so is whatever is named from it
        here = "/"
    tops = [os.path.realpath(environ[name]) for name in _TOPS if environ.get(name)]
    return Repository(top=next((top for top in tops if f"{here}/".startswith(f"{top}/")), here), here=here)


def _places(report: Reported, reports: Reports) -> dict[str, str]:
    """Return the files of this command that the steps after it can take up."""
    if isinstance(report, PlanReport) and reports.plan_file is not None:
        return {"plan": reports.plan_file.as_posix()}
    files = [each.path for each in reports.files if each.format_ is Format.JSON and each.path is not None]
    return {"outcome": files[0].as_posix()} if isinstance(report, OutcomeReport) and files else {}


def _with(result: CommandResult, troubles: _Troubles) -> CommandResult:
    if not troubles.diagnostics:
        return result
    unseen = diagnostics_text(troubles.diagnostics, style=Style(color=False)).splitlines()
    told = replace(
        result,
        diagnostics=[*result.diagnostics, *troubles.diagnostics],
        notes=[*result.notes, *(unseen if result.diagnostics_in_text else []), *troubles.traces],
    )
    return replace(told, exit_code=troubles.code, exit_reason="") if result.exit_code in _FINE else told
