"""The files that reports go to, and what they may never be.

Rules of this file: a report is never written over what the command reads or writes itself, and two reports are never
one file. All of that is found out before the command does anything, and then nothing is written at all.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import invocation_of
from reconciler.errors import UsageError
from reconciler.model.state_settings import LocalState
from reconciler.report import MAX_CHARS, Format

if TYPE_CHECKING:
    from reconciler.cli.environment import Environment
    from reconciler.cli.github_job import GithubJob

_SESSIONS = "sessions.json"
"""Where a site that names no source has its sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One report that was asked for."""

    format_: Format
    path: Path | None
    """`None`: standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Everything that is to be written beside the result."""

    files: tuple[ReportFile, ...] = ()
    max_chars: int = MAX_CHARS
    """What Markdown may take."""
    github: GithubJob | None = None
    plan_file: Path | None = None
    """Where `plan --out` saves the plan."""

    @property
    def on_stdout(self) -> Format | None:
        """What stdout carries in place of the text; `None` for the text itself, or the JSON document."""
        return next((each.format_ for each in self.files if each.path is None), None)


def ask_for(ctx: click.Context, reports: Reports) -> None:
    """Have the border write `reports` when the command ends, however it ends.

    Raises:
        click.UsageError: they contradict one another or the rest of the command line, or cannot be written.
    """
    if reports.github is None and not reports.files:
        return
    invocation = invocation_of(ctx)
    on_stdout = [each for each in reports.files if each.path is None]
    if len(on_stdout) > 1 or (on_stdout and invocation.as_json):
        raise click.UsageError("stdout carries one document: give one --report FORMAT=-, or --json", ctx)
    others = [value for name, value in ctx.params.items() if isinstance(value, Path) and name != "environment"]
    for path in _paths(reports):
        try:
            _require_spare(path, others, ctx)
        except OSError as error:  # a name that is too long, say
            raise click.UsageError(f"a report cannot be written to {path.as_posix()}: {error.strerror}", ctx) from error
        others.append(path)
    invocation.reports = reports


def spare_inputs(environment: Environment) -> None:
    """Refuse reports that would overwrite a file of `environment`: its YAML, its state, or what `site.yaml` names.

    Raises:
        UsageError: one would. None is written then.
    """
    context = click.get_current_context(silent=True)
    invocation = None if context is None else invocation_of(context)
    if invocation is None or invocation.reports is None:
        return
    site = environment.desired.site
    named = {environment.path(words).resolve() for words in _texts(site)}
    state = environment.path(site.state.path) if isinstance(site.state, LocalState) else None
    for path in _paths(invocation.reports):
        if path.resolve() in named or (state is not None and _stands_beside(path, state)):
            invocation.reports = None
            raise UsageError(
                f"a report would overwrite {path.name}, which belongs to the environment {environment.name}",
                hint="name another file after --report",
            )


def _paths(reports: Reports) -> list[Path]:
    return [each.path for each in reports.files if each.path is not None]


def _require_spare(path: Path, others: Sequence[Path], ctx: click.Context) -> None:
    root = ctx.params.get("environment")
    if any(_same(path, each) for each in others):
        raise click.UsageError(f"{path.as_posix()} is named twice: a report would overwrite it", ctx)
    if root is not None and _looks_like_input(path, root):
        raise click.UsageError(f"{path.as_posix()} would become a file of {root.as_posix()}, which is read", ctx)
    _require_writable(path, ctx)


def _looks_like_input(path: Path, root: Path) -> bool:
    """Tell what an environment's files are before any is read: its YAML, and what stands there by default."""
    inside = path.resolve().is_relative_to(root.resolve())
    usual = path.resolve() == (root / _SESSIONS).resolve() or _stands_beside(path, root / LocalState().path)
    return usual or (inside and path.suffix.lower() in {".yaml", ".yml"})


def _stands_beside(path: Path, state: Path) -> bool:
    """Tell whether `path` is the state or what is kept beside it: its journal, its lock, its history."""
    path, state = path.resolve(), state.resolve()
    return path == state or (path.parent == state.parent and path.name.startswith(f"{state.name}."))


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _require_writable(path: Path, ctx: click.Context) -> None:
    directory = path.parent
    if path.exists() and not path.is_file():
        raise click.UsageError(f"{path.as_posix()} is not a file; a report is written to one", ctx)
    if not directory.is_dir() or not os.access(directory, os.W_OK):
        raise click.UsageError(f"{directory.as_posix()} is no directory that a report can be written to", ctx)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value, however deep: whatever is a path, is one of them."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _texts(getattr(value, each.name))
