"""The JSON document of a command: the same envelope for all of them, also for those that failed."""

from __future__ import annotations

from reconciler import __version__
from reconciler.cli.result import CommandResult
from reconciler.errors import ExitCode
from reconciler.report import FORMAT_VERSION, diagnostic_documents


def result_document(result: CommandResult) -> dict[str, object]:
    """Return the document of DESIGN §6 for `result`."""
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "command": result.command,
        "environment": result.environment,
        "site": result.site,
        "exit_code": int(result.exit_code),
        "exit_reason": result.exit_reason or ExitCode(result.exit_code).reason,
        "summary": dict(result.summary),
        "diagnostics": diagnostic_documents(result.diagnostics),
        **result.sections(),
    }
