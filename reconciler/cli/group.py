"""The command `reconciler` and its subcommands, each imported only when it is called.

To add a command, write `commands/<name>.py` with a click command called `command`, and add a row to `_COMMANDS`.
"""

from __future__ import annotations

import importlib
import sys

import click

from reconciler import __version__
from reconciler.collector import loading_for_good

_COMMANDS = {
    "validate": "Check an environment's files; touches nothing else.",
    "plan": "Show what apply would change, compared with what was last recorded.",
    "apply": "Send the calls of a plan, and record what the gateway acknowledged.",
    "rollback": "Take back what a run has changed, from the file that it left.",
    "environments": "List a repository's environments, or those that a change touches, as a CI matrix.",
    "show": "Show a saved plan or outcome, also in another format.",
    "comment": "Tell a saved plan or outcome on its pull request, in one comment that is kept up to date.",
    "probe": "Find out with one agent what a site's documentation leaves open.",
    "explain": "Say what a retcode, an HTTP status or a failed call means and what to do.",
    "state": "Look at what is recorded, and change it by hand.",
    "schema": "Print a published JSON Schema.",
    "simulate": "Serve a rehearsal gateway on this machine.",
    "version": "Print the version.",
}


class NamingGroup(click.Group):
    """A group that names the nearest of its commands where there is none of a name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            from reconciler.cli.habits import nearest_command  # noqa: PLC0415 - only a slip of the keyboard needs it

            near = nearest_command(args[0], names)
            ctx.fail(f"no command {args[0]!r}" + (f"; did you mean {near!r}?" if near else ""))
        return super().resolve_command(ctx, args)


class LazyGroup(NamingGroup):
    """A group that knows its commands' names and first lines, and imports one only to run it or to help with it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first day's work."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or `None` when there is none of that name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = f"reconciler.cli.commands.{cmd_name}"
        if module not in sys.modules:
            with loading_for_good():
                importlib.import_module(module)
        command: click.Command = sys.modules[module].command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
def cli() -> None:
    """Per-agent multimedia concurrency of a Huawei CEC / AICC contact centre, as reviewed YAML.

    How many e-mails, chats and messages each agent handles at once lives in YAML in Git. `plan` compares it with what
    the gateway last acknowledged; a reviewer reads the plan; `apply` sends only the calls that change something.

    ENVIRONMENT is a directory with a site.yaml and fleet files; without it, `desired` is taken.
    """
