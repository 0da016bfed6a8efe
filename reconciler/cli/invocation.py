"""What the border must know of a command line even when its command never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.values import Struct

if TYPE_CHECKING:
    from reconciler.cli.report_targets import Reports


class Invocation(Struct):
    """Filled in while the command line is parsed."""

    as_json: bool = False
    environment: str | None = None
    """The directory as given."""
    reports: Reports | None = None
    """What else is to be written, once the whole command line is known to be right."""

    @property
    def document_on_stdout(self) -> bool:
        """Tell whether stdout is for one document and nothing else."""
        return self.as_json or (self.reports is not None and self.reports.on_stdout is not None)


def invocation_of(ctx: click.Context) -> Invocation:
    """Return the invocation that `ctx` belongs to."""
    found = ctx.find_root().obj
    return found if isinstance(found, Invocation) else Invocation()
