"""The files that reports and saved plans go to, and what they may never be.

Rules of this file: none is ever written over what a command reads or writes itself, nor over what a run has left for
its rescue, and no two are one file. All of that is found out before the command does anything, and then nothing is
written at all. A name that nobody can look at, such as one too long, is refused like any other.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Reports, invocation_of
from reconciler.errors import UsageError
from reconciler.model.state_settings import LocalState
from reconciler.values import Struct, astuple

if TYPE_CHECKING:
    from reconciler.model.site import Site

_SESSIONS = "sessions.json"
"""Where a site that names no source has its sessions."""
_RESCUED = r"errored-state.*\.json|rollback-.*\.json"
"""What a run leaves where it ends badly, or may have to be taken back; its name is chosen when there is no turning."""
_STREAMS = {1: "stdout", 2: "stderr"}


def ask_for(ctx: click.Context, reports: Reports) -> None:
    """Have the border write `reports` when the command ends, however it ends.

    Raises:
        click.UsageError: they contradict one another or the rest of the command line, or cannot be written.
    """
    if not reports.wanted and reports.plan_file is None:
        return
    invocation = invocation_of(ctx)
    on_stdout = [each for each in reports.files if each.path is None]
    if len(on_stdout) > 1 or (on_stdout and invocation.as_json):
        raise click.UsageError("stdout carries one document: give one --report FORMAT=-, or --json", ctx)
    named = [
        value for name, value in ctx.params.items() if isinstance(value, Path) and name not in ("environment", "out")
    ]
    for path in _paths(reports):
        try:
            complaint = _complaint(path, others=named, root=ctx.params.get("environment"))
        except OSError as error:
            complaint = f"{path.as_posix()} cannot be written: {error.strerror}"
        if complaint is not None:
            raise click.UsageError(complaint, ctx)
        named.append(path)
    invocation.reports = reports


def spare_inputs(root: Path, site: Site) -> None:
    """Refuse reports that would overwrite a file of the environment at `root`, of which `site` is known by now.

    Raises:
        UsageError: one would. None is written then.
    """
    context = click.get_current_context(silent=True)
    invocation = None if context is None else invocation_of(context)
    if invocation is None or invocation.reports is None:
        return
    belongs = belongs_to(root, site)
    for path in _paths(invocation.reports):
        if belongs(path):
            invocation.reports = None
            raise UsageError(
                f"this would overwrite {path.name}, which belongs to the environment {root.as_posix()}",
                hint="name another file after --report or --out",
            )


def belongs_to(root: Path, site: Site) -> Callable[[Path], bool]:
    """Return how to tell whether a path is a file of an environment: its YAML, its state, or what `site.yaml` names."""
    named = {_real(root / words) for words in _texts(site) if "\0" not in words}
    state = root / site.state.path if isinstance(site.state, LocalState) else None

    def belongs(path: Path) -> bool:
        beside = state is not None and _stands_beside(path, state)
        return beside or _real(path) in named or _looks_like_input(path, root)

    return belongs


def _paths(reports: Reports) -> list[Path]:
    """Return every file that is to be written; the plan's first, for it is the one to be kept."""
    plan = [] if reports.plan_file is None else [reports.plan_file]
    return plan + [each.path for each in reports.files if each.path is not None]


def _complaint(path: Path, *, others: list[Path], root: Path | None) -> str | None:
    """Return what is to be said against writing to `path`.

    Raises:
        OSError: nobody can look at it.
    """
    shown, directory = path.as_posix(), path.parent
    if any(_same(path, each) for each in others):
        return f"{shown} is named twice: one file would overwrite the other"
    if root is not None and _looks_like_input(path, root):
        return f"{shown} would become a file of {root.as_posix()}, which is read"
    if re.fullmatch(_RESCUED, _real(path).name):
        return f"{shown} is what a run calls its way back; give another name"
    stream = _stream_behind(path)
    if stream is not None:
        return f"{shown} is where {stream} goes; name another file"
    if path.exists() and not path.is_file():
        return f"{shown} is not a file; a report is written to one, or to standard output with -"
    if not directory.is_dir() or not os.access(directory, os.W_OK):
        return f"{shown} cannot be written: {directory.as_posix()} is no directory that files can be written to"
    return None


def _looks_like_input(path: Path, root: Path) -> bool:
    """Tell what an environment's files are before any is read: its YAML, and what stands there by default."""
    inside = _real(path).is_relative_to(_real(root))
    usual = _real(path) == _real(root / _SESSIONS) or _stands_beside(path, root / LocalState().path)
    return usual or (inside and _real(path).suffix.lower() in {".yaml", ".yml"})


def _stands_beside(path: Path, state: Path) -> bool:
    """Tell whether `path` is the state or what is kept beside it: its journal, its lock, its history."""
    path, state = _real(path), _real(state)
    return path == state or (path.parent == state.parent and path.name.startswith(f"{state.name}."))


def _stream_behind(path: Path) -> str | None:
    """Return the stream that is redirected to `path`: to replace the file would take it from under the stream."""
    with contextlib.suppress(FileNotFoundError):
        behind = path.stat()
        for number, name in _STREAMS.items():
            with contextlib.suppress(OSError):  # one that is closed
                if path.is_file() and os.path.samestat(behind, os.fstat(number)):
                    return name
    return None


def _same(one: Path, other: Path) -> bool:
    return _real(one) == _real(other) or (one.exists() and other.exists() and one.samefile(other))


def _real(path: Path) -> Path:
    # Not Path.resolve, which raises a RuntimeError of a link to itself.
    return Path(os.path.realpath(path))


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value, however deep: whatever is a path, is one of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        for each in astuple(value):
            yield from _texts(each)
