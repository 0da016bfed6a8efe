"""`reconciler version`."""

from __future__ import annotations

import platform

import click

from reconciler import __version__
from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult


@click.command
@json_option
def command() -> CommandResult:
    """Print the version of reconciler and of the Python it runs on."""
    python = platform.python_version()
    return CommandResult(
        command="version",
        text=lambda: f"reconciler {__version__} (Python {python})\n",
        summary={"reconciler": __version__, "python": python},
    )
