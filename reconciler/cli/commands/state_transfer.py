"""`reconciler state pull|push|unlock`: the state as a whole document, and its lock."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.by_hand import saved_text
from reconciler.cli.environment import Environment, open_environment
from reconciler.cli.locking import lock_holder, lock_timeout_option, patience_of, tell_waiting
from reconciler.cli.options import environment_argument, json_option
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store, read_state
from reconciler.cli.writing import read_file
from reconciler.errors import InputError, StateError, UsageError
from reconciler.model.printable import printable
from reconciler.model.state import State
from reconciler.state import decode, encode
from reconciler.values import replace


@click.command("pull", short_help="Print the whole recorded state.")
@environment_argument
@json_option
def pull_command(environment: Path) -> CommandResult:
    """Print the recorded state of ENVIRONMENT, the whole document, on stdout.

    It is what the next plan compares with: an unfinished run's journal is added to it.
    """
    opened = open_environment(environment, allow_empty=True)
    state = read_state(open_store(opened))
    return CommandResult(
        command="state pull", text=lambda: encode(state).decode(), raw=True, environment=opened.name, site=state.site
    )


@click.command("push", short_help="Make a file the whole recorded state.")
@click.argument("file", type=click.Path(path_type=Path))
@environment_argument
@click.option(
    "--force",
    type=click.IntRange(min=0),
    metavar="SERIAL",
    help="Put FILE in the place of the recorded state whatever it is; SERIAL is the one that is recorded now.",
)
@lock_timeout_option
@json_option
def push_command(file: Path, environment: Path, *, force: int | None, lock_timeout: float | None) -> CommandResult:
    """Make FILE the recorded state of ENVIRONMENT: the whole document, such as an errored-state.json.

    Refused unless FILE is a later state of the same lineage: a higher serial than the recorded one, and all in it that
    the journal of an unfinished run holds.

    Exits 7 when another run holds the lock, 10 when FILE is older or has nothing to do with what is recorded.
    """
    opened = open_environment(environment, allow_empty=True)
    pushed = _read(file, opened)
    store = open_store(opened)
    with store.lock(lock_holder("state push"), patience=patience_of(lock_timeout, os.environ), tell=tell_waiting):
        saved = store.push(pushed, force=force)
    said = _said(
        "state push",
        opened,
        saved_text(store, saved, opened),
        {"lineage": saved.lineage, "serial": saved.serial, "agents": len(saved.agents)},
    )
    return replace(said, diagnostics=store.warnings, sections=lambda: {"backup": store.backed_up})


@click.command("unlock", short_help="Break the lock of a run that is dead.")
@click.argument("lock_id", metavar="ID")
@environment_argument
@json_option
def unlock_command(lock_id: str, environment: Path) -> CommandResult:
    """Break the lock ID on the state of ENVIRONMENT: whoever holds it stops sending and does not overwrite anything.

    Only for a run that is dead and whose lock does not go away by itself. The id is named by whoever is refused. Should
    it be alive all the same, it stops when it next renews the lock; with backend http, up to 15 s after the next run
    has begun.

    Exits 7 when another lock is held, or one that must not be broken; the holder is named.
    """
    if not lock_id.isprintable():
        raise UsageError(
            f"{printable(lock_id)} is the id of no lock", hint="take it from the text that names the holder"
        )
    opened = open_environment(environment, allow_empty=True)
    store = open_store(opened)
    holder = store.unlock(lock_id)
    text = f"{store.name} is not locked.\n" if holder is None else f"{store.name} was locked by {holder}; it is free.\n"
    return _said(
        "state unlock", opened, printable(text.rstrip("\n"), limit=1000) + "\n", {"broken": holder is not None}
    )


def _read(file: Path, opened: Environment) -> State:
    try:
        return decode(read_file(file, what="state"), site=opened.desired.site.name)
    except StateError as error:
        raise InputError(f"{file.as_posix()}: {error}", hint=error.hint) from None


def _said(command: str, opened: Environment, text: str, summary: dict[str, object]) -> CommandResult:
    return CommandResult(
        command=command, text=lambda: text, environment=opened.name, site=opened.desired.site.name, summary=summary
    )
