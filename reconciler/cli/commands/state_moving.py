"""`reconciler state mv-site OLD NEW [ENVIRONMENT]`."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import click

from reconciler.cli.environment import Environment, open_environment
from reconciler.cli.locking import lock_holder, lock_timeout_option, patience_of, tell_waiting
from reconciler.cli.options import environment_argument, json_option
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store
from reconciler.errors import UsageError
from reconciler.model.state import State
from reconciler.state import StateStore

_SITE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)  # as in schemas/site.schema.json; it becomes part of paths


@click.command("mv-site", short_help="Let the state follow a site that was renamed.")
@click.argument("old")
@click.argument("new")
@environment_argument
@lock_timeout_option
@json_option
def mv_site_command(old: str, new: str, environment: Path, *, lock_timeout: float | None) -> CommandResult:
    """Let the state of site OLD be the one of site NEW, which site.yaml of ENVIRONMENT names by now.

    All that is recorded stays, and so does the lineage. Nothing is sent. Plans and rollback files that were saved under
    the old name do not fit any more.

    Exits 3 when site.yaml names another site, 7 when another run holds the lock, 10 when no state of OLD is there, or
    one of NEW is already.
    """
    opened = open_environment(environment, allow_empty=True)
    _check_names(opened, old, new)
    source, target = open_store(opened, site=old), open_store(opened)
    operation, patience = f"state mv-site {old} {new}", patience_of(lock_timeout, os.environ)
    with contextlib.ExitStack() as locks:
        for store in [source] if source.name == target.name else [source, target]:
            locks.enter_context(store.lock(lock_holder(operation), patience=patience, tell=tell_waiting))
        saved = source.move_to(target)
    return CommandResult(
        command="state mv-site",
        text=lambda: _text(source, target, saved, old),
        environment=opened.name,
        site=saved.site,
        summary={"lineage": saved.lineage, "serial": saved.serial, "agents": len(saved.agents), "old": old, "new": new},
        diagnostics=[*source.warnings, *target.warnings],
        sections=lambda: {"backup": source.backed_up},
    )


def _check_names(opened: Environment, old: str, new: str) -> None:
    named = opened.desired.site.name
    if named != new:
        raise UsageError(
            f"site.yaml names the site {named!r}, and the state is to be that of {new!r}",
            hint="rename the site in site.yaml first; OLD is its name until then, NEW the one it has now",
        )
    if old == new:
        raise UsageError(f"OLD and NEW are both {new!r}", hint="OLD is the name that the state still says")
    if _SITE.fullmatch(old) is None:
        raise UsageError(f"{old!r} is not the name of a site")


def _text(source: StateStore, target: StateStore, saved: State, old: str) -> str:
    text = (
        f"The state of site {old} is the one of site {saved.site} now; what is recorded is the same.\n"
        f"{target.name} is at serial {saved.serial} now, {len(saved.agents)} agents recorded.\n"
        f"What it was before is kept in {source.backed_up}.\n"
    )
    if source.name != target.name:
        text += f"{source.name} stays as it was; remove it when nothing refers to it any more.\n"
    return text
