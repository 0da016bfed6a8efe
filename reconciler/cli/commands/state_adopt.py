"""`reconciler state adopt [ENVIRONMENT]`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.by_hand import locked_store, saved_text
from reconciler.cli.clock import utc_now
from reconciler.cli.confirmation import (
    allow_protected_option,
    confirm,
    require_somebody_to_ask,
    require_unprotected,
    yes_option,
)
from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.locking import lock_timeout_option
from reconciler.cli.options import environment_argument, json_option, selection_options, strict_option
from reconciler.cli.result import CommandResult
from reconciler.cli.store import read_state
from reconciler.errors import UsageError
from reconciler.model.by_hand import Adoption
from reconciler.model.plan import Scope
from reconciler.model.state import State
from reconciler.planning import adoption
from reconciler.report import adoption_summary, adoption_text, counted, record_documents
from reconciler.state import StateStore


@click.command("adopt", short_help="Record desired values as acknowledged, on your word; nothing is sent.")
@environment_argument
@selection_options
@click.option("--all", "everybody", is_flag=True, help="Everybody who is desired, instead of a selection.")
@click.option("--replace", is_flag=True, help="Also who has a record that says something else.")
@yes_option
@allow_protected_option
@strict_option
@lock_timeout_option
@json_option
@click.pass_context
def adopt_command(
    ctx: click.Context,
    environment: Path,
    *,
    scope: Scope,
    everybody: bool,
    replace: bool,
    yes: bool,
    allow_protected: bool,
    strict: bool,
    lock_timeout: float | None,
) -> CommandResult:
    """Record what is desired of the selected agents of ENVIRONMENT as acknowledged, on your word. Nothing is sent.

    For a site that is taken over and known to have these values already. Agents with a record are left out unless
    --replace is given.

    Exits 3 when nobody is selected, 5 when records of protected agents are to be replaced, 7 when another run holds
    the lock.
    """
    if everybody is scope.partial:
        raise UsageError(
            "whose desired values are to be recorded?", hint="give --all, or else name them with --agent or --team"
        )
    require_somebody_to_ask(yes=yes)
    opened = open_environment(environment, strict=strict)
    with locked_store(opened, "state adopt", lock_timeout=lock_timeout) as store:
        state = read_state(store)
        check_scope(scope, opened.desired, state)
        adopted = adoption(opened.desired, state, scope, at=utc_now(), replace=replace)
        require_unprotected(adopted.protected, allowed=allow_protected)
        if adopted.records or adopted.waiting:
            confirm(ctx, lambda style: adoption_text(adopted, style=style), "record this, on your word?", yes=yes)
        saved = store.write(adopted.result)
    return _result(opened, store, adopted, saved)


def _result(opened: Environment, store: StateStore, adopted: Adoption, saved: State) -> CommandResult:
    return CommandResult(
        command="state adopt",
        text=lambda: saved_text(store, saved, opened) if adopted.records or adopted.waiting else _nobody(adopted),
        environment=opened.name,
        site=saved.site,
        summary=adoption_summary(adopted, saved),
        diagnostics=[*opened.warnings, *store.warnings],
        sections=lambda: {
            "backup": store.backed_up,
            "agents": record_documents(adopted.records),
            "recorded": [str(agent) for agent in adopted.recorded],
        },
    )


def _nobody(adopted: Adoption) -> str:
    rest = [
        *([f"{counted(len(adopted.same), 'agent')} recorded just so"] if adopted.same else []),
        *([f"{counted(len(adopted.recorded), 'agent')} recorded otherwise (--replace)"] if adopted.recorded else []),
    ]
    return f"Nothing to adopt: {', '.join(rest) or 'nobody selected is desired'}.\n"
