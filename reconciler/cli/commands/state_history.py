"""`reconciler state history [ENVIRONMENT] [AGENTS]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.environment import Environment, check_scope, open_environment
from reconciler.cli.failures import error_diagnostic
from reconciler.cli.invocation import invocation_of
from reconciler.cli.options import json_option, selection_options
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store, read_state
from reconciler.cli.streams import stdout_style
from reconciler.errors import ReconcilerError, StateError
from reconciler.model.agent import AgentId, AgentRange, parse_agent_ranges
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.past import PastRun
from reconciler.model.plan import Scope
from reconciler.model.state import AgentRecord, State, empty_state
from reconciler.planning import in_scope
from reconciler.report import history_documents, history_summary, history_text
from reconciler.state import StateStore
from reconciler.values import replace

_DEFAULT = "desired"
_MOST = 2


@click.command("history", short_help="Tell which run did what to which agent, the newest first.")
@click.argument("words", nargs=-1, metavar="[ENVIRONMENT] [AGENTS]")
@selection_options
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the newest N of the runs to be listed.")
@json_option
@click.pass_context
def history_command(ctx: click.Context, words: tuple[str, ...], *, scope: Scope, last: int | None) -> CommandResult:
    """Tell which run did what to which agent, the newest run first: command, who, when, outcome, retcode.

    AGENTS are written as for --agent: 1001,1003-1050. It tells of the runs on this machine: each one's journal is kept
    beside the state when it is over, up to a number. Runs that were cut short and state commands are told too; a state
    that is kept elsewhere may have a history of its own there, such as the commits of its Git ref.

    Exits 0 also when some of it cannot be read: that is left out with a warning.
    """
    root, agents = _environment_and_agents(words)
    invocation_of(ctx).environment = root.as_posix()
    scope = replace(scope, agents=tuple(sorted({*scope.agents, *agents})))
    opened = open_environment(root, allow_empty=True)
    store = open_store(opened)
    runs, flaws = store.history()
    warnings = [_left_out(flaw) for flaw in flaws]
    listed = tuple(reversed(runs))
    if scope.partial:
        state = _everybody(runs, _recorded(store, opened, warnings))
        check_scope(_beyond(scope, runs), opened.desired, state)
        listed = _selected(listed, scope, opened, state)
    listed = listed[:last]
    site = opened.desired.site.name
    return CommandResult(
        command="state history",
        text=lambda: history_text(site, listed, kept=len(runs), style=stdout_style()),
        environment=opened.name,
        site=site,
        summary=history_summary(listed, kept=len(runs), unread=len(flaws)),
        diagnostics=warnings,
        sections=lambda: {"runs": history_documents(listed)},
    )


def _environment_and_agents(words: Sequence[str]) -> tuple[Path, tuple[AgentRange, ...]]:
    """Return what the words name. A single one is an environment if it can be; else it names agents."""
    if len(words) > _MOST:
        raise click.UsageError(f"one environment and one list of agents at most, and here are {len(words)} words")
    if len(words) == _MOST:
        try:
            return Path(words[0]), parse_agent_ranges(words[1])
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    word = words[0] if words else _DEFAULT
    if not _is_there(Path(word)):
        try:
            return Path(_DEFAULT), parse_agent_ranges(word)
        except ValueError:
            pass  # no list of agents either: as an environment it is refused in words
    return Path(word), ()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a list of agents may be longer than any name can be
        return False


def _recorded(store: StateStore, opened: Environment, warnings: list[Diagnostic]) -> State:
    """Return what is recorded; the history can be told without it, and is needed most when the state is damaged."""
    try:
        return read_state(store)
    except StateError as error:
        warnings.append(_left_out(error))
        return empty_state(opened.desired.site.name)


def _everybody(runs: Sequence[PastRun], state: State) -> State:
    """Return the state with the last known record of everybody the history tells of and it does not."""
    known: dict[AgentId, AgentRecord] = {}
    for run in runs:
        known.update({event.agent: event.record for event in run.events if event.record is not None})
    return state.with_agents({**known, **state.agents})


def _beyond(scope: Scope, runs: Sequence[PastRun]) -> Scope:
    """Return the selection without the ranges that the history tells of: those need not be desired or recorded."""
    told = {event.agent for run in runs for event in run.events}

    def unknown(spans: Sequence[AgentRange]) -> tuple[AgentRange, ...]:
        return tuple(span for span in spans if not any(agent in span for agent in told))

    return replace(scope, agents=unknown(scope.agents), excluded=unknown(scope.excluded))


def _selected(runs: Sequence[PastRun], scope: Scope, opened: Environment, state: State) -> tuple[PastRun, ...]:
    """Return what the runs did to those in scope; a run that did nothing to them is left out."""
    wanted = opened.desired.agents

    def chosen(agent: AgentId) -> bool:
        return in_scope(scope, agent, wanted.get(agent), state.agents.get(agent))

    return tuple(run for run in (each.only(chosen) for each in runs) if run.events)


def _left_out(error: ReconcilerError) -> Diagnostic:
    return replace(error_diagnostic(error), severity=Severity.WARNING, code="history-unreadable")
