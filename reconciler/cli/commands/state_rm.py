"""`reconciler state rm [ENVIRONMENT]`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.by_hand import locked_store, saved_text
from reconciler.cli.confirmation import (
    allow_protected_option,
    confirm,
    require_somebody_to_ask,
    require_unprotected,
    yes_option,
)
from reconciler.cli.environment import check_scope, open_environment
from reconciler.cli.locking import lock_timeout_option
from reconciler.cli.options import environment_argument, json_option, selection_options
from reconciler.cli.result import CommandResult
from reconciler.cli.store import read_state
from reconciler.errors import UsageError
from reconciler.model.plan import Scope
from reconciler.planning import removal
from reconciler.report import record_documents, removal_summary, removal_text


@click.command("rm", short_help="Drop records; nothing is sent.")
@environment_argument
@selection_options
@yes_option
@allow_protected_option
@lock_timeout_option
@json_option
@click.pass_context
def rm_command(
    ctx: click.Context,
    environment: Path,
    *,
    scope: Scope,
    yes: bool,
    allow_protected: bool,
    lock_timeout: float | None,
) -> CommandResult:
    """Drop what is recorded of the selected agents of ENVIRONMENT, and their waits. Nothing is sent.

    The gateway keeps what it has. Who is desired still, the next plan shows as new; who is not, no plan will name.

    Exits 3 when nobody is selected, 5 when some are protected, 7 when another run holds the lock.
    """
    if not scope.partial:
        raise UsageError("whose records are to be dropped?", hint="name them with --agent or --team")
    require_somebody_to_ask(yes=yes)
    opened = open_environment(environment, allow_empty=True)
    with locked_store(opened, "state rm", lock_timeout=lock_timeout) as store:
        state = read_state(store)
        check_scope(scope, opened.desired, state)
        dropped = removal(opened.desired, state, scope)
        if not dropped.records and not dropped.waiting:
            raise UsageError("nothing is recorded of those selected", hint="look with `reconciler state list`")
        require_unprotected(dropped.protected, allowed=allow_protected)
        confirm(ctx, lambda style: removal_text(dropped, style=style), "drop these records?", yes=yes)
        saved = store.write(dropped.result)
    return CommandResult(
        command="state rm",
        text=lambda: saved_text(store, saved, opened),
        environment=opened.name,
        site=saved.site,
        summary=removal_summary(dropped, saved),
        diagnostics=store.warnings,
        sections=lambda: {
            "backup": store.backed_up,
            "agents": record_documents(dropped.records),
            "desired": [str(agent) for agent in sorted(dropped.desired)],
        },
    )
