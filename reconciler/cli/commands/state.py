"""`reconciler state list|show [ENVIRONMENT]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from reconciler.cli.environment import check_scope, open_environment
from reconciler.cli.options import environment_argument, json_option, selection_options
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store
from reconciler.cli.streams import stdout_style
from reconciler.model.agent import AgentId
from reconciler.model.plan import Scope
from reconciler.model.state import AgentRecord, State
from reconciler.planning import in_scope
from reconciler.report import record_documents, state_list_text, state_show_text, state_summary


@click.group
def command() -> None:
    """Look at what is recorded: what the gateway last acknowledged. It is not the live value, which nobody can read."""


@command.command("list")
@environment_argument
@selection_options
@json_option
def list_command(environment: Path, *, scope: Scope) -> CommandResult:
    """List the recorded agents of ENVIRONMENT, one a line."""
    return _look("state list", environment, scope, state_list_text)


@command.command("show")
@environment_argument
@selection_options
@json_option
def show_command(environment: Path, *, scope: Scope) -> CommandResult:
    """Show the records of ENVIRONMENT field by field; choose agents with --agent."""
    return _look("state show", environment, scope, state_show_text)


def _look(name: str, environment: Path, scope: Scope, render: Callable[..., str]) -> CommandResult:
    opened = open_environment(environment, allow_empty=True)
    state = open_store(opened).read()
    check_scope(scope, opened.desired, state)
    records = _selected(state, scope)
    return CommandResult(
        command=name,
        text=lambda: render(state, records, style=stdout_style()),
        environment=opened.name,
        site=state.site,
        summary=state_summary(state, records),
        sections=lambda: {"agents": record_documents(records)},
    )


def _selected(state: State, scope: Scope) -> Mapping[AgentId, AgentRecord]:
    return {agent: record for agent, record in state.agents.items() if in_scope(scope, agent, None, record)}
