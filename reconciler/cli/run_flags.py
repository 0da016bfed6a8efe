"""The flags of every command that sends calls for a whole plan, handed to it as one value."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.environment import Environment
from reconciler.cli.locking import lock_timeout_option
from reconciler.cli.options import deadline_option
from reconciler.errors import ExitCode, UsageError
from reconciler.values import Struct, replace

_F = TypeVar("_F", bound=Callable[..., Any])


class RunFlags(Struct, frozen=True, kw_only=True):
    """How a run is to be carried out, whatever its aim."""

    yes: bool
    fail_fast: bool
    breaker: int
    force_sign_in: bool
    deferred_exit_code: int
    lock_timeout: float | None
    deadline: float | None
    rollback_out: Path | None


def run_options(command: _F) -> _F:
    """Add the flags of a run, handed to the command as `flags`."""

    @click.option("--yes", is_flag=True, help="Do not ask; without a terminal nobody can be asked.")
    @click.option("--fail-fast", is_flag=True, help="Stop at the first agent that fails or is left in doubt.")
    @click.option(
        "--breaker",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        metavar="N",
        help="Stop when N agents in a row are refused with the same retcode; 0 never stops.",
    )
    @click.option(
        "--force-sign-in",
        is_flag=True,
        help="With source signin and force: true in site.yaml: throw out whoever is signed in already.",
    )
    @click.option(
        "--deferred-exit-code",
        type=click.IntRange(0, 255),
        default=int(ExitCode.SOME_AGENTS_DEFERRED),
        show_default=True,
        metavar="CODE",
        help="Exit code when all that is left is agents who are not signed in.",
    )
    @click.option(
        "--rollback-out",
        type=click.Path(path_type=Path),
        help="Where to leave the way back, a file or a directory; else beside the state, or here.",
    )
    @lock_timeout_option
    @deadline_option
    @functools.wraps(command)
    def with_flags(**given: Any) -> Any:
        flags = RunFlags(**{name: given.pop(name) for name in RunFlags.__struct_fields__})
        return command(flags=flags, **given)

    return with_flags  # type: ignore[return-value]  # the flags are gone and their value is there: click calls it


def require_somebody_to_ask(remedy: str) -> None:
    """Refuse to go on where nobody can answer.

    Raises:
        UsageError: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: standard input is no terminal", hint=remedy)


def within(deadline: float | None, opened: Environment) -> Environment:
    """Return the environment with the flag's deadline in place of its site's, if there is one."""
    if deadline is None:
        return opened
    site = opened.desired.site
    gateway = replace(site.gateway, run_deadline=deadline)
    return replace(opened, desired=replace(opened.desired, site=replace(site, gateway=gateway)))
