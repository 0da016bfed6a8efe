"""What to do about a wrong command line, for somebody who comes from another tool.

Rule of this file: a word of another tool is named only where ours does the same; everything else gets the help.
"""

from __future__ import annotations

import re

import click

_COMMANDS = {"diff": "plan", "preview": "plan", "lint": "validate", "check": "validate", "undo": "rollback"}
_OPTIONS = {
    ("apply", "--auto-approve"): "--yes approves without asking; --plan FILE applies what was reviewed",
    ("apply", "--dry-run"): "`reconciler plan` shows what apply would do",
    ("rollback", "--auto-approve"): "--yes approves without asking",
    ("rollback", "--dry-run"): "--preview shows what rollback would do",
}
_EXTRA_AGENT = re.compile(r"unexpected extra arguments? \([0-9]")


def nearest_command(name: str, names: list[str]) -> str | None:
    """Return the one of `names` that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a slip of the keyboard needs it

    known = _COMMANDS.get(name)
    return known if known in names else next(iter(get_close_matches(name, names, n=1)), None)


def usage_hint(error: click.UsageError, command: str) -> str:
    """Return what to do about `error`, made when the arguments of `command` were read."""
    path = error.ctx.command_path if error.ctx else f"reconciler {command}".rstrip()
    if isinstance(error, click.NoSuchOption):
        wanted = _OPTIONS.get((path.removeprefix("reconciler "), error.option_name))
        if wanted:
            return wanted
    if _EXTRA_AGENT.search(error.format_message()):
        return "several agents are one word: --agent 1001,1003-1050"
    return f"see `{path} --help`"
