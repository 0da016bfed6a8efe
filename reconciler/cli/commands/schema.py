"""`reconciler schema [NAME]`."""

from __future__ import annotations

import click

from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.schemas import SCHEMA_NAMES, schema_text


@click.command
@click.argument("name", required=False)
@json_option
def command(name: str | None) -> CommandResult:
    """Print the JSON Schema called NAME, or the names there are.

    `site` and `fleet` describe what you write, `state` what is recorded, `plan` and `outcome` the documents of
    `plan --json` and `apply --json`, `rollback` the file that an apply leaves, `probe` and `environments` the documents
    of these commands.
    """
    if name is not None:
        text = schema_text(name)
        return CommandResult(command="schema", text=lambda: text, raw=True)
    return CommandResult(
        command="schema",
        text=lambda: "".join(f"{each}\n" for each in SCHEMA_NAMES),
        sections=lambda: {"names": list(SCHEMA_NAMES)},
    )
