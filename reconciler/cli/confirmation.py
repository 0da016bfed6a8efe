"""Showing what a state command is about to do, and asking for the one word that lets it.

Rule of this file: what is shown goes to stdout, or to stderr where stdout is for a document; a question always goes to
stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from reconciler.cli.invocation import invocation_of
from reconciler.cli.streams import stderr_style, stdout_style, write
from reconciler.errors import GuardrailRefusedError, InterruptedRunError, UsageError
from reconciler.model.agent import AgentId, summarise_agents
from reconciler.report import Style, counted

_SHOWN = 8

yes_option = click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
allow_protected_option = click.option(
    "--allow-protected", is_flag=True, help="Let the records of protected agents go too."
)


def require_somebody_to_ask(*, yes: bool) -> None:
    """Refuse at once what could not be confirmed later.

    Raises:
        UsageError: nobody is there, and `--yes` was not given.
    """
    if not (yes or sys.stdin.isatty()):
        raise UsageError("nobody can be asked here: standard input is no terminal", hint="look at it, then give --yes")


def require_unprotected(agents: Sequence[AgentId], *, allowed: bool) -> None:
    """Refuse to take away what is recorded of protected agents.

    Raises:
        GuardrailRefusedError: there are some, and nobody allowed it.
    """
    if agents and not allowed:
        spans = [str(span) for span in summarise_agents(agents)]
        names = ", ".join([*spans[:_SHOWN], *(["…"] if len(spans) > _SHOWN else [])])
        raise GuardrailRefusedError(
            f"{counted(len(agents), 'agent')} of those selected {'is' if len(agents) == 1 else 'are'} protected "
            f"({names}); nothing was changed",
            hint="leave them out with --exclude-agent, or let their records go with --allow-protected",
        )


def confirm(ctx: click.Context, preview: Callable[[Style], str], question: str, *, yes: bool) -> None:
    """Show `preview` and return if it may be done.

    Raises:
        InterruptedRunError: somebody was asked and did not say `yes`.
    """
    as_json = invocation_of(ctx).as_json
    stream, style = (sys.stderr, stderr_style()) if as_json else (sys.stdout, stdout_style())
    write(stream, preview(style) + "\n")
    if yes:
        return
    answer = click.prompt(f"{question} Only `yes` will do", default="no", err=True, show_default=False)
    if answer != "yes":
        raise InterruptedRunError("not approved; nothing was changed")
