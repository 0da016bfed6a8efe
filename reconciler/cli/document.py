"""The JSON document of a command: the same envelope for all of them, also for those that failed.

Rule of this file: what a report tells is told by `report`; only commands without one have their sections put here.
"""

from __future__ import annotations

from reconciler import __version__
from reconciler.cli.result import CommandResult
from reconciler.errors import ExitCode
from reconciler.report import Envelope, ProblemReport, Reported


def envelope_of(result: CommandResult) -> Envelope:
    """Return what every report of `result` has."""
    return Envelope(
        command=result.command,
        environment=result.environment,
        site=result.site,
        exit_code=int(result.exit_code),
        exit_reason=_reason(result),
        diagnostics=tuple(result.diagnostics),
        tool_version=__version__,
    )


def reported(result: CommandResult) -> Reported:
    """Return what the reports of `result` are about; of a command that failed, its problems."""
    envelope = envelope_of(result)
    return ProblemReport(envelope=envelope) if result.report is None else result.report(envelope)


def result_document(result: CommandResult) -> dict[str, object]:
    """Return the JSON document of `result`."""
    # Imported here: a result that is told as text needs no documents.
    from reconciler.report import FORMAT_VERSION, diagnostic_documents, report_document  # noqa: PLC0415

    if result.report is not None:
        return report_document(reported(result))
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "command": result.command,
        "environment": result.environment,
        "site": result.site,
        "exit_code": int(result.exit_code),
        "exit_reason": _reason(result),
        "summary": dict(result.summary),
        "diagnostics": diagnostic_documents(result.diagnostics),
        **result.sections(),
    }


def _reason(result: CommandResult) -> str:
    return result.exit_reason or ExitCode(result.exit_code).reason
