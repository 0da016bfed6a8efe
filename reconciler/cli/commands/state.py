"""`reconciler state list|show [ENVIRONMENT]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from reconciler.cli.clock import utc_now
from reconciler.cli.commands.state_adopt import adopt_command
from reconciler.cli.commands.state_history import history_command
from reconciler.cli.commands.state_moving import mv_site_command
from reconciler.cli.commands.state_rm import rm_command
from reconciler.cli.commands.state_transfer import pull_command, push_command, unlock_command
from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.group import NamingGroup
from reconciler.cli.options import InstantType, SpanType, environment_argument, json_option, selection_options
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store, read_state
from reconciler.cli.streams import stdout_style
from reconciler.errors import UsageError
from reconciler.model.agent import AgentId
from reconciler.model.plan import Scope
from reconciler.model.state import AgentRecord, Pending, State
from reconciler.planning import in_scope, older_than
from reconciler.report import (
    pending_documents,
    pending_summary,
    pending_text,
    record_documents,
    state_list_text,
    state_show_text,
    state_summary,
    waiting_agents,
)
from reconciler.values import Struct


@click.group(cls=NamingGroup)
def command() -> None:
    """Look at what is recorded: what the gateway last acknowledged. It is not the live value, which nobody can read."""


for _each in (
    rm_command,
    adopt_command,
    mv_site_command,
    pull_command,
    push_command,
    unlock_command,
    history_command,
):
    command.add_command(_each)


@command.command("list", short_help="List records, one a line, or with --pending who waits.")
@environment_argument
@selection_options
@click.option("--pending", is_flag=True, help="List whose change waits for them to sign in, the longest wait first.")
@click.option("--older-than", type=SpanType(), help="With --pending: only who has waited longer than this: 8h, 2d.")
@click.option("--at", type=InstantType(), help="With --older-than: the time to count back from; now, unless given.")
@json_option
def list_command(
    environment: Path, *, scope: Scope, pending: bool, older_than: float | None, at: str | None
) -> CommandResult:
    """List the recorded agents of ENVIRONMENT, one a line.

    With --pending: the agents whose change waits because they were not signed in, recorded before or not.
    """
    if older_than is not None and not pending:
        raise UsageError("--older-than is about how long somebody waits", hint="give it with --pending")
    if at is not None and older_than is None:
        raise UsageError("--at is the time that --older-than counts back from; give both")
    selection = _select(environment, scope)
    if not pending:
        return _look("state list", selection, state_list_text)
    return _waiting(selection, older_than, at or utc_now())


@command.command("show", short_help="Show records field by field, and who waits.")
@environment_argument
@selection_options
@json_option
def show_command(environment: Path, *, scope: Scope) -> CommandResult:
    """Show the records of ENVIRONMENT field by field, and who waits; choose agents with --agent."""
    return _look("state show", _select(environment, scope), state_show_text)


class _Selection(Struct, frozen=True, kw_only=True):
    """The part of a state that was asked for."""

    opened: Environment
    state: State
    records: Mapping[AgentId, AgentRecord]
    waiting: Mapping[AgentId, Pending]


def _select(environment: Path, scope: Scope) -> _Selection:
    opened = open_environment(environment, allow_empty=True)
    state, wanted = read_state(open_store(opened)), opened.desired.agents
    check_scope(scope, opened.desired, state)
    return _Selection(
        opened=opened,
        state=state,
        records={agent: record for agent, record in state.agents.items() if in_scope(scope, agent, None, record)},
        waiting={
            agent: pending
            for agent, pending in state.pending.items()
            if in_scope(scope, agent, wanted.get(agent), state.agents.get(agent))
        },
    )


def _look(name: str, chosen: _Selection, render: Callable[..., str]) -> CommandResult:
    return CommandResult(
        command=name,
        text=lambda: render(chosen.state, chosen.records, chosen.waiting, style=stdout_style()),
        environment=chosen.opened.name,
        site=chosen.state.site,
        summary=state_summary(chosen.state, chosen.records, chosen.waiting),
        sections=lambda: {
            "agents": record_documents(chosen.records),
            "pending": pending_documents(waiting_agents(chosen.waiting, _teams(chosen)), _meaning(chosen.opened)),
        },
    )


def _waiting(chosen: _Selection, seconds: float | None, at: str) -> CommandResult:
    pending = chosen.waiting
    if seconds is not None:
        pending = {agent: each for agent, each in pending.items() if older_than(each.first_deferred_at, seconds, at=at)}
    listed, meaning = waiting_agents(pending, _teams(chosen)), _meaning(chosen.opened)
    return CommandResult(
        command="state list",
        text=lambda: pending_text(chosen.state, listed, meaning=meaning, style=stdout_style()),
        environment=chosen.opened.name,
        site=chosen.state.site,
        summary=pending_summary(chosen.state, listed),
        sections=lambda: {"pending": pending_documents(listed, meaning)},
    )


def _teams(chosen: _Selection) -> dict[AgentId, str | None]:
    """Return the team of everybody: the one desired now, else the recorded one."""
    sides = (chosen.state.agents, chosen.opened.desired.agents)
    return {agent: each.team for agents in sides for agent, each in agents.items()}


def _meaning(opened: Environment) -> Callable[[str | None], str]:
    """Return what says a retcode in words. The table is loaded when it is first asked for something."""

    def meaning(retcode: str | None) -> str:
        if retcode is None:
            return "no session of this agent was known"
        # Imported here: the table's room holds the client too, and a plain list has no use for either.
        from reconciler.gateway import lookup, with_overrides  # noqa: PLC0415

        return lookup(retcode, with_overrides(opened.desired.site.retcodes)).meaning

    return meaning
