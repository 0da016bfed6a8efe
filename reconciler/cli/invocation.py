"""What the border must know of a command line even when its command never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.values import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.github_job import GithubJob
    from reconciler.report import Format


class ReportFile(Struct, frozen=True, kw_only=True):
    """One report that was asked for."""

    format_: Format
    path: Path | None
    """`None`: standard output."""


class Reports(Struct, frozen=True, kw_only=True):
    """Everything that is to be written beside the result."""

    files: tuple[ReportFile, ...] = ()
    max_chars: int
    """What Markdown may take."""
    github: GithubJob | None = None
    plan_file: Path | None = None
    """Where `plan --out` saves the plan."""

    @property
    def wanted(self) -> bool:
        """Tell whether there is anything to write, but for the plan, which its command writes."""
        return bool(self.files) or self.github is not None

    @property
    def on_stdout(self) -> Format | None:
        """What stdout carries in place of the text; `None` for the text itself, or the JSON document."""
        return next((each.format_ for each in self.files if each.path is None), None)


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
