"""What the border must know of a command line even when its command never ends."""

from __future__ import annotations

from dataclasses import dataclass

import click


@dataclass(slots=True)
class Invocation:
    """Filled in while the command line is parsed."""

    as_json: bool = False
    environment: str | None = None
    """The directory as given."""


def invocation_of(ctx: click.Context) -> Invocation:
    """Return the invocation that `ctx` belongs to."""
    found = ctx.find_root().obj
    return found if isinstance(found, Invocation) else Invocation()
